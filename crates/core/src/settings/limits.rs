//! Time limits and size limits, with their defaults.

use std::time::Duration;

/// Time limits of a provider. In settings each is a text with its unit, such as
/// `"250ms"` or `"10s"`, of 24 hours at most.
///
/// The keys are the fields' names in camelCase (`healthInterval`), in TOML with
/// a capital first letter (`HealthInterval`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From the launch to a complete handshake. Default 60 s.
    pub start: Duration,
    /// The plugin's initialisation. Default 30 s.
    pub initialise: Duration,
    /// Between the start of one health check and the next. Default 1 s.
    pub health_interval: Duration,
    /// For the answer to one health check. Default 1 s.
    pub health_timeout: Duration,
    /// How many checks must fail in a row before the plugin counts as hung; a
    /// number. Default 3.
    pub health_misses: u32,
    /// For calls in flight to end before a generation is stopped. Default 10 s;
    /// zero does not wait.
    pub drain: Duration,
    /// First rung of stopping: from the request to shut down to SIGTERM.
    /// Default 2 s.
    pub shutdown: Duration,
    /// Second rung: from SIGTERM to SIGKILL. Default 1 s.
    pub terminate: Duration,
    /// Third rung: from SIGKILL to giving the process up. Default 0.5 s.
    pub kill: Duration,
    /// How long after a reload the death of the new generation brings the one
    /// before back. Default 10 s; zero never does.
    pub probation: Duration,
    /// Deadline of a call whose caller sets none. Default 5 s.
    pub call: Duration,
    /// How long a call waits while an exclusive reload runs. Default 2 s; zero
    /// fails it at once.
    pub reload_queue: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(60),
            initialise: Duration::from_secs(30),
            health_interval: Duration::from_secs(1),
            health_timeout: Duration::from_secs(1),
            health_misses: 3,
            drain: Duration::from_secs(10),
            shutdown: Duration::from_secs(2),
            terminate: Duration::from_secs(1),
            kill: Duration::from_millis(500),
            probation: Duration::from_secs(10),
            call: Duration::from_secs(5),
            reload_queue: Duration::from_secs(2),
        }
    }
}

/// How large a distribution may be. Sizes are bytes, in settings a text with
/// its unit, such as `"64MiB"`; the others are numbers. None may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnpackLimits {
    /// The zip file. Default 256 MiB.
    pub archive_size: u64,
    /// All files together, unpacked. Default 512 MiB.
    pub total_size: u64,
    /// One file, unpacked. Default 256 MiB.
    pub file_size: u64,
    /// `plugin-meta.json`. Default 64 KiB.
    pub metadata_size: u64,
    /// Entries in the archive. Default 20,000.
    pub entries: u64,
    /// Components of an entry's path. Default 32.
    pub depth: u64,
    /// How many times larger than its packed form a file may be. Default 100.
    pub ratio: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * KIB;
        Self {
            archive_size: 256 * MIB,
            total_size: 512 * MIB,
            file_size: 256 * MIB,
            metadata_size: 64 * KIB,
            entries: 20_000,
            depth: 32,
            ratio: 100,
        }
    }
}
