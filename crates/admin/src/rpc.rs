//! The methods of the API.

use std::collections::BTreeSet;
use std::future::Future;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use outrigger::{HostError, Link, Remote};
use outrigger_types::InstanceName;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::{self, CallError};
use crate::disturbance::Disturbance;
use crate::history::History;
use crate::view::{Changes, Crash, Line, Outcome, Rehearsed, Status};

/// What the host answered with an error.
pub(crate) const FAILED: i32 = -32_000;
/// There is no such instance.
pub(crate) const UNKNOWN: i32 = -32_001;
/// The host was not started so that it allows chaos.
pub(crate) const NO_CHAOS: i32 = -32_005;
/// Parameters that cannot be understood. JSON-RPC's own.
pub(crate) const INVALID: i32 = -32_602;

/// Lines of a log, where nobody says how many.
const LINES: usize = 100;

/// The document that describes the rest, as OpenRPC names it.
pub(crate) const DISCOVER: &str = "rpc.discover";

pub(crate) type Answer<T> = Result<T, ErrorObjectOwned>;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct One {
    /// Its name.
    instance: String,
    /// Why, for the audit.
    #[serde(default)]
    #[expect(dead_code, reason = "whoever audits reads it from the request")]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Reload {
    /// Its name.
    instance: String,
    /// Only try it: verify, launch and initialise, and throw it away.
    #[serde(default)]
    dry_run: bool,
    /// Why, for the audit.
    #[serde(default)]
    #[expect(dead_code, reason = "whoever audits reads it from the request")]
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Apply {
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Logs {
    /// Its name.
    instance: String,
    /// How many; 100 unless it says otherwise.
    #[serde(default)]
    lines: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Crashes {
    /// Its name.
    instance: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Past {
    /// Its name; all of them without one.
    #[serde(default)]
    instance: Option<String>,
}

/// The generation that serves, or what a dry run found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
enum Reloaded {
    Done(u64),
    Rehearsed(Rehearsed),
}

/// What is said of a method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    /// What its result is.
    pub(crate) result: &'static str,
    /// It changes something: a token that may only look cannot call it.
    pub(crate) acts: bool,
}

const fn look(name: &'static str, summary: &'static str, result: &'static str) -> About {
    About { name, summary, result, acts: false }
}

const fn act(name: &'static str, summary: &'static str, result: &'static str) -> About {
    About { name, summary, result, acts: true }
}

/// What methods are about: the host, and what was kept of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) remote: Remote,
    pub(crate) history: History,
}

impl std::ops::Deref for Asked {
    type Target = Remote;

    fn deref(&self) -> &Remote {
        &self.remote
    }
}

/// Who is told of every method.
pub(crate) trait Methods {
    /// Takes one.
    fn method<P, T, F>(
        &mut self,
        about: About,
        act: fn(Asked, P) -> F,
    ) -> Result<(), RegisterMethodError>
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + Send + Sync + Clone + 'static,
        F: Future<Output = Answer<T>> + Send + 'static;
}

/// The methods: what is served, and what is said of them.
pub(crate) fn methods(of: &mut impl Methods) -> Result<(), RegisterMethodError> {
    let about = look("outrigger_status", "What every instance is.", "instances");
    of.method(about, |remote, Nothing {}| async move { Ok(Status::all(&remote)) })?;
    let about = act(
        "outrigger_reload",
        "Replaces the generation of an instance with what the settings ask for now.",
        "generation",
    );
    of.method(about, |remote, asked: Reload| async move {
        let instance = known(&remote, &asked.instance)?;
        if asked.dry_run {
            let found = remote.dry_run(&instance).await.map_err(refused)?;
            return Ok(Reloaded::Rehearsed(Rehearsed::of(&found)));
        }
        let generation = remote.reload(&instance).await.map_err(refused)?;
        Ok(Reloaded::Done(generation.0))
    })?;
    let summary = "Reloads every instance, in the order of their start.";
    let about = act("outrigger_reloadAll", summary, "outcomes");
    of.method(about, |remote, Nothing {}| async move {
        let all = remote.reload_all().await.map_err(refused)?;
        Ok(all.iter().map(Outcome::of).collect::<Vec<_>>())
    })?;
    let summary = "Reads the settings anew and takes up what differs.";
    let about = act("outrigger_apply", summary, "changes");
    of.method(about, |remote, asked: Apply| async move {
        Ok(Changes::of(remote.apply(asked.dry_run).await.map_err(refused)?))
    })?;
    let summary = "Starts an instance that is stopped or failed.";
    let about = act("outrigger_start", summary, "generation");
    of.method(about, |remote, asked: One| async move {
        let instance = known(&remote, &asked.instance)?;
        Ok(remote.start(&instance).await.map_err(refused)?.0)
    })?;
    let summary = "Stops an instance until somebody starts it.";
    let about = act("outrigger_stop", summary, "nothing");
    of.method(about, |remote, asked: One| async move {
        let instance = known(&remote, &asked.instance)?;
        remote.stop(&instance).await.map_err(refused)
    })?;
    let summary = "Disturbs an instance on purpose, on a host that allows it.";
    let about = act("outrigger_chaos", summary, "nothing");
    of.method(about, |remote, asked: Disturbance| async move {
        let instance = known(&remote, &asked.instance)?;
        let chaos = asked.chaos().map_err(|text| {
            ErrorObjectOwned::owned(INVALID, format!("the parameters: {text}"), None::<()>)
        })?;
        remote.chaos(&instance, chaos).await.map_err(refused)
    })?;
    let summary = "The last ten deaths of an instance, the newest last.";
    let about = look("outrigger_crashes", summary, "crashes");
    of.method(about, |remote, asked: Crashes| async move {
        let instance = known(&remote, &asked.instance)?;
        let status = remote.watch(instance.as_str());
        let crashes = status.map(|status| status.borrow().crashes.clone()).unwrap_or_default();
        Ok(crashes.iter().map(Crash::of).collect::<Vec<_>>())
    })?;
    let summary = "The last lines of an instance's log.";
    let about = look("outrigger_logs", summary, "lines");
    of.method(about, |remote, asked: Logs| async move {
        let instance = known(&remote, &asked.instance)?;
        let logs = remote.logs(instance.as_str()).unwrap_or_default();
        let lines = logs.last(asked.lines.unwrap_or(LINES));
        Ok(lines.iter().map(Line::of).collect::<Vec<_>>())
    })?;
    let summary = "The last minute of every instance, a sample each two seconds, or the last ten \
                   of one, and what happened to it.";
    let about = look("outrigger_history", summary, "samples");
    of.method(about, |remote, asked: Past| async move {
        let instance = asked.instance.map(|name| known(&remote, &name)).transpose()?;
        Ok(remote.history.shown(instance.as_ref().map(InstanceName::as_str)))
    })?;
    let summary = "The methods of the plugin that serves, by reflection or a descriptor set.";
    let about = act("outrigger_services", summary, "methods");
    of.method(about, |remote, asked: call::Whose| async move {
        let link = linked(&remote, &asked.instance)?;
        call::services(link, asked).await.map_err(uncalled)
    })?;
    let summary = "Calls a method of the plugin that serves, with a request in JSON.";
    let about = act("outrigger_call", summary, "answers");
    of.method(about, |remote, asked: call::Ask| async move {
        let link = linked(&remote, &asked.instance)?;
        call::call(link, asked).await.map_err(uncalled)
    })
}

/// What is served.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) module: RpcModule<Asked>,
    /// Those that change something.
    actions: BTreeSet<&'static str>,
}

impl Served {
    pub(crate) fn of(asked: Asked) -> Result<Self, RegisterMethodError> {
        let mut served = Self { module: RpcModule::new(asked), actions: BTreeSet::new() };
        methods(&mut served)?;
        let document = crate::openrpc()?;
        served.module.register_method(DISCOVER, move |_, _, _| document.clone())?;
        Ok(served)
    }

    pub(crate) fn acts(&self, method: &str) -> bool {
        self.actions.contains(method)
    }
}

impl Methods for Served {
    fn method<P, T, F>(
        &mut self,
        about: About,
        act: fn(Asked, P) -> F,
    ) -> Result<(), RegisterMethodError>
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + Send + Sync + Clone + 'static,
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        if about.acts {
            self.actions.insert(about.name);
        }
        self.module.register_async_method(about.name, move |params, remote, _| {
            let parsed = parsed::<P>(&params);
            let remote = Asked::clone(&remote);
            async move { act(remote, parsed?).await }
        })?;
        Ok(())
    }
}

/// By name, or in their order; none at all is an empty object.
pub(crate) fn parsed<P: DeserializeOwned>(params: &Params<'_>) -> Answer<P> {
    let text = params.as_str().unwrap_or("{}");
    let invalid = |error: serde_json::Error| {
        ErrorObjectOwned::owned(INVALID, format!("the parameters: {error}"), None::<()>)
    };
    serde_json::from_str(if text.is_empty() { "{}" } else { text }).map_err(invalid)
}

pub(crate) fn known(remote: &Remote, name: &str) -> Answer<InstanceName> {
    let found = InstanceName::parse(name).ok().filter(|name| remote.watch(name.as_str()).is_some());
    found.ok_or_else(|| {
        let known = remote.instances();
        refused(HostError::UnknownInstance { name: name.escape_debug().to_string(), known })
    })
}

fn linked(remote: &Remote, name: &str) -> Answer<Link> {
    let instance = known(remote, name)?;
    remote.link(instance.as_str()).ok_or_else(|| refused(HostError::Stopped))
}

fn uncalled(error: CallError) -> ErrorObjectOwned {
    let code = if error.is_the_caller_s() { INVALID } else { FAILED };
    ErrorObjectOwned::owned(code, error.to_string(), None::<()>)
}

fn refused(error: HostError) -> ErrorObjectOwned {
    let code = match &error {
        HostError::UnknownInstance { .. } => UNKNOWN,
        HostError::ChaosNotAllowed => NO_CHAOS,
        _ => FAILED,
    };
    ErrorObjectOwned::owned(code, error.to_string(), None::<()>)
}
