//! Watching the settings' files: what is in them decides, not when they were
//! written, and only what has stayed for a while is taken up.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::mail::Mail;
use outrigger_types::Sha256Digest;
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::actor::{PluginManager, flatten_host};
use super::messages::ApplyWatched;
use crate::error::HostError;
use crate::settings::MAX_FILE_BYTES;

/// How the settings' files are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchSettings {
    /// How often they are looked at; 1 s by default.
    pub every: Duration,
    /// How long they must have stayed as they are; 1 s by default. An editor writes
    /// a file in several steps.
    pub settle: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), settle: Duration::from_secs(1) }
    }
}

impl WatchSettings {
    /// Looks this often, at least every minute and at most a hundred times a second.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.clamp(OFTEN, SELDOM);
        self
    }

    /// Takes up what has stayed this long.
    #[must_use]
    pub const fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }
}

/// What is in the files, all together; `None` while one of them cannot be read.
#[must_use]
pub fn digest_of(files: &[PathBuf]) -> Option<Sha256Digest> {
    let mut bytes = Vec::new();
    for file in files {
        // One byte more than is allowed: whoever parses it says that.
        let limit = MAX_FILE_BYTES.saturating_add(1);
        let read = File::open(file).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        bytes.extend_from_slice(&read.to_le_bytes());
    }
    outrigger_discovery::sha256(bytes.as_slice()).ok()
}

/// What was taken up, and what may be next.
#[derive(Debug)]
struct Settling {
    taken: Option<Sha256Digest>,
    seen: Option<(Sha256Digest, Instant)>,
    settle: Duration,
}

impl Settling {
    /// It was taken up, or can never be.
    fn took(&mut self, digest: Sha256Digest) {
        self.taken = Some(digest);
        self.seen = None;
    }

    /// Whether what is in the files now is to be taken up.
    fn saw(&mut self, now: Option<Sha256Digest>, at: Instant) -> bool {
        let Some(digest) = now.filter(|digest| self.taken != Some(*digest)) else {
            self.seen = None;
            return false;
        };
        match self.seen {
            Some((seen, since)) if seen == digest => {
                at.saturating_duration_since(since) >= self.settle
            }
            _ => {
                self.seen = Some((digest, at));
                false
            }
        }
    }
}

/// How often files are looked at, at most and at least.
const OFTEN: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_secs(60);

/// Until the host ends: has settings applied that changed and settled.
pub(super) async fn watch(
    files: Vec<PathBuf>,
    known: Option<Sha256Digest>,
    how: WatchSettings,
    manager: Mail<PluginManager>,
    io: Handle,
    end: CancellationToken,
) {
    let mut settling = Settling { taken: known, seen: None, settle: how.settle };
    let mut ticks = tokio::time::interval(how.every.clamp(OFTEN, SELDOM));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = end.cancelled() => return,
        }
        let looked_at = files.clone();
        let digest = tokio::select! {
            digest = io.spawn_blocking(move || digest_of(&looked_at)) => digest.ok().flatten(),
            () = end.cancelled() => return,
        };
        let settled = settling.saw(digest, Instant::now());
        let Some(digest) = digest.filter(|_| settled) else { continue };
        tracing::info!("the settings changed");
        let apply = ApplyWatched { files: files.clone(), digest };
        let applied = tokio::select! {
            applied = manager.send(apply) => flatten_host(applied),
            () = end.cancelled() => return,
        };
        match applied {
            Ok(applied) => {
                settling.took(digest);
                let (added, removed) = (applied.added.len(), applied.removed.len());
                let (changed, failed) = (applied.changed.len(), applied.failed.len());
                tracing::info!(added, removed, changed, failed, "the settings were applied");
                for error in applied.failed {
                    tracing::warn!("{error}");
                }
            }
            // Once more, when they have settled.
            Err(HostError::SettingsMoved) => tracing::debug!("the settings changed again"),
            Err(HostError::TimedOut { what, limit }) => {
                tracing::warn!("the settings wait for {what}, which takes over {limit:?}");
            }
            Err(error) => {
                settling.took(digest);
                tracing::warn!("the settings were not applied: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(n: u8) -> Option<Sha256Digest> {
        outrigger_discovery::sha256([n].as_slice()).ok()
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_for_the_settle_time_is_taken_up_once() {
        let settle = Duration::from_secs(1);
        let mut settling = Settling { taken: digest(0), seen: None, settle };
        let at = |ms| Instant::now() + Duration::from_millis(ms);
        let (start, rows) = (
            Instant::now(),
            [
                (0, digest(0), false),
                (100, digest(1), false),
                (900, digest(1), false),
                // Written again, then gone, then back: each time from the start.
                (1_000, digest(2), false),
                (1_500, None, false),
                (1_600, digest(2), false),
                (2_500, digest(2), false),
                (2_600, digest(2), true),
                (2_700, digest(2), false),
                // Back to what is in use: nothing to do.
                (2_800, digest(3), false),
                (2_900, digest(2), false),
                (9_000, digest(2), false),
            ],
        );
        assert_eq!(start, at(0));
        for (ms, seen, expected) in rows {
            let settled = settling.saw(seen, at(ms));
            assert_eq!(settled, expected, "at {ms} ms");
            if settled {
                settling.took(seen.unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_taken_up_that_did_not_stay(
            steps in proptest::collection::vec((0u8..4, 0u64..700), 1..200),
        ) {
            let settle = Duration::from_millis(1_000);
            let mut settling = Settling { taken: None, seen: None, settle };
            let start = Instant::now();
            let (mut now, mut before, mut since) = (start, None, start);
            for (what, ms) in steps {
                now += Duration::from_millis(ms);
                let seen = (what > 0).then(|| digest(what)).flatten();
                if seen != before {
                    (before, since) = (seen, now);
                }
                if settling.saw(seen, now) {
                    prop_assert!(seen.is_some() && now.duration_since(since) >= settle);
                }
            }
        }
    }

    #[test]
    fn the_digest_follows_what_is_in_the_files_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
        std::fs::write(&one, "a").unwrap();
        assert_eq!(digest_of(&[one.clone(), two.clone()]), None);
        std::fs::write(&two, "bc").unwrap();
        let both = [one.clone(), two.clone()];
        let before = digest_of(&both);
        std::fs::write(&one, "a").unwrap();
        assert_eq!(digest_of(&both), before);
        // The same bytes, but not in the same files.
        std::fs::write(&one, "ab").unwrap();
        std::fs::write(&two, "c").unwrap();
        assert_ne!(digest_of(&both), before);
    }
}
