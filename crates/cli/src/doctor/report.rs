//! What was looked at, and what came of it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::failure::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Ok,
    /// It works, with less than it could have.
    Warning,
    Failed,
    NotApplicable,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "WARNING",
            Self::Failed => "FAILED",
            Self::NotApplicable => "-",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) result: Outcome,
    /// What was found.
    pub(super) seen: String,
    /// What to do; empty where nothing is to be done.
    pub(super) remedy: String,
}

/// All of them, in their order.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Check>);

impl Report {
    pub(super) fn ok(&mut self, name: impl Into<String>, seen: impl Into<String>) {
        self.add(name.into(), Outcome::Ok, seen.into(), "");
    }

    pub(super) fn warn(&mut self, name: impl Into<String>, seen: impl Into<String>, remedy: &str) {
        self.add(name.into(), Outcome::Warning, seen.into(), remedy);
    }

    pub(super) fn fail(&mut self, name: impl Into<String>, seen: impl Into<String>, remedy: &str) {
        self.add(name.into(), Outcome::Failed, seen.into(), remedy);
    }

    pub(super) fn skip(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.add(name.into(), Outcome::NotApplicable, why.into(), "");
    }

    fn add(&mut self, name: String, result: Outcome, seen: String, remedy: &str) {
        // File names and a plugin's texts are in it.
        let seen = seen.replace(char::is_control, " ");
        self.0.push(Check { name, result, seen, remedy: remedy.to_owned() });
    }

    #[cfg(test)]
    pub(super) fn checks(&self) -> &[Check] {
        &self.0
    }

    /// Prints it, and says whether all is well.
    pub(super) fn show(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            println!("{}", serde_json::to_string(&self.0)?);
        } else {
            print!("{}", self.table());
        }
        match self.count(Outcome::Failed) {
            0 => Ok(()),
            failed => Err(Failure::Failed(format!("{failed} checks failed; do what they say"))),
        }
    }

    fn count(&self, result: Outcome) -> usize {
        self.0.iter().filter(|check| check.result == result).count()
    }

    fn table(&self) -> String {
        let width = self.0.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        let mut table = String::new();
        for Check { name, result, seen, remedy } in &self.0 {
            // Writing to a text cannot fail.
            let _infallible = writeln!(table, "{name:width$}  {:7}  {seen}", result.word());
            if !remedy.is_empty() {
                let _infallible = writeln!(table, "{:width$}  -> {remedy}", "");
            }
        }
        let (failed, warnings) = (self.count(Outcome::Failed), self.count(Outcome::Warning));
        let _infallible =
            writeln!(table, "\n{} checks, {failed} failed, {warnings} warnings", self.0.len());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_to_do_and_the_verdict_counts_failures_alone() {
        let mut report = Report::default();
        report.ok("clock", "it is set");
        report.warn("a", "odd\nname", "rename it");
        report.skip("central", "none");
        assert!(report.show(true).is_ok());
        assert_eq!(
            report.table(),
            "clock    ok       it is set\na        WARNING  odd name\n         -> rename it\n\
             central  -        none\n\n3 checks, 0 failed, 1 warnings\n"
        );
        report.fail("key", "expired", "make another");
        let failure = report.show(true).unwrap_err().to_string();
        assert!(failure.contains("1 checks failed"), "{failure}");
    }
}
