//! A gateway actor on an arbiter that is not its callers'.

use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use outrigger::actix::{Actor as _, Addr};
use outrigger::helloworld::{GreeterActor, Handle};
use tokio::sync::oneshot;

use crate::{Arbiter, Failure, Threads};

/// The actor and its thread, which ends when this is dropped.
#[derive(Debug)]
pub struct ActorThread {
    address: Addr<GreeterActor>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ActorThread {
    /// Starts both.
    ///
    /// # Errors
    ///
    /// The system refuses a thread.
    pub fn start(handle: Handle) -> Result<Self, Failure> {
        let (started, starts) = sync_channel(1);
        let (end, ends) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("gateway".into()).spawn(move || {
            // A local task set stays on the thread that made it.
            let Ok(arbiter) = Arbiter::new(Threads::Current) else {
                return;
            };
            arbiter.block_on(async {
                if started.send(GreeterActor::new(handle).start()).is_ok() {
                    let _dropped = ends.await;
                }
            });
        })?;
        let address = starts.recv()?;
        Ok(Self { address, end: Some(end), thread: Some(thread) })
    }

    /// The actor.
    #[must_use]
    pub fn address(&self) -> Addr<GreeterActor> {
        self.address.clone()
    }
}

impl Drop for ActorThread {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
