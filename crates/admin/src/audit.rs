//! What is written down of whatever changes something: who asked for what, and what
//! came of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value;

use crate::auth::Caller;
use crate::request::Asked;

/// Calls a method of a plugin.
const CALL: &str = "outrigger_call";

/// Of an action's parameters, what is kept.
const LONGEST: usize = 4096;

/// Something that somebody asked for.
pub(crate) struct Action {
    method: String,
    params: String,
    by: &'static str,
    from: String,
}

impl Action {
    pub(crate) fn of(asked: &Asked<'_>, caller: Caller) -> Self {
        let given = asked.params.map_or("", |params| params.get());
        let from = caller.from.as_ref().map_or_else(|| "-".to_owned(), SocketAddr::to_string);
        let params = kept(&asked.method, given);
        Self { method: asked.method.clone().into_owned(), params, by: caller.by, from }
    }

    pub(crate) fn refused(&self) {
        let Self { method, params, by, from } = self;
        tracing::warn!(target: "outrigger::audit", method, params, by, from, "refused: the token may only look");
    }

    pub(crate) fn begins(&self) {
        let Self { method, params, by, from } = self;
        tracing::info!(target: "outrigger::audit", method, params, by, from, "asked for");
    }

    /// `answer` is what is sent.
    pub(crate) fn ended(&self, answer: &str) {
        let Self { method, params, by, from } = self;
        match failure(method, answer) {
            None => {
                tracing::info!(target: "outrigger::audit", method, params, by, from, "done");
            }
            Some(error) => {
                tracing::warn!(target: "outrigger::audit", method, params, by, from, error, "not done");
            }
        }
    }
}

/// Parameters in a form in which nothing can be hidden: without the space between
/// them, and in the order of their names, in which the instance comes before what may
/// be long. Of a call, not what was sent, which may be a secret.
fn kept(method: &str, given: &str) -> String {
    let mut params: Value = serde_json::from_str(given).unwrap_or_default();
    if method == CALL || method == "outrigger_services" {
        let named = |name: &str, place: usize| match &params {
            Value::Array(all) => all.get(place).cloned(),
            params => params.get(name).cloned(),
        };
        params =
            serde_json::json!({ "instance": named("instance", 0), "method": named("method", 1) });
    }
    let mut text = match params {
        // However the map of `Value` is ordered in this build.
        Value::Object(named) => {
            let sorted: BTreeMap<String, Value> = named.into_iter().collect();
            serde_json::to_string(&sorted).unwrap_or_default()
        }
        others => others.to_string(),
    };
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

/// Why it was not done; of a call no more than the code, since a plugin may repeat what
/// it was sent.
fn failure(method: &str, answer: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        error: Option<Failed>,
    }
    #[derive(Deserialize)]
    struct Failed {
        code: i64,
        message: String,
    }
    let Failed { code, message } = serde_json::from_str::<Answer>(answer).ok()?.error?;
    let mut text = if method == CALL { code.to_string() } else { message };
    text.truncate(text.floor_char_boundary(LONGEST));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_hides_no_instance_and_of_a_call_the_request_is_left_out() {
        let long = "x".repeat(LONGEST);
        let padded =
            format!("{{ \"reason\": \"{long}\",{} \"instance\": \"a\" }}", " ".repeat(LONGEST));
        let text = kept("outrigger_stop", &padded);
        assert!(text.starts_with(r#"{"instance":"a","reason":"xx"#) && text.len() == LONGEST);
        for given in [
            r#"{"params": {"key": 1}, "method": "m", "instance": "a"}"#,
            r#"["a", "m", {"key": 1}]"#,
        ] {
            assert_eq!(kept("outrigger_call", given), r#"{"instance":"a","method":"m"}"#);
        }
        assert_eq!(kept("outrigger_reloadAll", ""), "null");
    }

    #[test]
    fn an_answer_says_why_something_was_not_done() {
        let failed = r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no"}}"#;
        assert_eq!(failure("outrigger_stop", failed).as_deref(), Some("no"));
        assert_eq!(failure(CALL, failed).as_deref(), Some("-32000"));
        assert_eq!(failure(CALL, r#"{"jsonrpc": "2.0", "id": 1, "result": [1]}"#), None);
    }
}
