//! Holds the book to itself and to the code: the rules of the wire protocol are
//! numbered without a gap and referred to by numbers that exist, its definitions
//! are the code's, and the tables of parity name tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::{Source, hold, root, sources, test_code};

/// Sections of the wire protocol.
const SECTIONS: usize = 12;

/// The tables of parity, with their numbers of lines.
const TABLES: [(&str, usize); 2] =
    [("docs/protocol-parity.md", 100), ("docs/quorum-parity.md", 70)];

/// What stands where a test is missing.
const UNTESTED: &str = "—";

/// Whom a rule binds, and how strongly.
const BINDS: [&str; 3] = ["HOST", "PLUGIN", "BOTH"];
const STRENGTHS: [&str; 5] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];

/// `2.31` as section and place.
fn number(text: &str) -> Option<(usize, usize)> {
    let (section, place) = text.split_once('.')?;
    Some((section.parse().ok()?, place.parse().ok()?))
}

/// `2.31 HOST MUST` as numbers and words; `None` if it has another form.
fn rule(head: &str) -> Option<((usize, usize), &str, &str)> {
    let (place, words) = head.split_once(' ')?;
    let (binds, strength) = words.split_once(' ')?;
    Some((number(place)?, binds, strength))
}

/// The pages of rules, by section: name and text.
fn pages() -> BTreeMap<usize, (String, String)> {
    let pages = fs::read_dir(root().join("docs/wire")).unwrap().map(Result::unwrap);
    let page = |page: fs::DirEntry| {
        let name = page.file_name().into_string().unwrap();
        let section = name.split('-').next()?.parse().ok()?;
        Some((section, (name, fs::read_to_string(page.path()).unwrap())))
    };
    pages.filter_map(page).collect()
}

/// What stands in bold at the beginning of a line.
fn heads(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("**")?.split("**").next())
}

/// The numbers in brackets that hold nothing else, as in `(2.31, 4.1 to 4.3)`.
fn references(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let brackets = text.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    let numbers = brackets.map(|inner| {
        let parts = inner.split(", ").flat_map(|part| part.split(" to "));
        parts.map(number).collect::<Option<Vec<_>>>().unwrap_or_default()
    });
    numbers.flatten()
}

#[test]
fn the_rules_of_the_wire_protocol_are_numbered_without_a_gap() {
    let pages = pages();
    assert!(pages.keys().copied().eq(1..=SECTIONS), "the sections are fixed: {:?}", pages.keys());
    let mut violations = Vec::new();
    for (section, (name, text)) in &pages {
        for (place, head) in (1..).zip(heads(text)) {
            let right = rule(head).is_some_and(|(number, binds, strength)| {
                number == (*section, place)
                    && BINDS.contains(&binds)
                    && STRENGTHS.contains(&strength)
            });
            if !right {
                violations.push(format!("{name}: `{head}` where {section}.{place} is due"));
            }
        }
    }
    hold("rules are `**2.31 HOST MUST** …`, in order:", &violations);
}

/// The numbers of all rules.
fn rules() -> BTreeSet<(usize, usize)> {
    let pages = pages();
    let heads = pages.values().flat_map(|(_, text)| heads(text));
    heads.filter_map(rule).map(|(number, ..)| number).collect()
}

#[test]
fn the_book_refers_to_rules_that_exist() {
    let rules = rules();
    let mut violations = Vec::new();
    let mut seen = 0;
    for Source { path, text } in sources(&[".md"]) {
        if !path.starts_with("docs") {
            continue;
        }
        for (section, place) in references(&text) {
            seen += 1;
            if !rules.contains(&(section, place)) {
                violations.push(format!("{}: {section}.{place}", path.display()));
            }
        }
    }
    assert!(seen > 100, "references were looked for in the wrong place: {seen}");
    hold("there are no such rules:", &violations);
}

#[test]
fn the_conformance_kit_names_its_cases_by_rules_that_exist() {
    let rules = rules();
    let mut violations = Vec::new();
    for Source { path, text } in sources(&[".rs"]) {
        if !path.starts_with("crates/conformance/src") {
            continue;
        }
        // A case is `"2.31" "its-name" …`.
        let cases = text.lines().filter_map(|line| {
            let (first, rest) = line.trim_start().strip_prefix('"')?.split_once('"')?;
            rest.starts_with(" \"").then(|| number(first)).flatten()
        });
        let unknown = cases.filter(|number| !rules.contains(number));
        let name = |(section, place)| format!("{}: {section}.{place}", path.display());
        violations.extend(unknown.map(name));
    }
    hold("these cases are of no rule of docs/wire:", &violations);
}

/// A `.proto` file's declarations: no comments, no line ends.
fn declarations(proto: &str) -> String {
    let code = proto.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_definitions_in_the_book_are_those_that_code_is_generated_from() {
    let book = fs::read_to_string(root().join("docs/wire/definitions.md")).unwrap();
    let blocks = book.split("```proto\n").skip(1).filter_map(|rest| rest.split("```").next());
    let printed: BTreeSet<String> = blocks.map(declarations).collect();
    let files = sources(&[".proto"]).into_iter();
    let files = files.filter(|source| source.path.starts_with("proto/proto/plugin"));
    let generated_from: BTreeSet<String> = files.map(|source| declarations(&source.text)).collect();
    assert_eq!(generated_from.len(), 3, "go-plugin has three services of its own");
    assert_eq!(printed, generated_from);
}

#[test]
fn the_tables_of_parity_are_whole_and_name_tests_that_exist() {
    let tests: String = sources(&[".rs"]).iter().map(test_code).collect();
    for (page, lines) in TABLES {
        println!("{}", check_table(page, lines, &tests));
    }
}

/// Holds a table to its rules, and says what of it has no test.
fn check_table(page: &str, lines: usize, tests: &str) -> String {
    let exists = |name: &str| tests.contains(&format!("fn {name}("));
    let text = fs::read_to_string(root().join(page)).unwrap();
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
    assert_eq!(seen, lines, "{page} has a line for each item");
    hold(&format!("{page}:"), &violations);
    format!("{page}: {} of {lines} lines are not, or not all, tested: {untested:?}", untested.len())
}

/// The catalogue's faults, by sections A to D, F, G and J.
const FAULTS: usize = 77;

#[test]
fn every_fault_has_a_test_that_exists_or_a_reason() {
    let code: String = sources(&[".rs"]).iter().map(test_code).collect();
    let file = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let steps = file("crates/testkit/tests/failpoints/steps.rs");
    let figures = file("crates/testkit/src/bin/outrigger-reliability/figures.rs");
    let exists = |name: &str| match (name.split_once(' '), name.rsplit_once(' ')) {
        (Some(("failpoints", step)), _) => steps.contains(&format!("(\"{step}\", ")),
        (_, Some(("cargo xtask reliability", name))) => {
            figures.contains(&format!("\"{name}\" => "))
        }
        _ => code.contains(&format!("fn {name}(")),
    };
    let page = file("docs/reliability.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| F")?.strip_suffix(" |"));
    let (mut violations, mut seen) = (Vec::new(), BTreeSet::new());
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [fault, happens, shown] = cells[..] else {
            violations.push(format!("three columns are due: {row}"));
            continue;
        };
        let number = fault.split(' ').next().and_then(|number| number.parse::<u32>().ok());
        seen.extend(number);
        let (names, reason) = shown.split_once("; ").unwrap_or((shown, ""));
        let names = if names.starts_with("not tested: ") { "" } else { names };
        let reason = if names.is_empty() { shown } else { reason };
        let quoted = |name: &str| Some(name.strip_prefix('`')?.strip_suffix('`')?.to_owned());
        for name in names.split(", ").filter(|name| !name.is_empty()) {
            if !quoted(name).is_some_and(|name| exists(&name)) {
                violations.push(format!("F{fault}: there is no {name}"));
            }
        }
        if happens.is_empty() || (names.is_empty() && reason.len() < 20) {
            violations.push(format!("F{fault}: what happens, and what shows it?"));
        }
    }
    hold("docs/reliability.md:", &violations);
    assert_eq!(seen.len(), FAULTS, "each fault has a line");
}
