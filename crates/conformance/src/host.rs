//! `outrigger check --host`: presents fixture plugins to a host, in any
//! language, and says what that host got wrong.
//!
//! The host is a command that starts the plugin which it is given, uses it, and
//! stops it. It is run once a case, with a plugin that does one thing that the
//! rules ask hosts to bear, or that only watches. That plugin is the caller's
//! own executable ([`fixture_hook`]); it tells the kit over a socket what it
//! sees, and the kit sees the rest: the host's exit, output and time, and what
//! it leaves behind.

mod case;
mod cases;
mod certificate;
mod fact;
mod fixture;
mod plan;
mod plugins;
mod process;
mod run;
mod script;
mod seen;
mod subject;
mod trial;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::plugin::{Options, Progress};
use crate::report::{Case, Report, Verdict};
use case::HostCase;
pub use case::cases;
pub use fixture::{FIXTURE_COMMAND, fixture_hook};
use run::run;
use seen::Habits;
pub use subject::{CheckError, Subject};
use trial::Trial;

/// Runs the host once a case and reports what came of it, in the cases' own
/// order. `progress` hears of each that is done. Several cases wait for the
/// host's own time limits.
///
/// It must run on a tokio runtime with its I/O and time drivers. The host runs
/// in a process group of its own, so it does not hear a Ctrl-C.
///
/// # Errors
///
/// [`CheckError`] when the command cannot be run, or does not even host a
/// plugin that does nothing wrong.
///
/// # Cancel safety
///
/// Dropping the future kills the host and the plugins that it started.
pub async fn check(
    subject: Subject,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<Report, CheckError> {
    let chosen = chosen(&options.only)?;
    let subject = Arc::new(subject);
    let first = run(&subject, &Trial::default()).await?;
    let habits = Arc::new(Habits::of(&first)?);

    let (total, strict) = (chosen.len(), options.strict);
    let mut verdicts: Vec<Option<Verdict>> = vec![None; total];
    let mut waiting = chosen.iter().copied().enumerate();
    let mut running = JoinSet::new();
    let mut done = 0;
    loop {
        while running.len() < options.jobs.max(1)
            && let Some((index, case)) = waiting.next()
        {
            let (subject, habits) = (subject.clone(), habits.clone());
            running.spawn(async move { (index, verdict(case, &subject, &habits, strict).await) });
        }
        let Some(finished) = running.join_next().await else { break };
        // A case that panicked stays without a verdict.
        let Ok((index, verdict)) = finished else { continue };
        verdicts[index] = Some(verdict?);
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
    Ok(Report { subject: subject.name(), cases: cases.collect() })
}

fn chosen(only: &[String]) -> Result<Vec<&'static HostCase>, CheckError> {
    for name in only {
        if !case::all().any(|case| case.is_called(name)) {
            return Err(CheckError::NoSuchCase(name.clone()));
        }
    }
    let wanted = |case: &&HostCase| only.is_empty() || only.iter().any(|name| case.is_called(name));
    Ok(case::all().filter(wanted).collect())
}

async fn verdict(
    case: &'static HostCase,
    subject: &Subject,
    habits: &Habits,
    strict: bool,
) -> Result<Verdict, CheckError> {
    if let Some(why) = case.needs.unmet(subject, habits) {
        return Ok(Verdict::not_applicable(why));
    }
    let seen = run(subject, &(case.trial)()).await?;
    Ok(match seen.not_crashed().and_then(|()| (case.judge)(&seen)) {
        Ok(()) => Verdict::Pass,
        Err(Verdict::Fail(seen)) => Verdict::short(case.strength, strict, seen),
        Err(other) => other,
    })
}
