//! The distributions that lie in a base directory.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use outrigger::{Platform, PluginName, PluginVersion};

/// Most files of a directory that are looked at.
const MOST: usize = 100_000;

/// The versions of a plugin in `base_dir`, in both forms of a file's name, the
/// oldest first. A directory that is not there has none.
pub(super) fn versions(
    base_dir: &Path,
    name: &PluginName,
    platform: &Platform,
) -> io::Result<Vec<PluginVersion>> {
    let listed = match std::fs::read_dir(base_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = BTreeSet::new();
    for entry in listed.take(MOST) {
        let file = entry?.file_name();
        found.extend(file.to_str().and_then(|file| version(file, name, platform)));
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(PluginVersion::precedence);
    Ok(found)
}

/// The version in a file's name, if it is this plugin's for this platform.
fn version(file: &str, name: &PluginName, platform: &Platform) -> Option<PluginVersion> {
    let rest = file.strip_prefix(name.as_str())?.strip_prefix('-')?.strip_suffix(".zip")?;
    let suffix = format!("-{}-{}", platform.os, platform.arch);
    let version = rest.strip_suffix(&suffix).unwrap_or(rest);
    // Names may have `-` in them: `x-y-1.0.0.zip` is no version of `x`.
    let parsed = PluginVersion::parse(version).ok()?;
    version.starts_with(|c: char| c.is_ascii_digit() || c == 'v').then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: Platform = Platform { os: "linux", arch: "amd64" };

    #[test]
    fn a_plugin_s_versions_are_read_from_file_names_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            "hello-1.10.0-linux-amd64.zip",
            "hello-1.9.0-linux-amd64.zip",
            "hello-1.9.0.zip",
            "hello-2.0.0-rc1.zip",
            "hello-2.0.0.zip",
            "hello-world-3.0.0.zip",
            "hello-1.0.0.zip.sha256sum.asc",
            "other-1.0.0.zip",
            "gpg.key",
        ] {
            std::fs::write(directory.path().join(file), "").unwrap();
        }
        let name = PluginName::parse("hello").unwrap();
        let found = versions(directory.path(), &name, &LINUX).unwrap();
        let found: Vec<&str> = found.iter().map(PluginVersion::as_str).collect();
        assert_eq!(found, ["1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0"]);
        let absent = versions(&directory.path().join("absent"), &name, &LINUX).unwrap();
        assert!(absent.is_empty());
    }
}
