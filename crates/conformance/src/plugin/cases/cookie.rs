//! The cookie.

use std::time::Duration;

use super::cases;
use crate::plugin::bench::Bench;
use crate::plugin::outcome::{Outcome, require};
use crate::process::Ended;

cases! {
    "1.2" "cookie-wrong" Must []
        "with another value in the cookie's variable: no line, and an end" => wrong;
    "1.2" "cookie-missing" Must []
        "without the cookie's variable: no line, and an end" => missing;
    "1.2" "cookie-compared-byte-for-byte" Must []
        "with more, less, or other letters than the cookie's value: no line" => similar;
    "1.3" "cookie-refusal-explained" Should []
        "without the cookie: words on standard error, and status 1" => explained;
}

/// A refusal is a comparison and an exit.
const SOON: Duration = Duration::from_secs(10);

async fn wrong(bench: &Bench) -> Outcome {
    refuses(bench, Some("another value")).await.map(drop)
}

async fn missing(bench: &Bench) -> Outcome {
    refuses(bench, None).await.map(drop)
}

async fn similar(bench: &Bench) -> Outcome {
    let value = &bench.subject.cookie.1;
    let shorter: String = value.chars().skip(1).collect();
    for similar in [format!("{value} "), shorter, other_case(value)] {
        if similar != *value {
            refuses(bench, Some(&similar)).await?;
        }
    }
    Ok(())
}

async fn explained(bench: &Bench) -> Outcome {
    let process = bench.launch()?.unset(&bench.subject.cookie.0).spawn()?;
    let ended = process.ended(SOON).await;
    require!(ended == Some(Ended::Exit(1)), "{}", how(ended));
    let all = |seen: &crate::process::Seen| (!seen.bytes.is_empty()).then_some(());
    let words = process.stderr.wait_for(SOON, all).await;
    require!(words.is_some(), "it ended with status 1 and said nothing on standard error");
    Ok(())
}

async fn refuses(bench: &Bench, value: Option<&str>) -> Outcome {
    let key = &bench.subject.cookie.0;
    let launch = bench.launch()?;
    let launch = match value {
        Some(value) => launch.set(key, value),
        None => launch.unset(key),
    };
    let process = launch.refused(SOON).await?;
    let ended = process.ended(SOON).await;
    require!(ended.is_some(), "it printed no line, and runs on");
    Ok(())
}

fn other_case(value: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    value.chars().map(swap).collect()
}

fn how(ended: Option<Ended>) -> String {
    ended.map_or("it runs on".into(), |ended| format!("it {ended}"))
}
