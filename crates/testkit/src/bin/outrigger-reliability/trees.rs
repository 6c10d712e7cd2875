//! Process trees: what a killed host leaves, and how long a stop takes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use outrigger::helloworld::Greeter as _;
use outrigger_testkit::{artifacts, kit::Kit};
use rustix::process::Signal;
use serde_json::json;

use crate::row::{Row, Times};
use crate::site::{HELLO, greeter, signal, status, stop};

/// In the environment of everything that a host under test starts.
const MARK: &str = "OUTRIGGER_RELIABILITY_MARK";

/// Processes with this mark that live.
fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={mark}");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    })
    .collect()
}

/// SIGKILL of the host, with a grandchild in a session of its own.
pub(crate) async fn orphans(short: bool) -> Vec<Row> {
    let rounds = if short { 20 } else { 100 };
    let mut kit = Kit::with("daemon-grandchild");
    let (mut left, mut seen, mut times) = (0, 0, Vec::new());
    for round in 0..rounds {
        let mark = format!("{}-{round}", std::process::id());
        kit.set("/providers/helloworld/variables", json!({ MARK: mark }));
        let mut child = Command::new(artifacts::command())
            .args(["run", "--json", "--plugins.skipverify", "--plugins", &kit.settings_url()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it is ready");
        seen += usize::from(marked(&mark).len() >= 2);
        child.kill().expect("it runs");
        let killed = Instant::now();
        let alive = loop {
            let alive = marked(&mark);
            if alive.is_empty() || killed.elapsed() > Duration::from_secs(1) {
                break alive;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        times.push(killed.elapsed());
        left += alive.len();
        alive.into_iter().for_each(|pid| signal(pid, Signal::KILL));
        child.wait().expect("it is gone");
    }
    let times = Times::of(times);
    vec![
        Row::all("hosts killed with plugin and grandchild", seen, rounds),
        Row::none("descendants left after 1 s", left),
        Row::printed_time("until all are gone, median", times.median()),
        Row::printed_time("until all are gone, longest", times.quantile(1.0)),
    ]
}

/// Plugins that do not want to end: a scenario, whether it is frozen, and whether
/// a call is under way.
const STUBBORN: [(&str, &str, bool, bool); 5] = [
    ("answers and stays", "ignore-shutdown", false, false),
    ("frozen", "ok", true, false),
    ("without a controller", "no-controller", false, false),
    ("with a call that is never answered", "hang-on-call", false, true),
    ("floods its standard error", "flood-stderr", false, false),
];

/// A stop takes no longer than its ladder, and a moment after a death.
pub(crate) async fn stop_figure(short: bool) -> Vec<Row> {
    let rounds = if short { 1 } else { 5 };
    let mut rows = Vec::new();
    for (what, scenario, frozen, calls) in STUBBORN {
        let mut longest = Duration::ZERO;
        for _ in 0..rounds {
            let mut kit = Kit::with(scenario);
            // A drain is the operator's wish and not the ladder's.
            kit.set("/timeouts/drain", json!("0s"));
            let host = kit.start().await;
            let handle = greeter(&host, HELLO);
            let call = calls.then(|| tokio::spawn(async move { handle.greeting("hang").await }));
            if frozen {
                signal(status(&host, HELLO).pid.expect("a process"), Signal::STOP);
            }
            let began = Instant::now();
            stop(host).await;
            longest = longest.max(began.elapsed());
            if let Some(call) = call {
                let _ended = call.await;
            }
        }
        let bound = Duration::from_millis(3_700);
        rows.push(Row::within(&format!("stop: {what}"), longest, bound));
    }
    let mut after = Vec::new();
    for _ in 0..rounds * 5 {
        // Its child holds standard error and outlives it.
        let kit = Kit::with("grandchild");
        let host = kit.start().await;
        let began = Instant::now();
        stop(host).await;
        after.push(began.elapsed());
    }
    let longest = Times::of(after).quantile(1.0);
    let bound = Duration::from_millis(200);
    rows.push(Row::within("stop: ends at once, its child does not", longest, bound));
    rows
}
