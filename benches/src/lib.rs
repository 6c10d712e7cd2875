//! What the benchmarks share: a plugin that can be launched again and again, a
//! node that hosts it, the ways to call it, and a choice of runtimes.
//!
//! ```text
//! cargo bench --locked -p outrigger-benches             # both benchmarks, in full
//! cargo bench --locked -p outrigger-benches -- --test   # each once, no figures
//! cargo bench --locked -p outrigger-benches --bench handshake -- launcher
//! ```
//!
//! Criterion shows each figure by itself and compares it with the run before.
//! The tables after it compare figures with one another: they are taken in
//! rounds that alternate, so that whatever else the machine does meets all of
//! them alike. Judge a change by a ratio; microseconds hold for one machine.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod actor;
mod arbiter;
mod launches;
mod node;
mod processes;
mod ratios;
mod ways;

use std::error::Error;

pub use actor::ActorThread;
pub use arbiter::{Arbiter, Threads};
pub use launches::{Lap, Launches};
pub use node::{Kit, Node};
pub use processes::{Cpus, children};
pub use ratios::{Row, median, table};
pub use ways::{CallActor, CallHandle, CallRaw, PAYLOAD, Way};

/// Why a fixture could not be made. A benchmark shows it and ends.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Whether this run takes figures. With `--test`, `--list`, `--profile-time`,
/// and without the `--bench` that `cargo bench` passes, it does not: then there
/// is nothing to show in a table.
#[must_use]
pub fn takes_figures() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let other = ["--test", "--list", "--profile-time"];
    given("--bench") && !other.into_iter().any(given)
}
