//! What is counted, and that the documents and the code agree on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger::metrics::{ALL, MetricKind};
use outrigger::{Generation, PluginState};
use outrigger_admin::Metrics;
use outrigger_testkit::e2e;
use outrigger_testkit::kit::Kit;
use serde_json::json;

use outrigger_testkit::harness::eventually;

/// A line of Prometheus text: a name, labels, a value.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    (name.to_owned(), labels.collect(), value.parse().unwrap())
}

fn samples(text: &str) -> Vec<(String, BTreeMap<String, String>, f64)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(sample).collect()
}

/// The value of the one series that has this name and these labels among its own.
fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let has = |own: &BTreeMap<String, String>| {
        labels.iter().all(|(name, value)| own.get(*name).is_some_and(|own| own == value))
    };
    let found = samples(text).into_iter().filter(|(own, labels, _)| own == name && has(labels));
    let values: Vec<f64> = found.map(|(_, _, value)| value).collect();
    assert!(values.len() < 2, "{name} {labels:?} is there {} times", values.len());
    values.first().copied()
}

/// Those that only a line of more than 4 KiB, and a slow reader, bring about.
const ELSEWHERE: [&str; 2] =
    ["outrigger_plugin_log_lines_cut_total", "outrigger_plugin_log_lines_lost_total"];

e2e! {
    async fn every_number_of_the_table_is_exported_with_its_labels_and_no_other() {
        let metrics = Metrics::install().unwrap();
        let mut kit = Kit::with("hang-on-call");
        kit.set("/providers/helloworld/calls", json!({ "inFlight": 1, "queue": 1, "retries": 1, "wait": "10s" }));
        kit.set("/providers/helloworld/timeouts", json!({ "call": "20s" }));
        let host = kit.start().await;
        let greeter = host.gateway::<Handle>("helloworld").unwrap();
        greeter.greeting("x").await.unwrap();
        let hanging = greeter.clone();
        let hanging = tokio::spawn(async move { hanging.greeting("hang").await });
        let get = |name: &str, labels: &[(&str, &str)]| value(&metrics.render(), name, labels);
        eventually("a call is under way", || get("outrigger_calls_in_flight", &[]) == Some(1.0)).await;
        let waiting = greeter.clone();
        let waiting = tokio::spawn(async move { waiting.greeting("y").await });
        eventually("a call waits", || get("outrigger_calls_queued", &[]) == Some(1.0)).await;
        greeter.greeting("z").await.unwrap_err();
        assert_eq!(get("outrigger_calls_refused_total", &[("reason", "busy")]), Some(1.0));
        eventually("its processes were looked at", || {
            get("outrigger_plugin_resident_memory_bytes", &[]).is_some_and(|bytes| bytes > 1e6)
        }).await;

        let given_up = |count| move || get("outrigger_calls_total", &[("code", "cancelled")]) == Some(count);
        waiting.abort();
        eventually("the one that waits was given up", given_up(1.0)).await;

        // The call that hangs is made again, and hangs again, unless the news of the death
        // was late and the old generation had it twice.
        let pid = host.watch("helloworld").unwrap().borrow().pid;
        crate::kill(pid);
        eventually("it was made again", || get("outrigger_calls_repeated_total", &[]) == Some(1.0)).await;
        eventually("it is back", || get("outrigger_plugin_generation", &[]) == Some(2.0)).await;
        hanging.abort();
        let hung = hanging.await.is_err_and(|ended| ended.is_cancelled());
        eventually("whoever hung was given up", given_up(if hung { 2.0 } else { 1.0 })).await;
        kit.set("/providers/helloworld/timeouts", json!({ "call": "20s", "drain": "1s" }));
        let generation = host.reload("helloworld").await.unwrap();
        assert_eq!(generation, Generation(3));
        greeter.greeting("log:a line").await.unwrap();
        eventually("it was logged", || {
            get("outrigger_plugin_log_lines_total", &[("level", "info")]) == Some(1.0)
        }).await;

        for (name, labels, expected) in [
            ("outrigger_plugin_up", vec![], 1.0),
            ("outrigger_plugin_generation", vec![], 3.0),
            ("outrigger_plugin_state", vec![("state", "ready")], 1.0),
            ("outrigger_plugin_state", vec![("state", "failed")], 0.0),
            ("outrigger_plugin_failures_total", vec![("reason", "died")], 1.0),
            ("outrigger_plugin_restarts_total", vec![("reason", "died")], 1.0),
            ("outrigger_calls_in_flight", vec![], 0.0),
            ("outrigger_calls_queued", vec![], 0.0),
            ("outrigger_plugin_healthy", vec![], 1.0),
            ("outrigger_actor_messages_waiting", vec![("actor", "plugin:helloworld")], 0.0),
            ("outrigger_plugin_info", vec![("version", "1.0.0")], 1.0),
            ("outrigger_instances", vec![], 1.0),
        ] {
            eventually(name, || get(name, &labels) == Some(expected)).await;
        }
        let text = metrics.render();
        let counted = value(&text, "outrigger_calls_total", &[("code", "ok")]).unwrap();
        let measured = value(&text, "outrigger_call_duration_seconds_count", &[]).unwrap();
        assert!(counted == measured && counted >= 2.0, "{text}");
        let traffic = host.remote().traffic("helloworld").unwrap();
        assert_eq!(traffic.buckets().iter().sum::<u64>() as f64, counted);

        let mut seen = BTreeSet::new();
        for (name, labels, _) in samples(&text) {
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
                let stem = name.strip_suffix(end)?;
                ALL.iter().find(|metric| metric.name == stem && metric.kind == MetricKind::Histogram)
            });
            let metric = family.or_else(|| ALL.iter().find(|metric| metric.name == name));
            let metric = metric.unwrap_or_else(|| panic!("{name} is in no table"));
            let own: BTreeSet<&str> =
                labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
            assert_eq!(own, metric.labels.iter().copied().collect(), "{name}");
            seen.insert(metric.name);
        }
        let missing: Vec<&str> = ALL.iter().map(|metric| metric.name)
            .filter(|name| !seen.contains(name) && !ELSEWHERE.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?} are never exported\n{text}");
        for metric in ALL.iter().filter(|metric| seen.contains(metric.name)) {
            assert!(text.contains(&format!("# HELP {} {}", metric.name, metric.help)), "{}", metric.name);
            assert!(text.contains(&format!("# TYPE {} {}", metric.name, metric.kind.name())), "{}", metric.name);
        }

        host.stop(Duration::from_secs(15)).await.unwrap();
        let text = metrics.render();
        assert_eq!(value(&text, "outrigger_plugin_up", &[]), Some(0.0));
        assert_eq!(value(&text, "outrigger_plugin_state", &[("state", "stopped")]), Some(1.0));
        assert_eq!(PluginState::Stopped.to_string(), "stopped");
    }
}

/// `UPDATE_GENERATED=1` writes instead.
#[test]
fn the_documented_table_is_the_one_in_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- from the code -->\n", "<!-- to here -->\n");
    let (before, rest) = page.split_once(begin).unwrap();
    let (committed, after) = rest.split_once(end).unwrap();
    let mut table = String::from("| name | type | labels | what |\n| --- | --- | --- | --- |\n");
    for metric in ALL {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (metric.name, metric.kind.name());
        writeln!(table, "| `{name}` | {kind} | {} | {} |", labels.join(", "), metric.help).unwrap();
    }
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert!(
        committed == table,
        "docs/metrics.md is stale; run UPDATE_GENERATED=1 cargo test -p outrigger-testkit --test \
         admin documented"
    );
}
