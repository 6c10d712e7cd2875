//! The same calls as messages, for code that is itself made of actors.

use std::time::Duration;

use super::{Handle, TokenManager as _};
use crate::actor::gateway_actor;
use crate::fault::GatewayError;

gateway_actor! {
    /// The gateway as an actor. Start it on the arbiter of whoever calls it: a
    /// mailbox on another thread costs more than the call itself.
    TokenManagerActor(Handle);

    /// Asks how long before its end a token is to be refreshed. May be repeated.
    RefreshAnticipation {} -> Duration,
    |handle, RefreshAnticipation {}| handle.refresh_anticipation();

    /// Asks for a fresh token. May be repeated.
    TokenRefresh {
        /// The token now.
        current_token: String,
        /// The private state that it is for.
        psi: String,
    } -> String, |handle, TokenRefresh { current_token, psi }| {
        handle.token_refresh(&current_token, &psi)
    };
}
