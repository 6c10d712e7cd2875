//! What the demo measured: one flat object.

use std::time::Duration;

use outrigger::PluginStatus;
use serde::Serialize;

use crate::failure::Failure;

/// The object that `--json` prints. Names end in their unit.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) greeting_before: String,
    pub(super) greeting_after: String,
    /// The whole start, as the node sees it.
    pub(super) start_ms: f64,
    pub(super) verify_ms: f64,
    pub(super) unpack_ms: f64,
    pub(super) launch_ms: f64,
    pub(super) handshake_ms: f64,
    pub(super) init_ms: f64,
    pub(super) reload_ms: f64,
    /// From SIGKILL to the next answer.
    pub(super) recovery_ms: f64,
    pub(super) calls_during_reload: u64,
    pub(super) failed_during_reload: u64,
    pub(super) generation: u64,
    pub(super) left_over_processes: u64,
    pub(super) left_over_files: u64,
    pub(super) call_us: CallMicroseconds,
    pub(super) sandbox: &'static str,
}

impl Figures {
    pub(super) fn started(&mut self, status: &PluginStatus) {
        let timings = status.timings;
        self.verify_ms = milliseconds(timings.verify);
        self.unpack_ms = milliseconds(timings.unpack);
        self.launch_ms = milliseconds(timings.launch);
        self.handshake_ms = milliseconds(timings.handshake);
        self.init_ms = milliseconds(timings.initialise);
        self.sandbox = status.sandbox;
    }

    pub(super) fn steps(&self) -> String {
        format!(
            "verify {:.1} ms, unpack {:.1} ms, launch {:.1} ms, handshake {:.1} ms, \
             initialise {:.1} ms, all {:.1} ms",
            self.verify_ms,
            self.unpack_ms,
            self.launch_ms,
            self.handshake_ms,
            self.init_ms,
            self.start_ms
        )
    }

    /// A demo that lost a call or left something behind has failed.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let counts = [
            ("failed calls during the reload", self.failed_during_reload),
            ("processes left over", self.left_over_processes),
            ("files left over", self.left_over_files),
        ];
        match counts.iter().find(|(_, count)| *count > 0) {
            Some((what, count)) => Err(Failure::Failed(format!("{count} {what}"))),
            None => Ok(()),
        }
    }
}

/// How long calls took, in microseconds.
#[derive(Debug, Default, Serialize)]
pub(super) struct CallMicroseconds {
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl CallMicroseconds {
    pub(super) fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |percent: usize| {
            let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
            took.get(index).map_or(0.0, |took| (took.as_secs_f64() * 1e7).round() / 10.0)
        };
        Self { p50: at(50), p99: at(99) }
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    // Microseconds are as fine as anybody can use them.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_from_the_sorted_list() {
        let took = (1..=100).rev().map(Duration::from_micros).collect();
        let CallMicroseconds { p50, p99 } = CallMicroseconds::of(took);
        assert!((p50 - 51.0).abs() < 1e-6 && (p99 - 100.0).abs() < 1e-6, "{p50} {p99}");
    }

    #[test]
    fn a_lost_call_or_a_left_over_is_a_failure() {
        assert!(Figures::default().verdict().is_ok());
        let lost = Figures { failed_during_reload: 1, ..Figures::default() };
        assert!(lost.verdict().is_err());
        let left = Figures { left_over_files: 2, ..Figures::default() };
        assert_eq!(left.verdict().unwrap_err().to_string(), "2 files left over");
    }
}
