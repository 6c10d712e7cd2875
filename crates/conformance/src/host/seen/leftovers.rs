//! What is left of a run in the file system.

use std::path::{Path, PathBuf};

use crate::host::fact::Fact;
use crate::host::plugins::Plugin;

/// Files and directories that are left.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    paths: Vec<PathBuf>,
    announced: Vec<PathBuf>,
}

impl Leftovers {
    /// Looks in the temporary directory of the run, and at the directories that
    /// the host named to the plugins. A plugin's own sockets in a directory
    /// that is not the host's do not count.
    pub(crate) fn find(temporary: &Path, plugins: &[Plugin]) -> Self {
        let mut left = Vec::new();
        let facts = || plugins.iter().flat_map(|plugin| &plugin.facts).map(|(_, fact)| fact);
        let sockets: Vec<&PathBuf> = facts()
            .filter_map(|fact| match fact {
                Fact::Listening { socket } => socket.as_ref(),
                _ => None,
            })
            .collect();
        let entries = std::fs::read_dir(temporary).into_iter().flatten().flatten();
        left.extend(entries.map(|entry| entry.path()).filter(|path| !sockets.contains(&path)));
        for fact in facts() {
            let Fact::Started(started) = fact else { continue };
            let named = ["PLUGIN_UNIX_SOCKET_DIR", "TMPDIR"];
            let named = named.iter().filter_map(|name| started.variable(name));
            let directories = named.map(PathBuf::from).filter(|path| {
                path.is_absolute()
                    && path.exists()
                    && !temporary.starts_with(path)
                    && *path != std::env::temp_dir()
                    && !left.iter().any(|known| path.starts_with(known))
            });
            let directories: Vec<PathBuf> = directories.collect();
            left.extend(directories);
        }
        left.sort();
        left.dedup();
        let announced = facts().filter_map(|fact| match fact {
            Fact::Announced { network, address, .. } if network == "unix" => Some(address),
            _ => None,
        });
        let announced = announced.map(PathBuf::from).filter(|path| path.exists()).collect();
        Self { paths: left, announced }
    }

    /// The paths.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Sockets that the host announced.
    pub(crate) fn announced(&self) -> &[PathBuf] {
        &self.announced
    }
}
