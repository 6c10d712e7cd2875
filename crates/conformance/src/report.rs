//! What came out: cases, their verdicts, and the two forms that people and
//! programs read.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

/// How strongly a case binds its subject: never more than its rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// A subject that falls short fails.
    Must,
    /// A subject that falls short passes with a note, and fails a strict check.
    Should,
}

impl Strength {
    /// `must` or `should`, as the JSON form says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
        }
    }
}

/// What was found out about one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the rule says.
    Pass,
    /// It is not as the rule advises, which no peer has to mind; what was seen
    /// instead.
    Noted(String),
    /// It is not; what was seen instead.
    Fail(String),
    /// The rule does not concern this subject; why not.
    NotApplicable(String),
}

impl Verdict {
    /// What falling short of a case of this strength comes to.
    #[must_use]
    pub fn short(strength: Strength, strict: bool, seen: impl Into<String>) -> Self {
        match strength {
            Strength::Should if !strict => Self::Noted(seen.into()),
            Strength::Must | Strength::Should => Self::Fail(seen.into()),
        }
    }

    /// A failure, from what was seen.
    #[must_use]
    pub fn fail(seen: impl Into<String>) -> Self {
        Self::Fail(seen.into())
    }

    /// A case that does not concern this subject.
    #[must_use]
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }

    /// `pass`, `fail` or `not-applicable`, as the JSON form says it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass | Self::Noted(_) => "pass",
            Self::Fail(_) => "fail",
            Self::NotApplicable(_) => "not-applicable",
        }
    }

    /// What was seen, or why it does not apply; empty for a pass.
    #[must_use]
    pub fn seen(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Noted(text) | Self::Fail(text) | Self::NotApplicable(text) => text,
        }
    }
}

/// One case, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The rule's number in `docs/wire-protocol.md`, such as `4.3`.
    pub rule: &'static str,
    /// The case's own name, words joined by hyphens; unique among all cases.
    pub name: &'static str,
    /// How strongly it binds.
    pub strength: Strength,
    /// What the rule asks for, in one line.
    pub expected: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// How many cases ended in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// As the rule says.
    pub passed: usize,
    /// Short of what a rule advises.
    pub noted: usize,
    /// Otherwise.
    pub failed: usize,
    /// Without anything to look at.
    pub not_applicable: usize,
}

/// All cases of one subject, in the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The command line that was checked.
    pub subject: String,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// The pages of the book, by section.
const PAGES: [&str; 12] = [
    "01-launch",
    "02-handshake-line",
    "03-versions",
    "04-tls",
    "05-main-connection",
    "06-broker",
    "07-multiplexed-broker",
    "08-output",
    "09-shutdown",
    "10-reattach-runners",
    "11-versions",
    "12-refused",
];

/// Names of cases that stand on one line.
const NAMES_A_LINE: usize = 4;

#[derive(Serialize)]
struct CaseJson<'a> {
    name: &'a str,
    rule: &'a str,
    strength: &'a str,
    result: &'a str,
    expected: &'a str,
    seen: &'a str,
}

impl Report {
    /// How many cases ended in which way.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            match case.verdict {
                Verdict::Pass => counts.passed += 1,
                Verdict::Noted(_) => counts.noted += 1,
                Verdict::Fail(_) => counts.failed += 1,
                Verdict::NotApplicable(_) => counts.not_applicable += 1,
            }
        }
        counts
    }

    /// Whether no case failed.
    #[must_use]
    pub fn held(&self) -> bool {
        self.counts().failed == 0
    }

    /// `{"subject", "cases": [{"name", "rule", "strength", "result", "expected",
    /// "seen"}]}`. A pass whose `seen` is not empty is one with a note.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let case = |case: &Case| {
            json!(CaseJson {
                name: case.name,
                rule: case.rule,
                strength: case.strength.word(),
                result: case.verdict.word(),
                expected: &case.expected,
                seen: case.verdict.seen(),
            })
        };
        json!({ "subject": self.subject, "cases": self.cases.iter().map(case).collect::<Vec<_>>() })
    }

    /// The cases that do not apply, by why not.
    fn unconcerned(&self) -> Vec<(&str, Vec<&str>)> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for case in &self.cases {
            let Verdict::NotApplicable(why) = &case.verdict else { continue };
            match groups.iter_mut().find(|(known, _)| known == why) {
                Some((_, names)) => names.push(case.name),
                None => groups.push((why, vec![case.name])),
            }
        }
        groups
    }

    /// The table and the summary line, for people.
    #[must_use]
    pub fn to_table(&self) -> String {
        let width = self.cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
        let mut table = String::new();
        let mut line = |text: String| {
            table.push_str(text.trim_end());
            table.push('\n');
        };
        for case in &self.cases {
            let head = format!("{:<5} {:<width$}  ", case.rule, case.name);
            match &case.verdict {
                Verdict::Pass => line(format!("{head}pass")),
                Verdict::NotApplicable(_) => {}
                Verdict::Noted(seen) => {
                    line(format!("{head}note"));
                    line(format!("      advised   {}", case.expected));
                    line(format!("      seen      {}", printable(seen)));
                }
                Verdict::Fail(seen) => {
                    line(format!("{head}FAIL"));
                    line(format!("      expected  {}", case.expected));
                    line(format!("      seen      {}", printable(seen)));
                    line(format!("      rule      {}", rule_link(case.rule)));
                }
            }
        }
        for (why, names) in self.unconcerned() {
            line(format!("\nnot applicable, as {}:", printable(why)));
            for names in names.chunks(NAMES_A_LINE) {
                line(format!("      {}", names.join(", ")));
            }
        }
        let Counts { passed, noted, failed, not_applicable } = self.counts();
        let _infallible = writeln!(
            table,
            "\n{passed} passed, {noted} noted, {failed} failed, {not_applicable} not applicable"
        );
        table
    }
}

/// Where a rule is written down: a page of the book, and the number on it.
#[must_use]
pub fn rule_link(rule: &str) -> String {
    let section = rule.split('.').next().and_then(|section| section.parse::<usize>().ok());
    let page = section.and_then(|section| PAGES.get(section.wrapping_sub(1)));
    page.map_or_else(|| rule.to_owned(), |page| format!("docs/wire/{page}.md, {rule}"))
}

/// Text of the subject, made fit for a terminal: escaped, and not endless.
fn printable(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut out: String = text.trim_end().chars().flat_map(escape).take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        out.push('…');
    }
    out
}

fn escape(c: char) -> impl Iterator<Item = char> {
    let control = c.is_control();
    let escaped = control.then(|| c.escape_default()).into_iter().flatten();
    escaped.chain((!control).then_some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let case = |rule, name, verdict| Case {
            rule,
            name,
            strength: Strength::Must,
            expected: "exactly one line".to_owned(),
            verdict,
        };
        Report {
            subject: "./plugin --flag".to_owned(),
            cases: vec![
                case("2.1", "line-is-first", Verdict::Pass),
                case("2.2", "one-line", Verdict::fail("two lines\u{1b}[31m\n")),
                case("6.1", "broker", Verdict::not_applicable("it serves no broker")),
                case("9.5", "status", Verdict::short(Strength::Should, false, "status 1")),
            ],
        }
    }

    #[test]
    fn a_program_reads_what_was_expected_and_what_was_seen() {
        let json = report().to_json();
        assert_eq!(json["subject"], "./plugin --flag");
        let of = |index: usize| (&json["cases"][index]["result"], &json["cases"][index]["seen"]);
        assert_eq!(of(0), (&json!("pass"), &json!("")));
        assert_eq!(of(1), (&json!("fail"), &json!("two lines\u{1b}[31m\n")));
        assert_eq!(of(2), (&json!("not-applicable"), &json!("it serves no broker")));
        assert_eq!(of(3), (&json!("pass"), &json!("status 1")));
        assert_eq!(json["cases"][1]["expected"], "exactly one line");
        assert_eq!(json["cases"][1]["rule"], "2.2");
    }

    #[test]
    fn a_person_reads_the_rule_of_what_failed_and_a_sum() {
        let table = report().to_table();
        assert!(table.contains("2.2   one-line       FAIL\n"), "{table}");
        assert!(table.contains("docs/wire/02-handshake-line.md, 2.2\n"), "{table}");
        assert!(
            table.contains("not applicable, as it serves no broker:\n      broker\n"),
            "{table}"
        );
        assert!(table.ends_with("\n1 passed, 1 noted, 1 failed, 1 not applicable\n"), "{table}");
        assert!(!report().held());
    }

    #[test]
    fn every_section_has_a_page_in_the_book() {
        let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wire");
        for (section, page) in (1..).zip(PAGES) {
            assert!(book.join(format!("{page}.md")).exists(), "{page}");
            assert_eq!(
                rule_link(&format!("{section}.1")),
                format!("docs/wire/{page}.md, {section}.1")
            );
        }
        assert_eq!(rule_link("13.1"), "13.1");
    }

    #[test]
    fn a_strict_check_fails_what_is_short_of_advice() {
        assert_eq!(Verdict::short(Strength::Should, true, "x").word(), "fail");
        assert_eq!(Verdict::short(Strength::Should, false, "x").word(), "pass");
        assert_eq!(Verdict::short(Strength::Must, false, "x").word(), "fail");
    }

    #[test]
    fn a_subject_cannot_write_to_the_terminal() {
        let table = report().to_table();
        assert!(table.contains(r"two lines\u{1b}[31m"), "{table}");
        assert!(!table.contains('\u{1b}'), "{table}");
    }
}
