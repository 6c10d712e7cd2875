//! The methods of the API.

use std::future::Future;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use outrigger::{HostError, Link, Remote};
use outrigger_types::InstanceName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::{self, CallError};
use crate::view::{Changes, Crash, Line, Outcome, Rehearsed, Status};

/// What the host answered with an error.
const FAILED: i32 = -32_000;
/// There is no such instance.
const UNKNOWN: i32 = -32_001;
/// Parameters that cannot be understood. JSON-RPC's own.
const INVALID: i32 = -32_602;

/// Lines of a log, where nobody says how many.
const LINES: usize = 100;

/// Methods that change something: a token that may only look cannot call them.
pub(crate) const ACTIONS: [&str; 6] = [
    "outrigger_reload",
    "outrigger_reloadAll",
    "outrigger_apply",
    "outrigger_start",
    "outrigger_stop",
    "outrigger_call",
];

type Answer<T> = Result<T, ErrorObjectOwned>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct One {
    instance: String,
    /// For the audit.
    #[serde(default)]
    #[expect(dead_code, reason = "whoever audits reads it from the request")]
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Reload {
    instance: String,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "whoever audits reads it from the request")]
    reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Apply {
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Logs {
    instance: String,
    #[serde(default)]
    lines: Option<usize>,
}

/// What a reload did.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Reloaded {
    Done(u64),
    Rehearsed(serde_json::Value),
}

pub(crate) fn module(remote: Remote) -> Result<RpcModule<Remote>, RegisterMethodError> {
    let mut module = RpcModule::new(remote);
    method(&mut module, "outrigger_status", |remote, Nothing {}| async move {
        Ok(Status::all(&remote))
    })?;
    method(&mut module, "outrigger_reload", |remote, asked: Reload| async move {
        let instance = known(&remote, &asked.instance)?;
        if asked.dry_run {
            let found = remote.dry_run(&instance).await.map_err(refused)?;
            return Ok(Reloaded::Rehearsed(value(&Rehearsed::of(&found))?));
        }
        let generation = remote.reload(&instance).await.map_err(refused)?;
        Ok(Reloaded::Done(generation.0))
    })?;
    method(&mut module, "outrigger_reloadAll", |remote, Nothing {}| async move {
        let all = remote.reload_all().await.map_err(refused)?;
        Ok(all.iter().map(Outcome::of).collect::<Vec<_>>())
    })?;
    method(&mut module, "outrigger_apply", |remote, asked: Apply| async move {
        Ok(Changes::of(remote.apply(asked.dry_run).await.map_err(refused)?))
    })?;
    method(&mut module, "outrigger_start", |remote, asked: One| async move {
        let instance = known(&remote, &asked.instance)?;
        Ok(remote.start(&instance).await.map_err(refused)?.0)
    })?;
    method(&mut module, "outrigger_stop", |remote, asked: One| async move {
        let instance = known(&remote, &asked.instance)?;
        remote.stop(&instance).await.map_err(refused)
    })?;
    method(&mut module, "outrigger_crashes", |remote, asked: One| async move {
        let instance = known(&remote, &asked.instance)?;
        let status = remote.watch(instance.as_str());
        let crashes = status.map(|status| status.borrow().crashes.clone()).unwrap_or_default();
        Ok(crashes.iter().map(Crash::of).collect::<Vec<_>>())
    })?;
    method(&mut module, "outrigger_logs", |remote, asked: Logs| async move {
        let instance = known(&remote, &asked.instance)?;
        let logs = remote.logs(instance.as_str()).unwrap_or_default();
        let lines = logs.last(asked.lines.unwrap_or(LINES));
        Ok(lines.iter().map(Line::of).collect::<Vec<_>>())
    })?;
    method(&mut module, "outrigger_services", |remote, asked: call::Whose| async move {
        let link = linked(&remote, &asked.instance)?;
        call::services(link, asked).await.map_err(uncalled)
    })?;
    method(&mut module, "outrigger_call", |remote, asked: call::Ask| async move {
        let link = linked(&remote, &asked.instance)?;
        call::call(link, asked).await.map_err(uncalled)
    })?;
    Ok(module)
}

fn method<P, T, F>(
    module: &mut RpcModule<Remote>,
    name: &'static str,
    act: fn(Remote, P) -> F,
) -> Result<(), RegisterMethodError>
where
    P: DeserializeOwned + Send + 'static,
    T: Serialize + Send + Sync + Clone + 'static,
    F: Future<Output = Answer<T>> + Send + 'static,
{
    module.register_async_method(name, move |params, remote, _| {
        let parsed = parsed::<P>(&params);
        let remote = Remote::clone(&remote);
        async move { act(remote, parsed?).await }
    })?;
    Ok(())
}

/// By name, or in their order; none at all is an empty object.
fn parsed<P: DeserializeOwned>(params: &Params<'_>) -> Answer<P> {
    let text = params.as_str().unwrap_or("{}");
    let invalid = |error: serde_json::Error| {
        ErrorObjectOwned::owned(INVALID, format!("the parameters: {error}"), None::<()>)
    };
    serde_json::from_str(if text.is_empty() { "{}" } else { text }).map_err(invalid)
}

fn known(remote: &Remote, name: &str) -> Answer<InstanceName> {
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
        _ => FAILED,
    };
    ErrorObjectOwned::owned(code, error.to_string(), None::<()>)
}

fn value(shown: &impl Serialize) -> Answer<serde_json::Value> {
    serde_json::to_value(shown)
        .map_err(|error| ErrorObjectOwned::owned(FAILED, error.to_string(), None::<()>))
}
