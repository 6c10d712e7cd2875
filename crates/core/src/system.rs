//! The thread that runs the actors, so that a node keeps its own runtime.

use std::io;
use std::thread::JoinHandle;

use actix::System;

/// An actix system on a thread of its own. May be started from within a tokio
/// program, and more than once in a process.
#[derive(Debug)]
pub(crate) struct ActorSystem {
    system: System,
    thread: JoinHandle<()>,
}

impl ActorSystem {
    /// Starts the thread and, on it, whatever `make` starts. Blocks for the
    /// start of a thread.
    pub(crate) fn start<T: Send + 'static>(
        make: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<(Self, T)> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("outrigger".into()).spawn(move || {
            let runner = System::new();
            let made = runner.block_on(async { (System::current(), make()) });
            if sender.send(made).is_ok() {
                let _code = runner.run();
            }
        })?;
        let (system, made) =
            receiver.recv().map_err(|_| io::Error::other("the actor thread ended at its start"))?;
        Ok((Self { system, thread }, made))
    }

    /// Ends the thread; actors that still run are dropped. Blocks until it has
    /// ended, so it belongs on a blocking thread.
    pub(crate) fn stop(self) {
        self.system.stop();
        if self.thread.join().is_err() {
            tracing::error!("the actor thread panicked");
        }
    }
}
