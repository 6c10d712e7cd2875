//! How a plugin is kept alive, and how much may be asked of it at a time.

use std::time::Duration;

use outrigger_types::InstanceName;

/// When a plugin that failed is started again. Key `restart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestartPolicy {
    /// Failures within [`window`](Self::window) that open the circuit. Key
    /// `failures`; default 5.
    pub failures: u32,
    /// Key `window`; default 60 s.
    pub window: Duration,
    /// Failures within an hour that open it too. Key `failuresPerHour`; default
    /// 10.
    pub failures_per_hour: u32,
    /// The second restart's longest delay, which doubles with each further one;
    /// the first restart is immediate. Key `backoff`; default 100 ms; zero never
    /// waits.
    pub backoff: Duration,
    /// The longest of those delays. Key `backoffLimit`; default 30 s.
    pub backoff_limit: Duration,
    /// From the circuit's opening to the first probe, doubling after. Key
    /// `probe`; default 60 s.
    pub probe: Duration,
    /// The longest time between two probes. Key `probeLimit`; default 5 min.
    pub probe_limit: Duration,
    /// Whether too many failures open the circuit at all. Key `circuit`; default
    /// true.
    pub circuit: bool,
    /// What else is restarted with it. Key `strategy`.
    pub strategy: Strategy,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            failures: 5,
            window: Duration::from_secs(60),
            failures_per_hour: 10,
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_secs(30),
            probe: Duration::from_secs(60),
            probe_limit: Duration::from_secs(300),
            circuit: true,
            strategy: Strategy::OneForOne,
        }
    }
}

/// What is restarted when a plugin died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// `"one-for-one"`: that plugin.
    #[default]
    OneForOne,
    /// `"rest-for-one"`: once it serves again, those that are started after it
    /// too, by their key `after`, in that order.
    RestForOne,
}

/// How much may be asked of a plugin at a time. Key `calls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallBounds {
    /// Calls under way. Key `inFlight`; default 2,048.
    pub in_flight: u32,
    /// Calls that wait, for one of those to end or for a generation; further ones
    /// are refused. Key `queue`; default 256.
    pub queue: u32,
    /// How long a call waits for the next generation after a death. Key `wait`;
    /// default zero, which fails it at once.
    pub wait: Duration,
    /// How often a call of a method that is declared idempotent is made again after
    /// its generation ended: on the next one, which a spare has at once and `wait`
    /// waits for. Key `retries`; default 0, at most 2. Ten calls must be answered
    /// for each, but for the first ten.
    pub retries: u32,
    /// When a method that does not answer is not called for a while. Key
    /// `outlier`.
    pub outlier: OutlierPolicy,
}

impl Default for CallBounds {
    fn default() -> Self {
        let outlier = OutlierPolicy::default();
        Self { in_flight: 2_048, queue: 256, wait: Duration::ZERO, retries: 0, outlier }
    }
}

/// When a method that does not answer is not called for a while, so that its
/// callers fail at once. Key `calls.outlier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutlierPolicy {
    /// Calls in a row that got no answer within `timeouts.call`, or whose
    /// connection broke. Key `failures`; default 5; 0 switches it off.
    pub failures: u32,
    /// For how long, the first time; once more of it each further time. Key
    /// `close`; default 1 s.
    pub close: Duration,
    /// The longest. Key `closeLimit`; default 30 s.
    pub close_limit: Duration,
}

impl Default for OutlierPolicy {
    fn default() -> Self {
        Self { failures: 5, close: Duration::from_secs(1), close_limit: Duration::from_secs(30) }
    }
}

/// The instances that a plugin is started after, and stopped before. Key `after`.
pub type After = Vec<InstanceName>;
