//! Section 9: shutdown and death; what of sections 5 and 12 is about them.

use std::time::Duration;

use crate::host::case::{HostCase, table};
use crate::host::fact::Fact;
use crate::host::plan::End;
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, with};
use crate::report::Verdict;

use super::connection::missing;

const SHUTDOWN: &str = "/plugin.GRPCController/Shutdown";

/// From the request to a host's end, whatever the plugin does: the 2 s that
/// hosts give, and as much again and more for slow machines.
const STOP: Duration = Duration::from_secs(8);

pub(super) const CASES: &[HostCase] = table! {
    "9.1" "plugin-is-asked-first" Must Any,
    "Shutdown is called, and no signal is sent to a plugin that ends at once"
        => Trial::default(), |seen| { asked(seen)?; ended_by_itself(seen) };

    "9.1" "plugin-is-given-time" Must Any,
    "a plugin that needs a second to end is not ended by force"
        => end(End::Slowly), |seen| { asked(seen)?; ended_by_itself(seen) };

    "9.2" "plugin-without-a-controller-is-ended" Must Any,
    "a plugin that cannot be asked is ended" => missing(&["plugin.GRPCController"]),
        Seen::no_plugin_left;

    "5.26" "broken-answer-to-shutdown-is-good" Must Any,
    "a connection that breaks instead of an answer to Shutdown is no failure"
        => end(End::Breaking), |seen| { asked(seen)?; seen.hosted() };

    "9.3" "plugin-that-ignores-shutdown-is-ended" Must Any,
    "a plugin that answers Shutdown and stays is ended, and the host within 8 s"
        => end(End::Never), stopped_in_time;

    "5.27" "shutdown-has-a-deadline" Must Any,
    "a plugin that never answers Shutdown is ended, and the host within 8 s"
        => end(End::Mute), stopped_in_time;

    "9.3" "stopped-plugin-is-ended" Must Any,
    "a plugin that is stopped (SIGSTOP) is ended, and the host within 8 s"
        => end(End::Stopped), stopped_in_time;

    "9.8" "held-pipes-do-not-delay-the-host" Must Any,
    "the host ends within 8 s though a process that the plugin left holds its output"
        => with(|plan| plan.grandchild = true), |seen| {
            let ended = seen.plugins.first().and_then(|plugin| plugin.ended).unwrap_or_default();
            seen.started()?;
            seen.ended_within(STOP, ended, "the plugin's end")
        };

    "9.9" "death-fails-calls-at-once" Must Any,
    "a plugin that dies during a call fails that call, and the host, within 8 s"
        => with(|plan| plan.calls.die = Some(23)), |seen| {
            let ended = seen.plugins.first().and_then(|plugin| plugin.ended).unwrap_or_default();
            seen.refused()?;
            seen.ended_within(STOP, ended, "the plugin's end")
        };

    "9.12" "descendants-are-ended" Should Any,
    "a process that the plugin started is ended with it"
        => with(|plan| plan.grandchild = true), |seen| {
            seen.started()?;
            match seen.plugins.first().and_then(|plugin| plugin.grandchild_lived) {
                Some(true) => Err(Verdict::fail("it was still there after the host had ended")),
                _ => Ok(()),
            }
        };

    "9.14" "nothing-is-left-after-a-stop" Should Any,
    "what the host made for the plugin is removed" => Trial::default(), |seen| {
        seen.started()?;
        seen.no_plugin_left()?;
        seen.nothing_left()
    };

    "9.14" "nothing-is-left-after-a-kill" Should Any,
    "what the host made for a plugin that had to be killed is removed" => end(End::Never), |seen| {
        seen.started()?;
        seen.nothing_left()
    };

    "12.1" "net-rpc-is-refused" Must Any,
    "a plugin that speaks Go's net/rpc, by a line of four fields, is refused"
        => with(|plan| plan.line.keep = Some(4)), Seen::refused;

    "12.1" "net-rpc-is-named" Must Any,
    "the error says that the plugin speaks net/rpc and has to speak gRPC"
        => with(|plan| plan.line.keep = Some(4)),
        |seen| { seen.refused()?; seen.says(&[&["netrpc", "net/rpc"], &["grpc"]]) };

    "12.5" "standard-input-is-not-shared" Should Any,
    "the plugin's standard input is not the host's own" => Trial::default(), |seen| {
        let mut descriptors = seen.started()?.descriptors.iter();
        if descriptors.any(|(number, target)| *number == 0 && *target == seen.streams[0]) {
            return Err(Verdict::fail("it is the host's own"));
        }
        Ok(())
    };
};

fn end(end: End) -> Trial {
    with(|plan| plan.end = end)
}

fn asked(seen: &Seen) -> Outcome {
    seen.started()?;
    seen.ended()?;
    if seen.called(SHUTDOWN).is_some() {
        return Ok(());
    }
    Err(Verdict::fail("Shutdown was not called"))
}

fn ended_by_itself(seen: &Seen) -> Outcome {
    let asked = seen.called(SHUTDOWN).unwrap_or_default();
    for (at, fact) in seen.facts() {
        match fact {
            Fact::Signal { name } => {
                let after = at.saturating_sub(asked).as_secs_f64();
                return Err(Verdict::fail(format!("SIG{name} came {after:.1} s after Shutdown")));
            }
            Fact::Ending { .. } => return Ok(()),
            _ => {}
        }
    }
    Err(Verdict::fail("it was killed before it had ended by itself"))
}

fn stopped_in_time(seen: &Seen) -> Outcome {
    asked(seen)?;
    let asked = seen.called(SHUTDOWN).unwrap_or_default();
    seen.ended_within(STOP, asked, "Shutdown")?;
    seen.no_plugin_left()
}
