//! What a host counts: one table of names, for the code that counts, for whoever
//! exports, and for the documents.
//!
//! All of it goes through the `metrics` facade, so that the node's own recorder
//! has it. Labels are bounded: instances, methods of interfaces, and words of ours.

use metrics::Unit;

mod listening;
mod tree;

pub(crate) use listening::{Whose, whose};
pub(crate) use tree::Processes;

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// Only rises, but for a new start of what is counted.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often what took how long.
    Histogram,
}

impl MetricKind {
    /// As Prometheus calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, with its unit at the end.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it is.
    pub help: &'static str,
}

macro_rules! table {
    ($($(#[$doc:meta])* $constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric = Metric {
                name: $name,
                kind: MetricKind::$kind,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// All of them, in the order in which they are documented.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

table! {
    CALLS = Counter "outrigger_calls_total" ["plugin", "method", "code"]
        "Calls that ended, by `ok` or what they failed with; an answer that breaks the interface's rules is both.";
    CALL_SECONDS = Histogram "outrigger_call_duration_seconds" ["plugin", "method"]
        "From the start of a call that was answered to its end.";
    CALLS_IN_FLIGHT = Gauge "outrigger_calls_in_flight" ["plugin", "method"]
        "Calls that a generation has.";
    CALLS_QUEUED = Gauge "outrigger_calls_queued" ["plugin", "method"]
        "Calls that wait, for a place or for the next generation.";
    CALLS_REFUSED = Counter "outrigger_calls_refused_total" ["plugin", "method", "reason"]
        "Calls that were refused before they reached the plugin.";
    CALLS_REPEATED = Counter "outrigger_calls_repeated_total" ["plugin", "method"]
        "Calls that were made again after their generation ended.";

    UP = Gauge "outrigger_plugin_up" ["plugin"]
        "1 while a generation serves.";
    STATE = Gauge "outrigger_plugin_state" ["plugin", "state"]
        "1 for the state that the instance is in.";
    STATE_SINCE = Gauge "outrigger_plugin_state_change_timestamp_seconds" ["plugin"]
        "When the instance came into its state.";
    GENERATION = Gauge "outrigger_plugin_generation" ["plugin"]
        "The generation that serves, or 0.";
    INFO = Gauge "outrigger_plugin_info" ["plugin", "interface", "name", "version", "sandbox", "security"]
        "1 for the version that serves, and for how it is confined and connected.";
    SPARE = Gauge "outrigger_plugin_spare_ready" ["plugin"]
        "1 while a spare stands ready.";
    HEALTHY = Gauge "outrigger_plugin_healthy" ["plugin"]
        "1 if the last health check was answered, 0 if it was missed.";
    FAILURES = Counter "outrigger_plugin_failures_total" ["plugin", "reason"]
        "Deaths, hangs and failed attempts to start.";
    RESTARTS = Counter "outrigger_plugin_restarts_total" ["plugin", "reason"]
        "Generations that took the place of one that had failed, by what it had failed with.";
    START_SECONDS = Gauge "outrigger_plugin_start_duration_seconds" ["plugin", "phase"]
        "What each phase of the serving generation's start took.";
    RELOADS = Counter "outrigger_reloads_total" ["plugin", "result"]
        "Reloads that ended, and how.";
    RELOAD_SECONDS = Histogram "outrigger_reload_duration_seconds" ["plugin"]
        "From the start of a reload that succeeded to the switch of its calls.";
    CERTIFICATE = Gauge "outrigger_plugin_certificate_expiry_timestamp_seconds" ["plugin"]
        "When the certificate that the plugin made for its generation, or the host's own where TLS was given, expires, or 0.";

    MEMORY = Gauge "outrigger_plugin_resident_memory_bytes" ["plugin"]
        "Resident memory of the plugin's processes; what they share counts for each.";
    CPU = Gauge "outrigger_plugin_cpu_seconds" ["plugin"]
        "Processor time of the plugin's processes, and of those that they waited for.";
    DESCRIPTORS = Gauge "outrigger_plugin_open_fds" ["plugin"]
        "Open file descriptors of the plugin's processes.";
    THREADS = Gauge "outrigger_plugin_threads" ["plugin"]
        "Threads of the plugin's processes.";
    PROCESSES = Gauge "outrigger_plugin_processes" ["plugin"]
        "The plugin's processes, its launcher among them.";
    LOG_LINES = Counter "outrigger_plugin_log_lines_total" ["plugin", "level"]
        "Lines that the plugin logged, by its own level.";
    LOG_CUT = Counter "outrigger_plugin_log_lines_cut_total" ["plugin"]
        "Lines of which only the first 4 KiB were kept to be shown.";
    LOG_LOST = Counter "outrigger_plugin_log_lines_lost_total" ["plugin"]
        "Lines that somebody who followed the log read too slowly to get.";

    MESSAGES_WAITING = Gauge "outrigger_actor_messages_waiting" ["actor"]
        "Messages that an actor has not begun with: `manager`, or `plugin:` and an instance.";
    MESSAGE_SECONDS = Histogram "outrigger_actor_queue_duration_seconds" ["actor"]
        "How long a message waited for its actor: `manager`, or `plugin` for all instances.";
    INSTANCES = Gauge "outrigger_instances" []
        "Instances that the settings name.";
    BUILD = Gauge "outrigger_build_info" ["version"]
        "1 for the version of the host.";
}

/// Tells the recorder what each of them is.
pub fn describe() {
    for metric in ALL {
        let unit = if metric.name.ends_with("_bytes") { Unit::Bytes } else { Unit::Count };
        let unit = if metric.name.contains("_seconds") { Unit::Seconds } else { unit };
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_follow_the_practice_of_prometheus_and_occur_once() {
        let mut names = BTreeSet::new();
        for Metric { name, kind, labels, help } in ALL {
            assert!(names.insert(name), "{name} is there twice");
            assert!(name.starts_with("outrigger_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(*kind == MetricKind::Counter, name.ends_with("_total"), "{name}");
            if *kind == MetricKind::Histogram {
                assert!(name.ends_with("_seconds"), "{name}");
            }
            assert!(labels.len() < 7 && help.ends_with('.'), "{name}");
        }
    }
}
