//! Section 5: the main connection and health; and section 11.

use std::time::Duration;

use crate::host::case::{HostCase, table};
use crate::host::fact::Fact;
use crate::host::plan::{Health, Listen, Stream};
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, with};
use crate::report::Verdict;

const BROKER: &str = "plugin.GRPCBroker";
const CONTROLLER: &str = "plugin.GRPCController";
const HEALTH: &str = "grpc.health.v1.Health";
const STDIO: &str = "plugin.GRPCStdio";

/// How long the first call is kept, so that the host is idle.
const IDLE_MS: u64 = 2000;

/// Pings that a host may send in that time.
const PINGS: u32 = 1;

/// What a new connection may measure.
const SETTLED: Duration = Duration::from_millis(300);

/// More than gRPC takes by default.
const LARGE: usize = 5 << 20;

pub(super) const CASES: &[HostCase] = table! {
    "5.5" "connecting-is-limited" Must Any,
    "a plugin that listens and never accepts is given up"
        => Trial { patient: true, ..with(|plan| plan.listen = Listen::Deaf) },
        |seen| { seen.refused()?; seen.no_plugin_left() };

    "5.6" "large-answers-are-taken" Should Greeting,
    "an answer of 5 MiB is taken" => with(|plan| plan.calls.greeting = LARGE), Seen::hosted;

    "5.8" "no-pings-are-sent" Must Any,
    "the host sends no HTTP/2 keepalive pings" => idle(), pings;

    "5.10" "nothing-is-compressed" Must Any,
    "requests are not compressed" => Trial::default(), |seen| {
        let compressed = seen.find(|fact| match fact {
            Fact::Call { path, encoding: Some(encoding) } if encoding != "identity" => {
                Some(format!("{path} has grpc-encoding {encoding}"))
            }
            _ => None,
        });
        compressed.map_or(Ok(()), |(_, seen)| Err(Verdict::fail(seen)))
    };

    "5.11" "headers-of-streams-are-not-waited-for" Must Any,
    "calls are made though the two permanent streams send no response headers"
        => with(|plan| {
            plan.broker_stream = Stream::Silent;
            plan.stdio_stream = Stream::Silent;
        }), Seen::hosted;

    "5.18" "not-serving-is-alive" Must Health,
    "a plugin whose health is NOT_SERVING is hosted"
        => with(|plan| plan.calls.health = Health::NotServing), Seen::hosted;

    "5.19" "health-checks-have-a-deadline" Must Health,
    "a health check that is never answered is given up"
        => with(|plan| plan.calls.health = Health::Hangs), Seen::ended;

    "5.20" "missing-health-is-borne" Should Health,
    "a plugin without the health service is hosted"
        => missing(&[HEALTH]), Seen::hosted;

    "11.1" "missing-services-are-borne" Must NoBroker,
    "a plugin without broker, stdio and controller is hosted"
        => missing(&[BROKER, STDIO, CONTROLLER]), Seen::hosted;

    "11.1" "five-fields-are-enough" Must Plain,
    "a line of five fields is taken" => with(|plan| plan.line.keep = Some(5)), Seen::hosted;
};

/// A plugin without these services.
pub(super) fn missing(services: &[&str]) -> Trial {
    with(|plan| plan.missing = services.iter().map(|name| (*name).to_owned()).collect())
}

/// The host is idle for some time.
pub(super) fn idle() -> Trial {
    with(|plan| plan.calls.first_ms = IDLE_MS)
}

/// Pings while the host is idle: those beside data measure the connection.
fn pings(seen: &Seen) -> Outcome {
    let unary = |path: &str| !path.starts_with("/plugin.");
    let held = seen.find(|fact| match fact {
        Fact::Call { path, .. } if unary(path) => Some(path.clone()),
        _ => None,
    });
    let Some((from, held)) = held else {
        return Err(seen.failed("it made no call"));
    };
    let answered = seen.find(|fact| match fact {
        Fact::Answered { path } if *path == held => Some(()),
        _ => None,
    });
    let until = answered.map_or(seen.end.after, |(at, ())| at);
    let count = |before: Duration| {
        let sent =
            seen.facts().filter(|(at, _)| *at <= before).filter_map(|(_, fact)| match fact {
                Fact::Pings { count } => Some(*count),
                _ => None,
            });
        sent.max().unwrap_or_default()
    };
    let pings = count(until) - count(from + SETTLED);
    if pings <= PINGS {
        return Ok(());
    }
    Err(Verdict::fail(format!("{pings} pings in {IDLE_MS} ms without a call")))
}
