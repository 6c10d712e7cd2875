//! The same calls as messages, for code that is itself made of actors.

use super::{
    AuthenticationManager as _, AuthenticationToken, Handle, TlsConfiguration,
    TlsConfigurationSource as _,
};
use crate::actor::gateway_actor;
use crate::fault::GatewayError;

gateway_actor! {
    /// The gateway as an actor. Start it on the arbiter of whoever calls it: a
    /// mailbox on another thread costs more than the call itself.
    SecurityActor(Handle);

    /// Asks for the TLS configuration. May be repeated.
    GetTls {} -> Option<TlsConfiguration>, |handle, GetTls {}| handle.get();

    /// Asks for a judgement on a token. May be repeated.
    Authenticate {
        /// The whole of an `Authorization` header.
        token: Vec<u8>,
    } -> AuthenticationToken, |handle, Authenticate { token }| handle.authenticate(&token);

    /// Asks whether the plugin authenticates at all. May be repeated.
    IsEnabled {} -> bool, |handle, IsEnabled {}| handle.is_enabled();
}
