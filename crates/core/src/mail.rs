//! Addresses that count what waits at them: actix tells nobody how full a mailbox is.

use std::fmt;
use std::sync::{Arc, OnceLock};

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use metrics::{Gauge, Histogram};
use tokio::time::Instant;

use crate::metrics as names;

/// What is counted of one actor's mailbox.
pub(crate) struct Mailbox {
    /// As in `outrigger_actor_messages_waiting`.
    actor: String,
    /// As in `outrigger_actor_queue_duration_seconds`, where all instances are one.
    kind: &'static str,
    handles: OnceLock<(Gauge, Histogram)>,
}

impl Mailbox {
    pub(crate) fn manager() -> Arc<Self> {
        Arc::new(Self { actor: "manager".into(), kind: "manager", handles: OnceLock::new() })
    }

    pub(crate) fn plugin(instance: &outrigger_types::InstanceName) -> Arc<Self> {
        Arc::new(Self {
            actor: format!("plugin:{instance}"),
            kind: "plugin",
            handles: OnceLock::new(),
        })
    }

    fn handles(&self) -> &(Gauge, Histogram) {
        self.handles.get_or_init(|| {
            (
                metrics::gauge!(names::MESSAGES_WAITING.name, "actor" => self.actor.clone()),
                metrics::histogram!(names::MESSAGE_SECONDS.name, "actor" => self.kind),
            )
        })
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&self.actor).finish()
    }
}

/// An actor's address, and what is counted of its mailbox.
pub(crate) struct Mail<A: Actor> {
    address: Addr<A>,
    mailbox: Arc<Mailbox>,
}

impl<A: Actor> Mail<A> {
    pub(crate) const fn new(address: Addr<A>, mailbox: Arc<Mailbox>) -> Self {
        Self { address, mailbox }
    }

    /// The address itself, whose messages are not counted.
    pub(crate) const fn address(&self) -> &Addr<A> {
        &self.address
    }

    /// Sends a message, as [`Addr::send`] does.
    pub(crate) fn send<M>(&self, message: M) -> actix::prelude::Request<A, Waited<M>>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<Waited<M>>,
        A::Context: ToEnvelope<A, Waited<M>>,
    {
        let waits = Waits::begin(self.mailbox.clone());
        self.address.send(Waited { message, waits })
    }
}

impl<A: Actor> Clone for Mail<A> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), mailbox: self.mailbox.clone() }
    }
}

impl<A: Actor> fmt::Debug for Mail<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mailbox.fmt(f)
    }
}

/// A message on its way; counted out when the actor begins with it, or when nobody
/// ever will.
pub(crate) struct Waited<M> {
    message: M,
    waits: Waits,
}

impl<M: Message> Message for Waited<M> {
    type Result = M::Result;
}

impl<M> Waited<M> {
    /// Its wait is over.
    pub(crate) fn arrive(self) -> M {
        self.waits.mailbox.handles().1.record(self.waits.since.elapsed().as_secs_f64());
        self.message
    }
}

struct Waits {
    mailbox: Arc<Mailbox>,
    since: Instant,
}

impl Waits {
    fn begin(mailbox: Arc<Mailbox>) -> Self {
        mailbox.handles().0.increment(1);
        Self { mailbox, since: Instant::now() }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.mailbox.handles().0.decrement(1);
    }
}

/// What an actor does with these messages when they were counted: what it does with
/// them anyway. For each by itself, since one rule for all would be one for messages
/// that were counted twice too.
macro_rules! counted {
    ($actor:ty: $($message:ty),* $(,)?) => {
        $(
            impl actix::Handler<$crate::mail::Waited<$message>> for $actor {
                type Result = <Self as actix::Handler<$message>>::Result;

                fn handle(
                    &mut self,
                    waited: $crate::mail::Waited<$message>,
                    ctx: &mut Self::Context,
                ) -> Self::Result {
                    actix::Handler::<$message>::handle(self, waited.arrive(), ctx)
                }
            }
        )*
    };
}

pub(crate) use counted;
