//! The same calls as messages, for code that is itself made of actors.

use super::{Greeter as _, Handle};
use crate::actor::gateway_actor;
use crate::fault::GatewayError;

gateway_actor! {
    /// The gateway as an actor. Start it on the arbiter of whoever calls it: a
    /// mailbox on another thread costs more than the call itself.
    GreeterActor(Handle);

    /// Greets whoever `message` names. May be repeated.
    Greeting {
        /// A name.
        message: String,
    } -> String, |handle, Greeting { message }| handle.greeting(&message);
}
