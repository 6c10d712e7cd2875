//! What all instances stand on, and settings may change while they run: where
//! distributions lie and come from, and who judges them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use outrigger_discovery::{Central, Fingerprint, Resolver, Rules, Verifier};

use super::config::{base_dir, resolver};
use crate::error::HostError;
use crate::settings::{CentralSettings, Settings, UnpackLimits};

/// Who judges distributions, and where those come from that are not here.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Who judges.
    pub verifier: Arc<dyn Verifier>,
    /// Where they come from; `None`: nowhere.
    pub central: Option<Arc<dyn Central>>,
}

/// Makes both as settings ask. It may read small files.
pub type MakeTrust = Arc<dyn Fn(&Settings) -> Result<Trust, HostError> + Send + Sync>;

/// The keys that it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    base_dir: PathBuf,
    central: CentralSettings,
    fingerprints: Vec<Fingerprint>,
    rules: Rules,
    unpack: UnpackLimits,
}

impl Asked {
    fn of(settings: &Settings) -> Self {
        Self {
            base_dir: settings.base_dir.clone(),
            central: settings.central.clone(),
            fingerprints: settings.fingerprints.clone(),
            rules: settings.rules,
            unpack: settings.unpack,
        }
    }
}

/// See the module.
#[derive(Clone)]
pub(super) struct Ground {
    make: MakeTrust,
    asked: Arc<ArcSwap<Asked>>,
    current: Arc<ArcSwap<Resolver>>,
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl Ground {
    pub(super) fn new(settings: &Settings, trust: Trust, make: MakeTrust, run_dir: &Path) -> Self {
        let resolver = resolver(settings, trust.verifier, trust.central, run_dir);
        Self {
            make,
            asked: Arc::new(ArcSwap::from_pointee(Asked::of(settings))),
            current: Arc::new(ArcSwap::from_pointee(resolver)),
        }
    }

    /// What is in use, for whoever needs nothing else.
    pub(super) fn current(&self) -> Arc<ArcSwap<Resolver>> {
        self.current.clone()
    }

    /// What these settings ask for: what is in use, unless they ask for
    /// something else.
    pub(super) fn wanted(&self, settings: &Settings) -> Result<Arc<Resolver>, HostError> {
        let current = self.current.load_full();
        if **self.asked.load() == Asked::of(settings) {
            return Ok(current);
        }
        let trust = (self.make)(settings)?;
        Ok(Arc::new(resolver(settings, trust.verifier, trust.central, &current.run_dir)))
    }

    /// Uses it from now on. What is being fetched for the one before ends, and is
    /// asked for again by whoever needs it.
    pub(super) fn take(&self, settings: &Settings, wanted: Arc<Resolver>) -> Result<(), HostError> {
        base_dir(&settings.base_dir)?;
        self.asked.store(Arc::new(Asked::of(settings)));
        let before = self.current.swap(wanted.clone());
        if !Arc::ptr_eq(&before, &wanted)
            && let Some(central) = &before.central
        {
            central.cancel();
        }
        Ok(())
    }
}
