//! One request of JSON-RPC, however it came: who may make it, and that it is written
//! down.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::audit::Action;
use crate::auth::{Caller, Scope};
use crate::http::Shared;

/// A request of the API is a few names; one of `outrigger_call` may bring a descriptor
/// set of a mebibyte, in base64.
pub(crate) const LARGEST: usize = 2 * 1024 * 1024;

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
pub(crate) async fn carry_out(shared: &Shared, caller: Caller, body: &str) -> (StatusCode, String) {
    let asked = match Asked::of(body) {
        Ok(asked) => asked,
        Err(answer) => return (StatusCode::BAD_REQUEST, answer),
    };
    let action = shared.served.acts(&asked.method).then(|| Action::of(&asked, caller));
    if let Some(action) = &action {
        if caller.scope != Scope::Full {
            action.refused();
            let text = "this token may only look; use the one in admin.token";
            return (StatusCode::FORBIDDEN, failure(asked.id, FORBIDDEN, text));
        }
        action.begins();
    }
    let (status, answer) = match shared.served.module.raw_json_request(body, 1).await {
        Ok((answer, _)) => (StatusCode::OK, answer.get().to_owned()),
        Err(error) => {
            let text = format!("no request of JSON-RPC 2.0: {error}");
            (StatusCode::BAD_REQUEST, failure(asked.id, NO_REQUEST, &text))
        }
    };
    if let Some(action) = &action {
        action.ended(&answer);
    }
    (status, answer)
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
