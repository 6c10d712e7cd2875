//! Runs the cases, a few at a time, each with a directory and a deadline.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Subject;
use super::bench::Bench;
use super::cases::{self, PluginCase, THE_LINE_COMES};
use super::outcome::Shortfall;
use super::survey::Survey;
use crate::report::{Case, Report, Verdict};

/// No case takes longer, beside the subject's own time to start.
const LONGEST_CASE: Duration = Duration::from_secs(60);

/// A case starts its subject at most so many times.
const LAUNCHES: u32 = 8;

/// How a check is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of cases, rules (`4.5`) or sections (`4`); all cases without any.
    pub only: Vec<String>,
    /// Whether what falls short of advice fails.
    pub strict: bool,
    /// How many cases run at once, at least one.
    pub jobs: usize,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Cases that are done.
    pub done: usize,
    /// Cases in all.
    pub total: usize,
    /// The name of the case that was done last.
    pub name: &'static str,
}

/// A check that could not be made. What the subject does wrong is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no such case.
    #[error("no case, rule or section with cases is called `{0}`; list them all to see which are")]
    NoSuchCase(String),
    /// There is no place for sockets.
    #[error("no directory for sockets could be made in the temporary directory: {0}")]
    Directory(#[source] std::io::Error),
}

/// Drives the subject through the cases and reports what came of them, in the
/// cases' own order. `progress` hears of each that is done.
///
/// It must run on a tokio runtime with its I/O and time drivers. Processes of
/// the subject run in groups of their own, so they do not hear a Ctrl-C.
///
/// # Errors
///
/// [`CheckError`].
///
/// # Cancel safety
///
/// Dropping the future kills all processes of the subject.
pub async fn check(
    subject: Subject,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<Report, CheckError> {
    let chosen = chosen(&options.only)?;
    let directory = tempfile::Builder::new().prefix("okit").tempdir();
    let directory = directory.map_err(CheckError::Directory)?;
    let subject = Arc::new(subject);
    let survey = Arc::new(Survey::of(&subject, &directory.path().join("survey")).await);

    let total = chosen.len();
    let mut verdicts: Vec<Option<Verdict>> = vec![None; total];
    let mut waiting = chosen.iter().copied().enumerate();
    let mut running = JoinSet::new();
    let mut done = 0;
    loop {
        while running.len() < options.jobs.max(1)
            && let Some((index, case)) = waiting.next()
        {
            let place = directory.path().join(index.to_string());
            let bench = Bench::new(subject.clone(), survey.clone(), place.clone());
            let strict = options.strict;
            running.spawn(async move { (index, verdict(case, &bench, strict, &place).await) });
        }
        let Some(finished) = running.join_next().await else { break };
        // A case that panicked stays without a verdict.
        let Ok((index, verdict)) = finished else { continue };
        verdicts[index] = Some(verdict);
        done += 1;
        progress(Progress { done, total, name: chosen[index].name });
    }
    let broken = || Verdict::fail("the kit itself failed here; this is a fault of the kit");
    let cases = chosen.iter().zip(verdicts).map(|(case, verdict)| Case {
        rule: case.rule,
        name: case.name,
        strength: case.strength,
        expected: case.expected.to_owned(),
        verdict: verdict.unwrap_or_else(broken),
    });
    Ok(Report { subject: subject.name.clone(), cases: cases.collect() })
}

fn chosen(only: &[String]) -> Result<Vec<&'static PluginCase>, CheckError> {
    for name in only {
        if !cases::all().any(|case| case.is_called(name)) {
            return Err(CheckError::NoSuchCase(name.clone()));
        }
    }
    let wanted =
        |case: &&PluginCase| only.is_empty() || only.iter().any(|name| case.is_called(name));
    Ok(cases::all().filter(wanted).collect())
}

async fn verdict(case: &PluginCase, bench: &Bench, strict: bool, place: &Path) -> Verdict {
    if let Some(why) = unconcerned(case, &bench.survey) {
        return Verdict::not_applicable(why);
    }
    let limit = LONGEST_CASE + bench.subject.start_timeout * LAUNCHES;
    let outcome = tokio::time::timeout(limit, (case.run)(bench)).await;
    // Its processes are gone; what they left goes with the whole directory
    // otherwise.
    let _left = std::fs::remove_dir_all(place);
    match outcome {
        Ok(Ok(())) => Verdict::Pass,
        Ok(Err(Shortfall::Seen(seen))) => Verdict::short(case.strength, strict, seen),
        Ok(Err(Shortfall::NotApplicable(why))) => Verdict::NotApplicable(why),
        Err(_) => Verdict::short(case.strength, strict, format!("it took longer than {limit:?}")),
    }
}

fn unconcerned(case: &PluginCase, survey: &Survey) -> Option<String> {
    if survey.no_line.is_some() {
        let first = case.name == THE_LINE_COMES;
        return (!first).then(|| format!("no handshake line came; see {THE_LINE_COMES}"));
    }
    let missing = case.needs.iter().find(|need| !survey.has(**need));
    missing.map(|need| need.missing().to_owned())
}
