//! The table of cases in docs/conformance.md is the code's.

use outrigger_conformance::Strength;
use outrigger_conformance::plugin;
use outrigger_testkit::artifacts;

/// The table as the book has it. `UPDATE_BOOK=1` writes it.
#[test]
fn the_book_lists_the_cases_as_they_are() {
    let path = artifacts::repository().join("docs/conformance.md");
    let book = std::fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- cases of a plugin -->\n", "<!-- end -->");
    let (before, rest) = book.split_once(start).unwrap();
    let (table, after) = rest.split_once(end).unwrap();
    let mut expected =
        "| rule | case | holds if | concerns |\n| --- | --- | --- | --- |\n".to_owned();
    for case in plugin::cases() {
        let advice = if case.strength == Strength::Should { " *(advice)*" } else { "" };
        let needs = case.needs.join(", ");
        let row =
            format!("| {} | `{}` | {}{advice} | {needs} |\n", case.rule, case.name, case.expected);
        expected.push_str(&row);
    }
    if std::env::var_os("UPDATE_BOOK").is_some() {
        std::fs::write(&path, format!("{before}{start}{expected}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(table, expected, "run this test with UPDATE_BOOK=1");
}
