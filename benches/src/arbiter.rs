//! Where callers, actors and connections run.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use crate::{Failure, Way};

/// The threads of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The thread that blocks on it, and no other.
    Current,
    /// So many workers.
    Multi(usize),
}

/// A runtime with a local task set: what an actix arbiter is, when it has one
/// thread.
#[derive(Debug)]
pub struct Arbiter {
    local: LocalSet,
    runtime: Runtime,
    threads: Threads,
}

impl Arbiter {
    /// Builds it.
    ///
    /// # Errors
    ///
    /// The system refuses threads or descriptors.
    pub fn new(threads: Threads) -> Result<Self, Failure> {
        let mut builder = match threads {
            Threads::Current => Builder::new_current_thread(),
            Threads::Multi(workers) => {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(workers);
                builder
            }
        };
        Ok(Self { local: LocalSet::new(), runtime: builder.enable_all().build()?, threads })
    }

    /// Runs a future to its end; what was started here before goes on meanwhile.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.local.block_on(&self.runtime, future)
    }

    /// Has `callers` make `calls` calls in all, each the next as soon as it has
    /// an answer. Gives the time that `calls` calls took; where the callers
    /// cannot share them evenly, more are made and the time is scaled.
    ///
    /// # Panics
    ///
    /// A call fails.
    pub fn drive<W: Way>(&self, way: &W, callers: u64, calls: u64) -> Duration {
        let each = calls.div_ceil(callers);
        self.block_on(async {
            let mut tasks = JoinSet::new();
            let started = Instant::now();
            for _ in 0..callers {
                let mut way = way.clone();
                let caller = async move {
                    for _ in 0..each {
                        way.call().await;
                    }
                };
                match self.threads {
                    Threads::Current => tasks.spawn_local(caller),
                    Threads::Multi(_) => tasks.spawn(caller),
                };
            }
            while let Some(ended) = tasks.join_next().await {
                ended.expect("a call of the benchmark failed");
            }
            started.elapsed().mul_f64(calls as f64 / (each * callers) as f64)
        })
    }
}
