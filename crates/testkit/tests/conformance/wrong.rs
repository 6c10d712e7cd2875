//! The plugin that is wrong on purpose, in one way at a time.

use std::collections::BTreeSet;
use std::process::Command;

use tokio::task::JoinSet;

use super::{check, failed};

const WRONG: &str = env!("CARGO_BIN_EXE_outrigger-wrong-plugin");

/// Checks at once; each has cases of its own that wait.
const CHECKS: usize = 6;

/// What the plugin can do wrong, and the cases that are to fail for it.
fn wrongs() -> Vec<(String, BTreeSet<String>)> {
    let output = Command::new(WRONG).arg("--list").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let wrong = |line: &str| {
        let [name, fails, _] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        (name.to_owned(), fails.split(',').map(str::to_owned).collect())
    };
    list.lines().map(wrong).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_without_a_fault_fails_no_case() {
    let report = check(WRONG.as_ref(), &[], &[]).await;
    assert!(failed(&report).is_empty(), "{}", report.to_table());
    assert!(report.counts().passed > 100, "{}", report.to_table());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_fails_the_cases_that_are_about_it_and_no_other() {
    let mut wrongs = wrongs().into_iter();
    assert!(wrongs.len() >= 12);
    let mut running = JoinSet::new();
    let mut surprises = Vec::new();
    loop {
        while running.len() < CHECKS
            && let Some((name, expected)) = wrongs.next()
        {
            running.spawn(async move {
                let report = check(WRONG.as_ref(), &[&name], &[]).await;
                (name, expected, report)
            });
        }
        let Some(checked) = running.join_next().await else { break };
        let (name, expected, report) = checked.unwrap();
        let failed: BTreeSet<String> = failed(&report).into_iter().map(str::to_owned).collect();
        if failed != expected {
            let about = |case: &&outrigger_conformance::Case| {
                failed.contains(case.name) && !expected.contains(case.name)
            };
            let about: Vec<_> = report.cases.iter().filter(about).collect();
            surprises.push(format!("{name}: {expected:?}, and it was {failed:?}: {about:?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn every_section_with_cases_of_a_plugin_is_failed_by_some_fault() {
    let failed: BTreeSet<String> = wrongs().into_iter().flat_map(|(_, fails)| fails).collect();
    let section = |rule: &'static str| rule.split('.').next().unwrap();
    let cases: Vec<_> = outrigger_conformance::plugin::cases().collect();
    let known: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert!(failed.iter().all(|name| known.contains(&**name)), "{failed:?}");
    let sections: BTreeSet<&str> = cases.iter().map(|case| section(case.rule)).collect();
    let covered = cases.iter().filter(|case| failed.contains(case.name));
    let covered: BTreeSet<&str> = covered.map(|case| section(case.rule)).collect();
    let bare: BTreeSet<_> = sections.difference(&covered).copied().collect();
    // Multiplexing and old hosts: the fault plugin has neither.
    assert_eq!(bare, BTreeSet::from(["11", "7"]));
}
