//! The same calls as messages, for code that is itself made of actors.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use tokio::sync::Semaphore;

use super::{Greeter, Handle};
use crate::fault::GatewayError;

/// Calls that one actor has under way at the same time; further ones are refused.
const IN_FLIGHT: usize = 1_024;

/// Greets whoever `message` names. May be repeated.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<String, GatewayError>")]
pub struct Greeting {
    /// A name.
    pub message: String,
}

/// The gateway as an actor. Start it on the arbiter of whoever calls it: a
/// mailbox on another thread costs more than the call itself.
#[derive(Debug, Clone)]
pub struct GreeterActor {
    handle: Handle,
    slots: Arc<Semaphore>,
}

impl GreeterActor {
    /// An actor over a handle.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self { handle, slots: Arc::new(Semaphore::new(IN_FLIGHT)) }
    }
}

impl Actor for GreeterActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        // A call leaves the mailbox at once, so this bounds a burst.
        ctx.set_mailbox_capacity(IN_FLIGHT);
    }
}

impl Handler<Greeting> for GreeterActor {
    type Result = ResponseFuture<Result<String, GatewayError>>;

    fn handle(&mut self, greeting: Greeting, _: &mut Context<Self>) -> Self::Result {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            let error = self.handle.overloaded(IN_FLIGHT);
            return Box::pin(async move { Err(error) });
        };
        let handle = self.handle.clone();
        Box::pin(async move {
            let _slot = slot;
            handle.greeting(&greeting.message).await
        })
    }
}
