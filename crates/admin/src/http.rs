//! The paths.

use axum::extract::{DefaultBodyLimit, Extension, FromRef, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use outrigger::Remote;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Caller, Door, Scope, guard};
use crate::history::History;
use crate::limit::Followers;
use crate::metrics::Metrics;
use crate::own::Own;
use crate::request::{LARGEST, carry_out};
use crate::rpc::Served;
use crate::{health, page, stream, ws};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    pub(crate) served: Served,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) history: History,
    /// Who follows something.
    pub(crate) followers: Followers,
    /// What plugins count themselves.
    pub(crate) own: Own,
    /// Cancelled when the server is to end.
    pub(crate) end: CancellationToken,
    /// What the server waits for then.
    pub(crate) tasks: TaskTracker,
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
        .route("/ws", get(ws::upgrade))
        .route("/logs/{instance}", get(stream::logs))
        .route("/metrics", get(metrics))
        .route("/livez", get(health::live))
        .route("/startupz", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(LARGEST))
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

async fn call(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: String,
) -> Response {
    let (status, answer) = carry_out(&shared, caller, &body).await;
    (status, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

/// What whoever asks may do, and whom they ask.
async fn access(Extension(caller): Extension<Caller>) -> Response {
    let access = match caller.scope {
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
            (form, metrics.render() + shared.own.render().as_str()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "the node exports its metrics itself\n").into_response(),
    }
}
