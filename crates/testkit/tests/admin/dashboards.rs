//! What is shipped for Grafana and Prometheus names what is exported.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use outrigger::metrics::{ALL, Metric, MetricKind};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Labels of Prometheus' own.
const NO_LABELS: [&str; 4] = ["le", "__name__", "job", "instance"];

/// Names of ours in an expression, and the labels that it uses.
fn used(expression: &str) -> (Vec<String>, BTreeSet<String>) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c| !is_word(c)).filter(|word| word.starts_with("outrigger_"));
    let names = words.map(str::to_owned).collect();
    let mut labels = BTreeSet::new();
    for inner in expression.split('{').skip(1) {
        let inner = inner.split('}').next().unwrap();
        let pairs = inner.split(',').filter_map(|pair| pair.split(['=', '!']).next());
        labels.extend(pairs.map(|label| label.trim().to_owned()));
    }
    for grouping in ["by (", "on ("] {
        for inner in expression.split(grouping).skip(1) {
            let inner = inner.split(')').next().unwrap();
            labels.extend(inner.split(',').map(|label| label.trim().to_owned()));
        }
    }
    labels.retain(|label| !label.is_empty() && !NO_LABELS.contains(&label.as_str()));
    (names, labels)
}

fn exported(name: &str) -> Option<&'static Metric> {
    let parts = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
    let histogram = |stem: &str| {
        ALL.iter().find(|metric| metric.name == stem && metric.kind == MetricKind::Histogram)
    };
    let whole = ALL.iter().find(|metric| metric.name == name);
    whole
        .filter(|metric| metric.kind != MetricKind::Histogram)
        .or_else(|| parts.filter_map(histogram).next())
}

fn hold(place: &str, expression: &str) -> BTreeSet<&'static str> {
    let (names, labels) = used(expression);
    assert!(!names.is_empty(), "{place} is about nothing of ours: {expression}");
    let mut all = BTreeSet::new();
    let mut known = BTreeSet::<&str>::new();
    for name in names {
        let metric = exported(&name).unwrap_or_else(|| panic!("{place}: {name} is not exported"));
        all.insert(metric.name);
        known.extend(metric.labels);
    }
    for label in labels {
        assert!(known.contains(label.as_str()), "{place}: no `{label}` in {expression}");
    }
    all
}

#[test]
fn every_panel_of_the_dashboard_shows_what_is_exported_and_nothing_is_left_out() {
    let dashboard: Value = serde_json::from_str(&read("dashboards/outrigger.json")).unwrap();
    let mut shown = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title} has another panel's id");
        for target in panel["targets"].as_array().into_iter().flatten() {
            shown.extend(hold(title, target["expr"].as_str().unwrap()));
        }
    }
    let missing: Vec<&str> =
        ALL.iter().map(|metric| metric.name).filter(|name| !shown.contains(name)).collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
}

#[test]
fn every_alert_is_about_what_is_exported_and_is_explained() {
    let rules = read("dashboards/alerts.yml");
    let pages = read("docs/operations.md");
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 5);
    for alert in alerts {
        let name = alert.lines().next().unwrap();
        let expression = alert.split_once("expr: ").unwrap().1;
        let expression = expression.split("labels: ").next().unwrap();
        hold(name, expression.trim_start_matches('|').split(" for: ").next().unwrap());
        for part in ["summary: ", "description: ", "severity: "] {
            assert!(alert.contains(part), "{name} has no {part}");
        }
        assert!(pages.contains(name), "docs/operations.md does not say what to do about {name}");
    }
}

#[test]
fn prometheus_takes_the_rules() {
    let Some(promtool) = outrigger_testkit::artifacts::optional_tool("promtool") else { return };
    let mut check = Command::new(promtool);
    let output = check.args(["check", "rules"]).arg(root().join("dashboards/alerts.yml")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
