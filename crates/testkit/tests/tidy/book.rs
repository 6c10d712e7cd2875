//! Holds the book to itself and to the code: the rules of the wire protocol are
//! numbered without a gap, and the table of parity names tests that exist.

use std::collections::BTreeSet;
use std::fs;

use crate::{hold, root, sources, test_code};

/// Lines of the table of parity.
const LINES: usize = 100;

/// What stands where a test is missing.
const UNTESTED: &str = "—";

/// Whom a rule binds, and how strongly.
const BINDS: [&str; 3] = ["HOST", "PLUGIN", "BOTH"];
const STRENGTHS: [&str; 5] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];

/// `2.31 HOST MUST` as numbers and words; `None` if it has another form.
fn rule(head: &str) -> Option<((usize, usize), &str, &str)> {
    let (number, words) = head.split_once(' ')?;
    let (section, place) = number.split_once('.')?;
    let (binds, strength) = words.split_once(' ')?;
    Some(((section.parse().ok()?, place.parse().ok()?), binds, strength))
}

#[test]
fn the_rules_of_the_wire_protocol_are_numbered_without_a_gap() {
    let directory = root().join("docs/wire");
    let mut pages: Vec<_> = fs::read_dir(directory).unwrap().map(|page| page.unwrap()).collect();
    pages.sort_by_key(fs::DirEntry::file_name);
    let mut violations = Vec::new();
    let mut expected = (1, 1);
    for page in pages {
        let name = page.file_name().into_string().unwrap();
        let Ok(section) = name.split('-').next().unwrap_or_default().parse::<usize>() else {
            continue; // no page of rules
        };
        expected = (section, 1);
        for line in fs::read_to_string(page.path()).unwrap().lines() {
            let Some(head) = line.strip_prefix("**").and_then(|rest| rest.split("**").next())
            else {
                continue;
            };
            match rule(head) {
                Some((number, binds, strength))
                    if number == expected
                        && BINDS.contains(&binds)
                        && STRENGTHS.contains(&strength) => {}
                _ => violations.push(format!("{name}: `{head}` where {expected:?} is due")),
            }
            expected.1 += 1;
        }
    }
    assert_eq!(expected.0, 12, "the sections are fixed");
    hold("rules are `**2.31 HOST MUST** …`, in order:", &violations);
}

#[test]
fn the_table_of_parity_is_whole_and_names_tests_that_exist() {
    let tests: String = sources(&[".rs"]).iter().map(test_code).collect();
    let exists = |name: &str| tests.contains(&format!("fn {name}("));
    let text = fs::read_to_string(root().join("docs/protocol-parity.md")).unwrap();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let (mut violations, mut untested, mut seen) = (Vec::new(), BTreeSet::new(), 0);
    for row in rows.filter(|row| row[0].parse::<usize>().is_ok()) {
        seen += 1;
        let [number, _, verdict, tested_by, note] = row[..] else {
            violations.push(format!("line {seen}: five columns are due: {row:?}"));
            continue;
        };
        if number.parse() != Ok(seen) {
            violations.push(format!("line {seen}: it is numbered {number}"));
        }
        match verdict {
            "holds" => {}
            "differs" | "refused" if !note.is_empty() => {}
            _ => violations.push(format!("line {seen}: `{verdict}` and why?")),
        }
        for name in tested_by.split(',').map(str::trim) {
            let test = name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
            if name == UNTESTED {
                untested.insert(seen);
            } else if !test.is_some_and(exists) {
                violations.push(format!("line {seen}: there is no test {name}"));
            }
        }
    }
    println!("{} of {LINES} lines are not, or not all, tested: {untested:?}", untested.len());
    assert_eq!(seen, LINES, "docs/protocol-parity.md has a line for each item");
    hold("docs/protocol-parity.md:", &violations);
}
