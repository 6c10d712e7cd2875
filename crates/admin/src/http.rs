//! The paths.

use axum::extract::{DefaultBodyLimit, Extension, FromRef, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use jsonrpsee::RpcModule;
use outrigger::Remote;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::auth::{Door, Scope, guard};
use crate::history::History;
use crate::metrics::Metrics;
use crate::own::Own;
use crate::rpc::ACTIONS;
use crate::{health, page, stream};

/// A request of the API is a few names.
const LARGEST_REQUEST: usize = 64 * 1024;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    pub(crate) module: RpcModule<Remote>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) history: History,
    /// What plugins count themselves.
    pub(crate) own: Own,
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
        .route("/", get(page::index).post(call))
        .route("/assets/{name}", get(page::asset))
        .route("/access", get(access))
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
        let params = asked.params.map_or("", |params| params.get());
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

fn rpc_error(status: StatusCode, code: i32, message: &str) -> Response {
    let error = serde_json::json!({
        "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message },
    });
    (status, [(header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

/// What whoever asks may do, and whom they ask.
async fn access(Extension(scope): Extension<Scope>) -> Response {
    let access = match scope {
        Scope::Full => "full",
        Scope::ReadOnly => "read-only",
    };
    let body = serde_json::json!({ "access": access, "version": env!("CARGO_PKG_VERSION") });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match &shared.metrics {
        Some(metrics) => {
            let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (form, metrics.render() + &shared.own.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "the node exports its metrics itself\n").into_response(),
    }
}
