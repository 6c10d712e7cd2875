//! What the book says of the cases.

use std::collections::BTreeSet;
use std::process::Command;

use outrigger_testkit::artifacts;
use serde_json::Value;

fn cases() -> Vec<Value> {
    let listed = Command::new(artifacts::command())
        .args(["check", "--host", "--list", "--json"])
        .output()
        .unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    listed["cases"].as_array().unwrap().clone()
}

/// A row of the table.
fn row(case: &Value) -> String {
    let text = |key: &str| case[key].as_str().unwrap();
    let needs = case["needs"].as_array().unwrap().iter();
    let needs = needs.map(|need| need.as_str().unwrap()).collect::<Vec<_>>().join(", ");
    let (rule, name, strength) = (text("rule"), text("name"), text("strength").to_uppercase());
    format!("| {rule} | `{name}` | {strength} | {} | {needs} |", text("expected"))
}

#[test]
fn the_book_lists_the_cases_for_hosts_as_they_are() {
    let path = artifacts::repository().join("docs/conformance-hosts.md");
    let book = std::fs::read_to_string(path).unwrap();
    let printed: Vec<&str> =
        book.lines().skip_while(|line| !line.starts_with("| rule |")).collect();
    let rows: Vec<String> = cases().iter().map(row).collect();
    assert_eq!(printed[2..], rows, "docs/conformance-hosts.md ends with the table of all cases");
}

#[test]
fn every_case_for_hosts_has_a_name_of_its_own() {
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), cases.len());
    assert!(names.len() >= 15);
}
