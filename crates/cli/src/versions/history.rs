//! Where each upgrade came from, so that it can be taken back.
//!
//! One small JSON file beside the distributions, for this user's eyes alone,
//! since it holds the config that an upgrade replaced.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use outrigger::distribution::{IfExists, atomic};
use outrigger::{InstanceName, PluginVersion};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::Failure;

const FILE: &str = ".outrigger-upgrades.json";

/// Upgrades that are kept for each instance; older ones are forgotten.
const KEPT: usize = 10;

/// Largest history that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// One upgrade.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Upgrade {
    pub(super) instance: InstanceName,
    pub(super) from: PluginVersion,
    pub(super) to: PluginVersion,
    /// The config before, where the upgrade replaced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) config: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    /// The latest last.
    upgrades: Vec<Upgrade>,
}

/// The history, held by this process alone until it is dropped.
#[derive(Debug)]
pub(crate) struct History {
    path: PathBuf,
    stored: Stored,
    _lock: File,
}

impl History {
    /// Opens the history of a base directory, which must exist.
    pub(crate) fn open(base_dir: &Path) -> Result<Self, Failure> {
        let failed = |error: &io::Error| {
            let what = format!("the upgrades of {} cannot be opened", base_dir.display());
            Failure::failed(&what, error)
        };
        // The directory itself is the lock: it is there, and leaves nothing.
        let lock = File::open(base_dir).map_err(|error| failed(&error))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Failure::Failed(format!(
                    "another command is changing versions in {}; run this again when it is done",
                    base_dir.display()
                )));
            }
            Err(errno) => return Err(failed(&errno.into())),
        }
        let path = base_dir.join(FILE);
        let stored = read(&path)?;
        Ok(Self { path, stored, _lock: lock })
    }

    /// The latest upgrade of an instance.
    pub(crate) fn latest(&self, instance: &InstanceName) -> Option<&Upgrade> {
        self.stored.upgrades.iter().rev().find(|upgrade| upgrade.instance == *instance)
    }

    /// Remembers an upgrade.
    pub(crate) fn push(&mut self, upgrade: Upgrade) -> Result<(), Failure> {
        let of_this = |other: &&Upgrade| other.instance == upgrade.instance;
        let known = self.stored.upgrades.iter().filter(of_this).count();
        let mut forget = (known + 1).saturating_sub(KEPT);
        let instance = upgrade.instance.clone();
        self.stored.upgrades.retain(|other| {
            let keep = other.instance != instance || forget == 0;
            forget -= usize::from(!keep);
            keep
        });
        self.stored.upgrades.push(upgrade);
        self.save()
    }

    /// Forgets the latest upgrade of an instance.
    pub(crate) fn pop(&mut self, instance: &InstanceName) -> Result<(), Failure> {
        let at = self.stored.upgrades.iter().rposition(|upgrade| upgrade.instance == *instance);
        if let Some(at) = at {
            self.stored.upgrades.remove(at);
        }
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(&self.stored)?;
        atomic::write(&self.path, &text, 0o600, IfExists::Replace)
            .map_err(|error| Failure::failed("the upgrade cannot be remembered", &error))
    }
}

fn read(path: &Path) -> Result<Stored, Failure> {
    let what = || format!("{} cannot be used; move it away", path.display());
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::default()),
        Err(error) => return Err(Failure::failed(&what(), &error)),
        Ok(found) if found.len() > LARGEST || !found.is_file() => {
            return Err(Failure::Failed(what()));
        }
        Ok(_) => {}
    }
    let text = std::fs::read(path).map_err(|error| Failure::failed(&what(), &error))?;
    serde_json::from_slice(&text).map_err(|error| Failure::failed(&what(), &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn upgrade(instance: &str, from: &str, to: &str) -> Upgrade {
        Upgrade {
            instance: InstanceName::parse(instance).unwrap(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            config: None,
        }
    }

    #[test]
    fn upgrades_are_taken_back_in_their_order_and_the_oldest_are_forgotten() {
        let base = tempfile::tempdir().unwrap();
        let name = InstanceName::parse("a").unwrap();
        let mut history = History::open(base.path()).unwrap();
        for version in 0..KEPT + 2 {
            let upgrade = upgrade("a", &version.to_string(), &(version + 1).to_string());
            history.push(upgrade).unwrap();
        }
        history.push(upgrade("b", "1", "2")).unwrap();
        drop(history);
        let mode = std::fs::metadata(base.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut history = History::open(base.path()).unwrap();
        for version in (2..KEPT + 2).rev() {
            assert_eq!(history.latest(&name).unwrap().from.as_str(), version.to_string());
            history.pop(&name).unwrap();
        }
        assert!(history.latest(&name).is_none());
        assert!(history.latest(&InstanceName::parse("b").unwrap()).is_some());
    }

    #[test]
    fn two_commands_never_change_versions_together() {
        let base = tempfile::tempdir().unwrap();
        let _first = History::open(base.path()).unwrap();
        let error = History::open(base.path()).unwrap_err().to_string();
        assert!(error.contains("another command"), "{error}");
    }

    #[test]
    fn a_history_that_is_no_history_is_named_and_left_alone() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join(FILE), "{\"upgrades\": [").unwrap();
        let error = History::open(base.path()).unwrap_err().to_string();
        assert!(error.contains(FILE), "{error}");
        let left = std::fs::read(base.path().join(FILE)).unwrap();
        assert_eq!(left, b"{\"upgrades\": [");
    }
}
