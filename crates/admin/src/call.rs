//! Calls of a plugin's methods by name, with JSON: for people who look at one plugin,
//! not for a node.

mod bounded;
mod codec;
mod error;
mod reflection;
mod schema;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::uri::PathAndQuery;
use outrigger::{Endpoint, Generation, Link, Rpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};
use tonic::client::Grpc;
use tonic::{Request, Status};

use self::codec::Raw;
pub(crate) use self::error::CallError;
use self::schema::{Found, Schema};

/// Of a call for which nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// Of any call.
const LONGEST: Duration = Duration::from_secs(300);

/// Bytes of all answers of a call, as they come over the wire.
const LARGEST: usize = 4 * 1024 * 1024;

/// Bytes of all answers of a call, as JSON.
const LARGEST_JSON: usize = 16 * 1024 * 1024;

/// Answers of a call.
const MOST: usize = 1_000;

/// Bytes of a descriptor set.
const LARGEST_DESCRIPTOR: usize = 1024 * 1024;

/// Which method, and with what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Ask {
    /// Its name.
    pub(crate) instance: String,
    /// `package.Service/Method`.
    method: String,
    /// The request, in protobuf's JSON form.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    params: Option<Box<RawValue>>,
    /// As in `2s`; 10 s by default.
    #[serde(default)]
    deadline: Option<String>,
    /// A descriptor set in base64, for a plugin without reflection.
    #[serde(default)]
    descriptor: Option<String>,
}

/// Whose services.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Whose {
    /// Its name.
    pub(crate) instance: String,
    #[serde(default)]
    descriptor: Option<String>,
}

/// What came of a call.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Called {
    #[schemars(with = "u64")]
    generation: Generation,
    /// The answers: one, unless the method streams.
    #[schemars(with = "Vec<Value>")]
    messages: Vec<Box<RawValue>>,
    /// Whether the method streams.
    streams: bool,
    /// False if it had more to say than was waited for, or than fits.
    complete: bool,
}

/// A method of a plugin.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    method: String,
    request: String,
    response: String,
    client_streams: bool,
    server_streams: bool,
}

/// Calls one method of the generation that serves.
pub(crate) async fn call(link: Link, ask: Ask) -> Result<Called, CallError> {
    let Ask { method, params, deadline, descriptor, .. } = ask;
    let deadline = match deadline.as_deref().map(humantime::parse_duration) {
        None => DEADLINE,
        Some(Ok(deadline)) => deadline.min(LONGEST),
        Some(Err(error)) => return Err(CallError::Deadline(error)),
    };
    let (instance, until) = (link.instance().to_string(), Instant::now() + deadline);
    let late = || CallError::Late { instance: instance.clone(), deadline };
    let entered = timeout_at(until, link.enter()).await.map_err(|_| late())??;
    let Endpoint::Rpc(rpc) = entered.endpoint().clone() else {
        return Err(CallError::Local { instance });
    };
    let work = async {
        let found = find(&rpc, &instance, &method, descriptor.as_deref());
        let found = timeout_at(until, found).await.map_err(|_| late())??;
        let message = found.request(params.as_deref().map_or("{}", RawValue::get))?;
        let (messages, complete) =
            send(rpc, &instance, &found, message, until).await?.ok_or_else(late)?;
        let (generation, streams) = (entered.generation(), found.method.is_server_streaming());
        Ok(Called { generation, messages, streams, complete })
    };
    tokio::select! {
        biased;
        called = work => called,
        ended = entered.ended() => Err(ended.into()),
    }
}

/// The methods of the generation that serves.
pub(crate) async fn services(link: Link, whose: Whose) -> Result<Vec<Described>, CallError> {
    let (instance, until) = (link.instance().to_string(), Instant::now() + DEADLINE);
    let late = || CallError::Late { instance: instance.clone(), deadline: DEADLINE };
    let entered = timeout_at(until, link.enter()).await.map_err(|_| late())??;
    let Endpoint::Rpc(rpc) = entered.endpoint().clone() else {
        return Err(CallError::Local { instance });
    };
    let all = async {
        match whose.descriptor.as_deref() {
            Some(text) => Schema::decode(&decoded(text)?),
            None => {
                let names = reflection::services(&rpc, &instance).await?;
                reflection::schema(&rpc, &instance, &names).await
            }
        }
    };
    Ok(timeout_at(until, all).await.map_err(|_| late())??.methods())
}

async fn find(
    rpc: &Rpc,
    instance: &str,
    method: &str,
    descriptor: Option<&str>,
) -> Result<Found, CallError> {
    let path = method.trim_start_matches('/');
    let unknown = |known: Vec<String>| CallError::UnknownMethod {
        instance: instance.to_owned(),
        method: path.escape_debug().to_string(),
        // A plugin says what they are called.
        known: known.iter().take(50).map(|name| name.escape_debug().to_string()).collect(),
    };
    if let Some(text) = descriptor {
        let schema = Schema::decode(&decoded(text)?)?;
        return schema.find(path).ok_or_else(|| unknown(schema.names()));
    }
    let services = reflection::services(rpc, instance).await?;
    let service = path.split_once('/').map_or(path, |(service, _)| service);
    let asked: Vec<String> = services.iter().filter(|name| *name == service).cloned().collect();
    if asked.is_empty() {
        return Err(unknown(services));
    }
    let schema = reflection::schema(rpc, instance, &asked).await?;
    schema.find(path).ok_or_else(|| unknown(schema.names()))
}

fn decoded(text: &str) -> Result<Vec<u8>, CallError> {
    if text.len() > LARGEST_DESCRIPTOR / 3 * 4 + 4 {
        return Err(CallError::Descriptor(format!("it has more than {LARGEST_DESCRIPTOR} bytes")));
    }
    STANDARD.decode(text).map_err(|error| CallError::Descriptor(error.to_string()))
}

/// The answers until the deadline, and whether those are all; `None` if there is none
/// by then.
async fn send(
    rpc: Rpc,
    instance: &str,
    found: &Found,
    message: Bytes,
    until: Instant,
) -> Result<Option<(Vec<Box<RawValue>>, bool)>, CallError> {
    let failed = |status: Status| CallError::Status {
        instance: instance.to_owned(),
        method: found.path(),
        code: status.code(),
        message: status.message().escape_debug().to_string(),
    };
    let path = PathAndQuery::try_from(format!("/{}", found.path()))
        .map_err(|error| CallError::Descriptor(error.to_string()))?;
    let mut request = Request::new(stream::once(async { message }));
    request.set_timeout(until.saturating_duration_since(Instant::now()));
    let mut grpc = Grpc::new(rpc).max_decoding_message_size(LARGEST);
    let sending = async {
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        grpc.streaming(request, path, Raw).await
    };
    let streams = found.method.is_server_streaming();
    let Ok(sent) = timeout_at(until, sending).await else { return Ok(None) };
    let mut answers = sent.map_err(failed)?.into_inner();
    let (mut messages, mut bytes, mut room) = (Vec::new(), 0, LARGEST_JSON);
    loop {
        match timeout_at(until, answers.next()).await {
            Ok(None) if messages.is_empty() && !streams => {
                return Err(failed(Status::internal("it ended without an answer")));
            }
            Ok(None) => return Ok(Some((messages, true))),
            Ok(Some(Ok(answer))) => {
                bytes += answer.len();
                if messages.len() == MOST || bytes > LARGEST {
                    return Ok(Some((messages, false)));
                }
                let Some(message) = found.response(answer, room)? else {
                    if streams && !messages.is_empty() {
                        return Ok(Some((messages, false)));
                    }
                    return Err(CallError::TooLong { method: found.path(), most: LARGEST_JSON });
                };
                room -= message.get().len();
                messages.push(message);
            }
            Ok(Some(Err(status)))
                if tonic::Code::DeadlineExceeded == status.code()
                    && streams
                    && !messages.is_empty() =>
            {
                return Ok(Some((messages, false)));
            }
            Ok(Some(Err(status))) => return Err(failed(status)),
            Err(_) if streams => return Ok(Some((messages, false))),
            Err(_) => return Ok(None),
        }
    }
}
