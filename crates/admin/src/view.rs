//! What the API shows, as JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use outrigger::{
    Applied, CrashReport, DryRun, EventKind, HostEvent, LoggedLine, PluginState, PluginStatus,
    Reloaded, Remote, SecurityMode, Stopped,
};
use outrigger_types::{Generation, InstanceName};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// The words for a state.
struct State;

impl JsonSchema for State {
    fn schema_name() -> Cow<'static, str> {
        "State".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "enum": PluginState::ALL })
    }
}

/// An instance.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    #[schemars(with = "String")]
    instance: InstanceName,
    interface: String,
    name: String,
    version: String,
    #[schemars(with = "State")]
    state: PluginState,
    state_since: String,
    /// Since when the serving generation serves.
    serving_since: Option<String>,
    required: bool,
    #[schemars(with = "Option<u64>")]
    generation: Option<Generation>,
    #[schemars(with = "Option<u64>")]
    spare: Option<Generation>,
    pid: Option<u32>,
    in_flight: u64,
    #[schemars(with = "Option<String>")]
    security: Option<SecurityMode>,
    sandbox: &'static str,
    failures: u64,
    crashes: usize,
    last_error: Option<String>,
    /// What each part of the serving generation's start took, in milliseconds.
    start_ms: BTreeMap<&'static str, f64>,
}

impl Status {
    /// All instances of a host, in their order.
    #[must_use]
    pub fn all(remote: &Remote) -> Vec<Self> {
        remote.status().iter().map(|status| Self::of(remote, status)).collect()
    }

    /// One of them.
    #[must_use]
    pub fn of(remote: &Remote, status: &PluginStatus) -> Self {
        let in_flight = remote.in_flight(status.instance.as_str()).unwrap_or_default();
        Self {
            instance: status.instance.clone(),
            interface: status.interface.to_string(),
            name: status.name.to_string(),
            version: status.version.to_string(),
            state: status.state,
            state_since: moment(status.state_since),
            serving_since: status.serving_since.map(moment),
            required: status.required,
            generation: status.generation,
            spare: status.spare,
            pid: status.pid,
            in_flight,
            security: status.security,
            sandbox: status.sandbox,
            failures: status.failures,
            crashes: status.crashes.len(),
            last_error: status.last_error.as_deref().map(str::to_owned),
            start_ms: status
                .timings
                .phases()
                .map(|(name, took)| (name, took.as_secs_f64() * 1e3))
                .into(),
        }
    }
}

/// A death.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Crash {
    at: String,
    #[schemars(with = "u64")]
    generation: Generation,
    pid: Option<u32>,
    version: String,
    served_seconds: f64,
    status: Option<String>,
    out_of_memory: bool,
    reason: String,
    last_words: String,
    panic: Option<String>,
    calls: u64,
    lost: BTreeMap<String, u64>,
}

impl Crash {
    /// From a report.
    #[must_use]
    pub fn of(report: &CrashReport) -> Self {
        Self {
            at: moment(report.at),
            generation: report.generation,
            pid: report.pid,
            version: report.version.to_string(),
            served_seconds: report.served.as_secs_f64(),
            status: report.status.map(|status| status.to_string()),
            out_of_memory: report.out_of_memory,
            reason: report.reason.to_string(),
            last_words: report.last_words.clone(),
            panic: report.panic.clone(),
            calls: report.calls,
            lost: report.lost.by_method().into_iter().collect(),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    instance: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    generation: Option<Generation>,
    /// Of a reload, what served when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    from: Option<Generation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<State>")]
    state: Option<PluginState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

impl Event {
    /// What an instance's state is, for whoever saw no change of it.
    pub(crate) fn state(instance: String, state: PluginState) -> Self {
        Self { instance, kind: "state", state: Some(state), ..Self::default() }
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// From an event.
    #[must_use]
    pub fn of(event: &HostEvent) -> Self {
        let blank = || Self { instance: event.instance.to_string(), ..Self::default() };
        let plain = |kind| Self { kind, ..blank() };
        let of = |kind, generation| Self { generation: Some(generation), ..plain(kind) };
        let why = |reason: &str| Some(reason.to_owned());
        match &event.kind {
            EventKind::Started { generation, pid } => {
                Self { pid: *pid, ..of("started", *generation) }
            }
            EventKind::Ready(generation) => of("ready", *generation),
            EventKind::Crashed(generation, reason) => {
                Self { reason: why(reason), ..of("crashed", *generation) }
            }
            EventKind::Reloading { from } => Self { from: *from, ..plain("reloading") },
            EventKind::Reloaded { from, to, took } => {
                let seconds = Some(took.as_secs_f64());
                Self { from: *from, seconds, ..of("reloaded", *to) }
            }
            EventKind::ReloadFailed(reason) => {
                Self { reason: why(reason), ..plain("reload-failed") }
            }
            EventKind::RolledBack(generation) => of("rolled-back", *generation),
            EventKind::Quarantined(reason) => Self { reason: why(reason), ..plain("quarantined") },
            EventKind::SpareReady(generation) => of("spare-ready", *generation),
            EventKind::Gone { generation, how, hook } => {
                let reason = hook.as_deref().unwrap_or_else(|| ended(*how));
                Self { reason: why(reason), ..of("gone", *generation) }
            }
            EventKind::AttemptFailed(reason) => {
                Self { reason: why(reason), ..plain("attempt-failed") }
            }
            EventKind::Stopped => plain("stopped"),
            EventKind::Removed => plain("removed"),
            EventKind::State(state) => Self { state: Some(*state), ..plain("state") },
            // A newer host's.
            _ => plain("other"),
        }
    }
}

const fn ended(how: Stopped) -> &'static str {
    match how {
        Stopped::AlreadyDead => "it was dead",
        Stopped::Graceful => "it ended when it was asked to",
        Stopped::Terminated => "it ended on SIGTERM",
        Stopped::Killed => "it was killed",
        Stopped::GivenUp => "it cannot be killed",
        Stopped::LeftAlone => "it was left alone",
    }
}

/// A line of a plugin's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Line {
    number: u64,
    at: String,
    level: String,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    fields: String,
}

impl Line {
    /// From a line.
    #[must_use]
    pub fn of(logged: &LoggedLine) -> Self {
        Self {
            number: logged.number,
            at: moment(logged.at),
            level: logged.line.level.to_string().to_lowercase(),
            message: logged.line.message.clone(),
            fields: logged.line.fields.clone(),
        }
    }
}

/// What a dry run found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsed {
    name: String,
    version: String,
    launched: bool,
    app_version: Option<u32>,
}

impl Rehearsed {
    /// From what was found.
    #[must_use]
    pub fn of(found: &DryRun) -> Self {
        Self {
            name: found.name.to_string(),
            version: found.version.to_string(),
            launched: found.launched,
            app_version: found.app_version,
        }
    }
}

/// One instance in a reload of all.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Outcome {
    #[schemars(with = "String")]
    instance: InstanceName,
    #[schemars(with = "Option<u64>")]
    generation: Option<Generation>,
    error: Option<String>,
}

impl Outcome {
    /// From what became of it.
    #[must_use]
    pub fn of(reloaded: &Reloaded) -> Self {
        Self {
            instance: reloaded.instance.clone(),
            generation: reloaded.outcome.as_ref().ok().copied(),
            error: reloaded.outcome.as_ref().err().map(ToString::to_string),
        }
    }
}

/// What applying settings did, or would.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Changes {
    #[schemars(with = "Vec<String>")]
    added: Vec<InstanceName>,
    #[schemars(with = "Vec<String>")]
    removed: Vec<InstanceName>,
    #[schemars(with = "Vec<String>")]
    changed: Vec<InstanceName>,
    #[schemars(with = "Vec<String>")]
    unchanged: Vec<InstanceName>,
    failed: BTreeMap<String, String>,
}

impl Changes {
    /// From what came of it.
    #[must_use]
    pub fn of(applied: Applied) -> Self {
        let failed = applied.failed.iter();
        let failed = failed.map(|error| (error.plugin.to_string(), error.to_string())).collect();
        let Applied { added, removed, changed, unchanged, .. } = applied;
        Self { added, removed, changed, unchanged, failed }
    }
}

pub(crate) fn moment(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}
