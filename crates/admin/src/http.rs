//! The paths.

use axum::extract::{DefaultBodyLimit, Extension, FromRef, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use jsonrpsee::RpcModule;
use outrigger::Remote;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::auth::{Door, Scope, guard};
use crate::metrics::Metrics;
use crate::rpc::ACTIONS;
use crate::{health, stream};

/// A request of the API is a few names; one of `outrigger_call` may bring a descriptor
/// set of a mebibyte, in base64.
const LARGEST_REQUEST: usize = 2 * 1024 * 1024;

/// Of an action's parameters, what is kept for the audit.
const AUDITED: usize = 4096;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    pub(crate) module: RpcModule<Remote>,
    pub(crate) metrics: Option<Metrics>,
    /// Cancelled when the server is to end.
    pub(crate) end: CancellationToken,
}

impl FromRef<Shared> for Remote {
    fn from_ref(shared: &Shared) -> Self {
        shared.remote.clone()
    }
}

pub(crate) fn router(shared: Shared, door: Door) -> Router {
    Router::new()
        .route("/", post(call))
        .route("/events", get(stream::events))
        .route("/logs/{instance}", get(stream::logs))
        .route("/metrics", get(metrics))
        .route("/livez", get(health::live))
        .route("/startupz", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .layer(from_fn_with_state(door, guard))
        .layer(middleware::map_response(headers))
        .with_state(shared)
}

/// Nothing of it is for a page of another origin, or for a cache.
async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

/// Of a request, what must be known before it is carried out.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    method: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<&'a serde_json::value::RawValue>,
}

async fn call(
    State(shared): State<Shared>,
    Extension(scope): Extension<Scope>,
    body: String,
) -> Response {
    let asked = match serde_json::from_str::<Asked<'_>>(&body) {
        Ok(asked) => asked,
        Err(error) => {
            return rpc_error(StatusCode::BAD_REQUEST, -32_700, &format!("no request: {error}"));
        }
    };
    if ACTIONS.contains(&&*asked.method) {
        let params = audited(&asked);
        if scope != Scope::Full {
            tracing::warn!(target: "outrigger::audit", method = &*asked.method, params, "refused: the token may only look");
            let text = "this token may only look; use the one in admin.token";
            return rpc_error(StatusCode::FORBIDDEN, -32_003, text);
        }
        tracing::info!(target: "outrigger::audit", method = &*asked.method, params, "asked for");
    }
    match shared.module.raw_json_request(&body, 1).await {
        Ok((answer, _)) => {
            ([(header::CONTENT_TYPE, "application/json")], answer.get().to_owned()).into_response()
        }
        Err(error) => rpc_error(
            StatusCode::BAD_REQUEST,
            -32_600,
            &format!("no request of JSON-RPC 2.0: {error}"),
        ),
    }
}

/// What an audit keeps of a request: of a call's, not what was sent, which may be a
/// secret.
fn audited(asked: &Asked<'_>) -> String {
    let mut params = asked.params.map_or("", |params| params.get()).to_owned();
    if asked.method == "outrigger_call" {
        let called: Value = serde_json::from_str(&params).unwrap_or_default();
        let (instance, method) = match &called {
            Value::Array(all) => (all.first().cloned(), all.get(1).cloned()),
            called => (called.get("instance").cloned(), called.get("method").cloned()),
        };
        params = serde_json::json!({ "instance": instance, "method": method }).to_string();
    }
    params.truncate(params.floor_char_boundary(AUDITED));
    params
}

fn rpc_error(status: StatusCode, code: i32, message: &str) -> Response {
    let error = serde_json::json!({
        "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message },
    });
    (status, [(header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match &shared.metrics {
        Some(metrics) => {
            let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (form, metrics.render(&shared.remote)).into_response()
        }
        None => (StatusCode::NOT_FOUND, "the node exports its metrics itself\n").into_response(),
    }
}
