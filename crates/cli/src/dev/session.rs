//! Build, bring up, wait for a change, and again.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::block_in_place;
use tokio_util::sync::CancellationToken;

use super::build::{Built, build};
use super::fresh;
use super::hosted::Hosted;
use super::plan::Plan;
use super::show::Show;
use super::tree::Tree;
use super::watch::Watch;
use crate::failure::Failure;
use crate::signals::Signals;

pub(super) async fn run(plan: &Plan) -> Result<(), Failure> {
    // Before anything runs: a signal must find somebody who listens.
    let mut signals = Signals::new()?;
    let show = Arc::new(Show::new(plan.json, plan.label()));
    let mut hosted = Hosted::new(plan, show.clone());
    let stop = CancellationToken::new();
    let outcome = {
        let work = work(plan, &show, &mut hosted, &stop);
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                () = signals.stop(), if !stop.is_cancelled() => stop.cancel(),
            }
        }
    };
    // Whatever came of the work, the plugin ends before this command does.
    let stopped = hosted.stop(&mut signals).await;
    outcome.and(stopped)
}

async fn work(
    plan: &Plan,
    show: &Arc<Show>,
    hosted: &mut Hosted<'_>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let watch = Watch::new()?;
    let mut tree = Tree::new(&plan.directory, &plan.ignore, plan.config_file.as_deref());
    let mut changed: Vec<PathBuf> = Vec::new();
    loop {
        if hosted.serves() {
            block_in_place(|| fresh::renew(plan.entry_point()));
        }
        block_in_place(|| tree.look_before_build())?;
        watch.add(tree.directories())?;
        show.building(&changed);
        match build(plan, show, stop).await {
            Built::Stopped => return Ok(()),
            Built::No(reason) if plan.once => {
                return Err(Failure::Failed(format!("the build failed: {reason}")));
            }
            Built::No(reason) => show.build_failed(&reason, hosted.serves()),
            Built::Yes(took) => {
                show.built(took);
                match hosted.bring_up(stop).await {
                    Err(error) if plan.once => return Err(error),
                    Err(error) => show.failed(&error, hosted.serves()),
                    Ok(()) => {}
                }
            }
        }
        if stop.is_cancelled() {
            return Ok(());
        }
        if plan.once {
            return hosted.ask_once().await;
        }
        changed = block_in_place(|| tree.look_after_build())?;
        if changed.is_empty() {
            show.waiting(&plan.directory.display());
        } else {
            // Somebody may be in the middle of saving.
            watch.quiet().await;
        }
        while changed.is_empty() {
            // Folders that are new, and what was saved before they were watched.
            watch.add(tree.directories())?;
            changed = block_in_place(|| tree.look())?;
            if !changed.is_empty() {
                break;
            }
            tokio::select! {
                () = watch.changed() => {}
                () = hosted.show_events() => {}
                () = stop.cancelled() => return Ok(()),
            }
            changed = block_in_place(|| tree.look())?;
        }
    }
}
