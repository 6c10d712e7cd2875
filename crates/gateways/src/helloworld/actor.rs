//! The same calls as messages, for code that is itself made of actors.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use tokio::sync::Semaphore;

use super::{Greeter, Handle};
use crate::fault::GatewayError;

/// Calls that one actor lets wait for the plugin at the same time. Past that,
/// messages wait in the mailbox, and it is what bounds their senders.
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
        // A call leaves the mailbox at once, so this bounds a burst, not the
        // calls under way.
        ctx.set_mailbox_capacity(IN_FLIGHT);
    }
}

impl Handler<Greeting> for GreeterActor {
    type Result = ResponseFuture<Result<String, GatewayError>>;

    fn handle(&mut self, greeting: Greeting, _: &mut Context<Self>) -> Self::Result {
        let (handle, slots) = (self.handle.clone(), self.slots.clone());
        Box::pin(async move {
            // Never closed; were it so, the call would simply not be bounded.
            let _slot = slots.acquire().await;
            handle.greeting(&greeting.message).await
        })
    }
}
