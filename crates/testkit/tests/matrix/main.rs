//! The interop matrix: hosts and plugins of every make, over the real protocol.
//!
//! Not every combination is run, but every two choices come together in one
//! ([`cell::chosen`]). `docs/interop.md` lists them, and those that cannot be.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, starts processes, and says what it skips"
)]

mod cell;
mod page;
mod run;

use cell::{Cell, Host, Release};
use outrigger_testkit::e2e;

/// Cells that run at the same time.
const AT_ONCE: usize = 2;

/// Runs all chosen cells of a host, and fails with all that went wrong.
async fn runs(host: Host) {
    let cells: Vec<Cell> = cell::chosen().into_iter().filter(|cell| cell.host == host).collect();
    assert!(!cells.is_empty(), "no cell was chosen for {host}");
    let mut wrong = Vec::new();
    for some in cells.chunks(AT_ONCE) {
        let running: Vec<_> = some
            .iter()
            .copied()
            .map(|cell| (cell, tokio::task::spawn_blocking(move || run::run(&cell))))
            .collect();
        for (cell, done) in running {
            match done.await.unwrap() {
                None => eprintln!("skipped: {cell}"),
                Some(faults) if faults.is_empty() => eprintln!("held: {cell}"),
                Some(faults) => wrong.push(format!("{cell}:\n  {}", faults.join("\n  "))),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

e2e! {
    async fn our_host_runs_plugins_of_every_make() {
        runs(Host::Ours).await;
    }

    async fn go_plugin_1_0_1_runs_plugins_of_every_make() {
        runs(Host::Go(Release::V1_0_1)).await;
    }

    async fn go_plugin_1_4_4_runs_plugins_of_every_make() {
        runs(Host::Go(Release::V1_4_4)).await;
    }

    async fn go_plugin_1_6_3_runs_plugins_of_every_make() {
        runs(Host::Go(Release::V1_6_3)).await;
    }

    async fn go_plugin_1_8_0_runs_plugins_of_every_make() {
        runs(Host::Go(Release::V1_8_0)).await;
    }

    async fn python_plugin_runs_plugins_of_every_make() {
        runs(Host::PythonPlugin).await;
    }
}
