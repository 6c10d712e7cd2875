//! The conformance kit: it passes what is right, in every language, and fails
//! what is wrong with the case that is about it.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

mod book;
mod command;
mod right;
mod wrong;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use outrigger_conformance::plugin::{self, Options, Subject};
use outrigger_conformance::{Report, Verdict};
use outrigger_sdk::quorum;

/// Cases of one check that run at once: most of them wait for something.
const JOBS: usize = 8;

/// More than any fixture takes on a busy machine.
const START: Duration = Duration::from_secs(30);

/// Holds a program to all cases, or to some.
async fn check(program: &Path, arguments: &[&str], only: &[&str]) -> Report {
    let subject = Subject {
        name: program.display().to_string(),
        program: program.to_owned(),
        arguments: arguments.iter().map(Into::into).collect(),
        directory: std::env::temp_dir(),
        cookie: (quorum::COOKIE_KEY.to_owned(), quorum::COOKIE_VALUE.to_owned()),
        versions: vec![1],
        start_timeout: START,
    };
    let only = only.iter().map(|name| (*name).to_owned()).collect();
    let options = Options { only, strict: true, jobs: JOBS };
    plugin::check(subject, &options, |_| ()).await.unwrap()
}

/// The names of the cases with a certain verdict.
fn names(report: &Report, is: impl Fn(&Verdict) -> bool) -> BTreeSet<&'static str> {
    report.cases.iter().filter(|case| is(&case.verdict)).map(|case| case.name).collect()
}

fn failed(report: &Report) -> BTreeSet<&'static str> {
    names(report, |verdict| matches!(verdict, Verdict::Fail(_)))
}

/// Failures that a check which is not strict counts.
fn broken(report: &Report) -> BTreeSet<&'static str> {
    let failed = failed(report);
    let must = |name: &&str| {
        plugin::cases().any(|case| {
            case.name == *name && case.strength == outrigger_conformance::Strength::Must
        })
    };
    failed.into_iter().filter(must).collect()
}
