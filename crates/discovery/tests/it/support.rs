//! A base directory, a run directory, and a look at everything around them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_discovery::{
    DiscoveryError, Limits, Resolved, Resolver, Rules, Verification, Verifier,
};
use outrigger_types::{ConfigSource, Platform, PluginDefinition};
use tempfile::TempDir;

pub(crate) const LINUX: Platform = Platform { os: "linux", arch: "amd64" };
pub(crate) const ZIP: &str = "acme-1.2.0-linux-amd64.zip";

pub(crate) struct Place {
    root: TempDir,
    pub(crate) resolver: Resolver,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let base_dir = root.path().join("base");
        let run_dir = root.path().join("run");
        for dir in [&base_dir, &run_dir] {
            fs::create_dir(dir).unwrap();
        }
        let verifier = Arc::new(Verification::DangerSkip);
        let limits = Limits::default();
        let resolver = Resolver {
            base_dir,
            run_dir,
            verifier,
            limits,
            platform: LINUX,
            central: None,
            rules: Rules::default(),
        };
        Self { root, resolver }
    }

    pub(crate) fn with_zip(bytes: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.zip(), bytes).unwrap();
        place
    }

    pub(crate) fn zip(&self) -> PathBuf {
        self.resolver.base_dir.join(ZIP)
    }

    pub(crate) fn verifier(&mut self, verifier: impl Verifier + 'static) {
        self.resolver.verifier = Arc::new(verifier);
    }

    pub(crate) fn resolve(&self) -> Result<Resolved, DiscoveryError> {
        self.resolver.resolve(&definition(), None, &|| Duration::ZERO)
    }

    /// Every path beneath the root, with kind, mode and length.
    pub(crate) fn listing(&self) -> Vec<String> {
        listing(self.root.path())
    }
}

pub(crate) fn definition() -> PluginDefinition {
    PluginDefinition {
        name: "acme".parse().unwrap(),
        version: "1.2.0".parse().unwrap(),
        config: ConfigSource::None,
    }
}

pub(crate) fn listing(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        let shown = path.strip_prefix(root).unwrap().display();
        let len = if found.is_file() { found.len() } else { 0 };
        lines.push(format!("{shown} {:o} {len}", found.mode()));
        if found.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    lines.sort();
    lines
}

/// The parts of [`listing`] that a test names: path and permission bits.
pub(crate) fn modes(root: &Path) -> Vec<(String, u32)> {
    let parse = |line: String| {
        let mut words = line.rsplitn(3, ' ');
        let (_, mode, path) = (words.next(), words.next().unwrap(), words.next().unwrap());
        (path.to_owned(), u32::from_str_radix(mode, 8).unwrap() & 0o7777)
    };
    listing(root).into_iter().map(parse).collect()
}
