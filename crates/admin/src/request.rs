//! One request of JSON-RPC, however it came: who may make it, and that it is written
//! down.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::auth::Scope;
use crate::http::Shared;

/// A request of the API is a few names; one of `outrigger_call` may bring a descriptor
/// set of a mebibyte, in base64.
pub(crate) const LARGEST: usize = 2 * 1024 * 1024;

/// Of an action's parameters, what is kept for the audit.
const AUDITED: usize = 4096;

/// It is no JSON, or no request.
pub(crate) const UNREADABLE: i32 = -32_700;
const NO_REQUEST: i32 = -32_600;
/// The token may only look.
pub(crate) const FORBIDDEN: i32 = -32_003;

/// Of a request, what must be known before it is carried out.
#[derive(Deserialize)]
pub(crate) struct Asked<'a> {
    #[serde(borrow)]
    pub(crate) method: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
}

impl<'a> Asked<'a> {
    /// # Errors
    ///
    /// The answer.
    pub(crate) fn of(body: &'a str) -> Result<Self, String> {
        serde_json::from_str(body)
            .map_err(|error| failure(None, UNREADABLE, &format!("no request: {error}")))
    }
}

/// Carries it out; its status is for HTTP.
pub(crate) async fn carry_out(shared: &Shared, scope: Scope, body: &str) -> (StatusCode, String) {
    let asked = match Asked::of(body) {
        Ok(asked) => asked,
        Err(answer) => return (StatusCode::BAD_REQUEST, answer),
    };
    if shared.served.acts(&asked.method) {
        let params = &*audited(&asked);
        if scope != Scope::Full {
            tracing::warn!(target: "outrigger::audit", method = &*asked.method, params, "refused: the token may only look");
            let text = "this token may only look; use the one in admin.token";
            return (StatusCode::FORBIDDEN, failure(asked.id, FORBIDDEN, text));
        }
        tracing::info!(target: "outrigger::audit", method = &*asked.method, params, "asked for");
    }
    match shared.served.module.raw_json_request(body, 1).await {
        Ok((answer, _)) => (StatusCode::OK, answer.get().to_owned()),
        Err(error) => {
            let text = format!("no request of JSON-RPC 2.0: {error}");
            (StatusCode::BAD_REQUEST, failure(asked.id, NO_REQUEST, &text))
        }
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

/// An answer that is an error.
pub(crate) fn failure(id: Option<&RawValue>, code: i32, message: &str) -> String {
    let error = serde_json::json!({ "code": code, "message": message });
    serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string()
}

/// An answer that is none.
pub(crate) fn success(id: &RawValue, result: &Value) -> String {
    serde_json::json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
}
