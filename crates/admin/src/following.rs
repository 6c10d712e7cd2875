//! What is, and then what happens: for whoever follows, over whatever.

use futures_util::stream::{self, Stream, StreamExt as _};
use outrigger::Remote;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use crate::view;

/// What a follower is told.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub(crate) enum Told {
    /// Every instance, now: at the beginning, and in place of events that were missed.
    Status(Vec<view::Status>),
    /// Something that happened.
    Event(view::Event),
}

/// Until the host ends.
pub(crate) fn following(remote: Remote) -> impl Stream<Item = Told> + Send + 'static {
    let (_, events) = remote.follow();
    // Later than the events begin, so that nothing is between the two.
    let first = Told::Status(view::Status::all(&remote));
    let rest = stream::unfold((remote, events), |(remote, mut events)| async move {
        let told = match events.recv().await {
            Ok(event) => Told::Event(view::Event::of(&event)),
            Err(RecvError::Lagged(_)) => {
                // Those that are still kept are in the status too.
                events = remote.events();
                Told::Status(view::Status::all(&remote))
            }
            Err(RecvError::Closed) => return None,
        };
        Some((told, (remote, events)))
    });
    stream::once(async { first }).chain(rest)
}
