//! `outrigger check --host` over hosts: right ones, one that is wrong in every
//! way that it can be told, and those of other people.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by its panic, and this one starts processes"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use outrigger_testkit::artifacts;
use serde_json::Value;

mod book;
mod foreign;
mod ours;
mod wrong;

/// Runs of a host may take so long here; hosts under test give up earlier.
const LIMITS: [&str; 4] = ["--limit", "20", "--start-limit", "40"];

/// Cases at once: most of one is waiting.
const JOBS: [&str; 2] = ["--jobs", "6"];

/// What came of a check: results and what was seen, by the cases' names.
#[derive(Debug)]
struct Checked(BTreeMap<String, (String, String)>);

impl Checked {
    /// The names of the cases with this result.
    fn named(&self, result: &str) -> BTreeSet<&str> {
        let cases = self.0.iter().filter(|(_, (found, _))| found == result);
        cases.map(|(name, _)| name.as_str()).collect()
    }

    /// What was seen where the cases with this result failed, a line each.
    fn explained(&self, result: &str) -> String {
        let cases = self.0.iter().filter(|(_, (found, _))| found == result);
        let lines = cases.map(|(name, (_, seen))| format!("{name}: {seen}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// These cases failed, and no others.
    fn fails(&self, expected: &[&str]) {
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        assert_eq!(self.named("fail"), expected, "{}", self.explained("fail"));
    }
}

/// `outrigger check --host --json FLAGS -- COMMAND`.
fn check(flags: &[&str], command: &[&str]) -> Checked {
    let mut kit = Command::new(artifacts::command());
    kit.args(["check", "--host", "--json"])
        .args(LIMITS)
        .args(JOBS)
        .args(flags)
        .arg("--")
        .args(command);
    let output = kit.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{command:?}: no report: {error}"));
    let text = |case: &Value, key: &str| case[key].as_str().unwrap().to_owned();
    let cases = report["cases"].as_array().unwrap().iter();
    let found: BTreeMap<_, _> = cases
        .map(|case| (text(case, "name"), (text(case, "result"), text(case, "seen"))))
        .collect();
    let failed = found.values().any(|(result, _)| result == "fail");
    assert_eq!(output.status.code(), Some(i32::from(failed)), "{error}");
    Checked(found)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
