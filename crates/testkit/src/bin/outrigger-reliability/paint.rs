//! The dashboard's first paint, in a real browser.

use std::process::Stdio;
use std::time::Duration;

use outrigger_admin::{Admin, AdminOptions};
use outrigger_testkit::artifacts;
use outrigger_testkit::kit::Kit;
use serde_json::Value;

use crate::row::{Row, Times};
use crate::site::{PATIENCE, provide_many, stop};

/// Instances on the page.
const PLUGINS: usize = 200;

/// The page of a host with 200 plugins that serve.
pub(crate) async fn paint(short: bool) -> Vec<Row> {
    let Some(browser) = artifacts::foreign("browser") else {
        return vec![Row::printed("first paint", "not available here: no browser")];
    };
    let rounds = if short { 3 } else { 9 };
    let mut kit = Kit::with("ok");
    provide_many(&mut kit, PLUGINS);
    let host = kit.start().await;
    let options = AdminOptions {
        address: Some("127.0.0.1:0".parse().expect("an address")),
        ..AdminOptions::new(kit.run_dir())
    };
    let admin = Admin::serve(host.remote(), options).await.expect("it serves");
    let url = format!("http://{}/", admin.address().expect("it is on TCP"));
    let (mut times, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut command = tokio::process::Command::new(&browser);
        command.arg("first-paint").arg(&url).arg(admin.token().expect("a token"));
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("the browser ends");
        let output = output.expect("the browser starts");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let painted = said["first_paint_ms"].as_f64().expect("it painted");
        times.push(Duration::from_secs_f64(painted / 1e3));
        rows.push(Duration::from_secs_f64(
            said["plugins_painted_ms"].as_f64().expect("rows") / 1e3,
        ));
        assert_eq!(said["plugins"].as_u64(), Some(PLUGINS as u64), "all are on the page");
    }
    admin.stop().await;
    stop(host).await;
    let (times, rows) = (Times::of(times), Times::of(rows));
    vec![
        Row::printed("instances on the page", PLUGINS.to_string()),
        Row::within("first paint, median", times.median(), Duration::from_secs(1)),
        Row::printed_time("slowest", times.quantile(1.0)),
        Row::printed_time("all plugins painted, median", rows.median()),
    ]
}
