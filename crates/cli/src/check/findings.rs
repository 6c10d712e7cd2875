//! What was found out about a file, in the forms of a plugin's report.

use std::error::Error;
use std::fmt::{Display, Write as _};

use serde_json::{Value, json};

use crate::failure::{Failure, chain};

/// One thing that was looked at.
struct Case {
    name: String,
    expected: &'static str,
    result: Outcome,
}

enum Outcome {
    /// With what is worth a note, or nothing.
    Pass(String),
    Fail(String),
    /// Why not.
    NotApplicable(&'static str),
}

impl Outcome {
    const fn word(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Fail(_) => "fail",
            Self::NotApplicable(_) => "not-applicable",
        }
    }

    fn seen(&self) -> &str {
        match self {
            Self::Pass(seen) | Self::Fail(seen) => seen,
            Self::NotApplicable(why) => why,
        }
    }
}

/// All that was looked at, in its order.
pub(super) struct Findings {
    subject: String,
    cases: Vec<Case>,
}

impl Findings {
    pub(super) fn new(subject: &dyn Display) -> Self {
        Self { subject: subject.to_string(), cases: Vec::new() }
    }

    pub(super) fn pass(&mut self, name: impl Into<String>, expected: &'static str) {
        self.note(name, expected, String::new());
    }

    pub(super) fn note(&mut self, name: impl Into<String>, expected: &'static str, seen: String) {
        self.cases.push(Case { name: name.into(), expected, result: Outcome::Pass(seen) });
    }

    pub(super) fn fail(&mut self, name: impl Into<String>, expected: &'static str, seen: String) {
        self.cases.push(Case { name: name.into(), expected, result: Outcome::Fail(seen) });
    }

    pub(super) fn not_applicable(
        &mut self,
        name: impl Into<String>,
        expected: &'static str,
        why: &'static str,
    ) {
        let result = Outcome::NotApplicable(why);
        self.cases.push(Case { name: name.into(), expected, result });
    }

    /// A pass, or a failure by an error, whose value goes on.
    pub(super) fn take<T, E: Error + 'static>(
        &mut self,
        name: impl Into<String>,
        expected: &'static str,
        outcome: Result<T, E>,
    ) -> Option<T> {
        match outcome {
            Ok(value) => {
                self.pass(name, expected);
                Some(value)
            }
            Err(error) => {
                self.fail(name, expected, chain(&error));
                None
            }
        }
    }

    /// A failure for what is wrong, if anything is.
    pub(super) fn none(
        &mut self,
        name: impl Into<String>,
        expected: &'static str,
        wrong: &[impl Display],
    ) {
        let seen: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        if seen.is_empty() {
            self.pass(name, expected);
        } else {
            self.fail(name, expected, seen.join("; "));
        }
    }

    pub(super) fn failed(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.result, Outcome::Fail(_))).count()
    }

    /// `{"subject", "cases": [{"name", "result", "expected", "seen"}]}`.
    pub(super) fn to_json(&self) -> Value {
        json!({ "subject": self.subject, "cases": self.cases() })
    }

    /// The cases alone. No rule of the protocol is behind them.
    pub(super) fn cases(&self) -> Vec<Value> {
        let case = |case: &Case| {
            json!({
                "name": case.name,
                "rule": "",
                "strength": "must",
                "result": case.result.word(),
                "expected": case.expected,
                "seen": case.result.seen(),
            })
        };
        self.cases.iter().map(case).collect()
    }

    /// A table for people.
    pub(super) fn to_table(&self) -> String {
        let width = self.cases.iter().map(|case| case.name.len()).max().unwrap_or_default();
        let mut table = String::new();
        for Case { name, expected, result } in &self.cases {
            let word = match result {
                Outcome::Pass(_) => "pass",
                Outcome::Fail(_) => "FAIL",
                Outcome::NotApplicable(_) => "not applicable",
            };
            // Writing to a text cannot fail.
            let _infallible = writeln!(table, "{name:<width$}  {word}");
            if matches!(result, Outcome::Fail(_)) {
                let _infallible = writeln!(table, "      expected  {expected}");
            }
            if !result.seen().is_empty() {
                let _infallible = writeln!(table, "      seen      {}", result.seen());
            }
        }
        let failed = self.failed();
        let _infallible = writeln!(table, "\n{} cases, {failed} failed", self.cases.len());
        table
    }

    /// Prints it, and says whether all is well.
    pub(super) fn show(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            println!("{}", self.to_json());
        } else {
            print!("{}", self.to_table());
        }
        super::verdict(self.failed())
    }
}
