//! Health, as orchestrators ask for it.

use axum::extract::State;
use axum::http::StatusCode;
use outrigger::{PluginState, Remote};

/// The server answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Every required plugin serves; otherwise the reasons, a line each. Those that are
/// not required are named and keep nobody from being ready.
pub(crate) async fn ready(State(remote): State<Remote>) -> (StatusCode, String) {
    let (mut status, mut text) = (StatusCode::OK, String::new());
    for plugin in remote.status() {
        let serves = plugin.generation.is_some()
            && matches!(plugin.state, PluginState::Ready | PluginState::Reloading);
        if serves {
            continue;
        }
        let reason = plugin.last_error.as_deref().unwrap_or("-");
        let optional = if plugin.required { "" } else { " (not required)" };
        text.push_str(&format!(
            "plugin `{}` is {}{optional}: {reason}\n",
            plugin.instance, plugin.state
        ));
        if plugin.required {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    if text.is_empty() {
        text.push_str("ok\n");
    }
    (status, text)
}
