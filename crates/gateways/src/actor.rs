//! What the gateway actors share: a bound on calls under way, and the form of
//! their messages.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::call::Caller;
use crate::fault::GatewayError;
use crate::metrics;

/// Calls that one actor has under way at the same time; further ones are refused.
pub(crate) const IN_FLIGHT: usize = 1_024;

/// Room for calls under way.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(IN_FLIGHT)))
    }
}

impl Slots {
    /// Room for one call, until it is dropped.
    pub(crate) fn take(&self, caller: &Caller) -> Result<OwnedSemaphorePermit, GatewayError> {
        self.0.clone().try_acquire_owned().map_err(|_| {
            let plugin = caller.link().instance().to_string();
            metrics::overloaded(&plugin);
            caller.link().counts().failed();
            GatewayError::Overloaded { plugin, limit: IN_FLIGHT }
        })
    }
}

/// A gateway actor over a handle with a field `caller`, and its messages.
macro_rules! gateway_actor {
    (
        $(#[$actor_doc:meta])*
        $actor:ident($handle:ty);
        $(
            $(#[$doc:meta])*
            $message:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty, )* } -> $answer:ty,
            |$on:ident, $with:pat_param| $call:expr;
        )*
    ) => {
        $(#[$actor_doc])*
        #[derive(Debug, Clone)]
        pub struct $actor {
            handle: $handle,
            slots: $crate::actor::Slots,
        }

        impl $actor {
            /// An actor over a handle.
            #[must_use]
            pub fn new(handle: $handle) -> Self {
                Self { handle, slots: $crate::actor::Slots::default() }
            }
        }

        impl actix::Actor for $actor {
            type Context = actix::Context<Self>;

            fn started(&mut self, ctx: &mut actix::Context<Self>) {
                // A call leaves the mailbox at once, so this bounds a burst.
                ctx.set_mailbox_capacity($crate::actor::IN_FLIGHT);
            }
        }

        $(
            $(#[$doc])*
            #[derive(Clone)]
            pub struct $message {
                $( $(#[$field_doc])* pub $field: $type, )*
            }

            impl actix::Message for $message {
                type Result = Result<$answer, GatewayError>;
            }

            // A field may be a secret, so none is shown.
            impl std::fmt::Debug for $message {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($message)).finish_non_exhaustive()
                }
            }

            impl actix::Handler<$message> for $actor {
                type Result = actix::ResponseFuture<Result<$answer, GatewayError>>;

                fn handle(&mut self, $with: $message, _: &mut actix::Context<Self>) -> Self::Result {
                    let slot = match self.slots.take(&self.handle.caller) {
                        Ok(slot) => slot,
                        Err(error) => return Box::pin(async move { Err(error) }),
                    };
                    let $on = self.handle.clone();
                    Box::pin(async move {
                        let _slot = slot;
                        $call.await
                    })
                }
            }
        )*
    };
}

pub(crate) use gateway_actor;
