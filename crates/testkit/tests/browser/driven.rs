//! The program that drives the browser, and what it asks for on the way.

use std::process::Stdio;

use outrigger_testkit::artifacts;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::site::Site;

/// The browser's names; the program takes the first that is there too.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Plays a scenario on a site; `None` where the tools for it are missing.
///
/// No page may ask for anything elsewhere, and none may complain.
pub(crate) async fn play(site: &mut Site, scenario: &str) -> Option<Value> {
    let program = artifacts::foreign("browser")?;
    artifacts::tool(&BROWSERS, "apt-get install chromium")?;
    let mut child = Command::new(program)
        .args([scenario, &site.url(), &site.token_file()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut result = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        let said: Value = serde_json::from_str(&line).unwrap();
        if let Some(what) = said["do"].as_str() {
            site.carry_out(what).await;
            input.write_all(b"true\n").await.unwrap();
        } else {
            result = Some(said.get("result").cloned().unwrap_or(said));
        }
    }
    let status = child.wait().await.unwrap();
    assert!(status.success(), "{scenario} failed; what it said is above");
    let result = result.unwrap();
    assert_eq!(result["foreign"], serde_json::json!([]), "{scenario} asked elsewhere");
    assert_eq!(result["complaints"], serde_json::json!([]), "{scenario}: the console");
    assert!(result["requests"].as_u64().unwrap() > 20, "requests are watched: {result}");
    Some(result)
}

/// As `play`, where no request may fail either.
pub(crate) async fn play_well(site: &mut Site, scenario: &str) -> Option<Value> {
    let result = play(site, scenario).await?;
    assert_eq!(result["refused"], serde_json::json!([]), "{scenario}: failed requests");
    Some(result)
}
