//! A call that a generation has.

use std::sync::Arc;
use std::time::Duration;

use outrigger_transport::Endpoint;
use outrigger_types::Generation;

use super::{Live, Unavailable};

/// A call that is counted in, until it is dropped.
#[derive(Debug)]
pub struct Entered(pub(super) Arc<Live>);

/// How long after a connection broke its process's death is waited for: it says
/// more than the broken socket, and comes a moment later.
const DEATH_LIMIT: Duration = Duration::from_millis(100);

impl Entered {
    /// How the call reaches its generation.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The generation that has the call.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.0.generation
    }

    /// Keeps it among those that ended with their generation.
    #[cold]
    pub fn lost(&self, method: &str) {
        self.0.lost.add(method);
    }

    /// Waits for the generation's end.
    pub async fn ended(&self) -> Unavailable {
        self.0.ended.cancelled().await;
        self.end()
    }

    /// For a call whose connection broke: what ended the generation, if that is
    /// why.
    pub async fn ended_by_now(&self) -> Option<Unavailable> {
        tokio::time::timeout(DEATH_LIMIT, self.ended()).await.ok()
    }

    fn end(&self) -> Unavailable {
        Unavailable::Ended {
            instance: self.0.instance.clone(),
            generation: self.0.generation,
            reason: self.0.reason.get().cloned().unwrap_or_else(|| "it was stopped".into()),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.calls.leave();
    }
}
