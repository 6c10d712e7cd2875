//! Where the distribution of a definition lies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use outrigger_types::{Platform, PluginDefinition, PluginName, PluginVersion};

/// A distribution's file, found but not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The zip.
    pub path: PathBuf,
    /// Whether it bears the older name, without platform.
    pub older_name: bool,
}

/// Why no distribution was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// No candidate exists.
    #[error(
        "no distribution of plugin `{name}` {version}: looked for {}; put the zip there, or correct name, version or base directory",
        list(.tried)
    )]
    NotFound {
        /// The plugin.
        name: PluginName,
        /// Its version.
        version: PluginVersion,
        /// The paths that were tried, in order.
        tried: Vec<PathBuf>,
    },
    /// A candidate is a directory, a device or the like.
    #[error("{} is not a regular file; put the plugin's zip there", .path.display())]
    NotAFile {
        /// The candidate.
        path: PathBuf,
    },
    /// A candidate could not be looked at.
    #[error("cannot look at {}; let this user read its directory", .path.display())]
    Unreadable {
        /// The candidate.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The base directory is empty or relative, so what it means would depend
    /// on where the host was started.
    #[error("base directory `{}` is not an absolute path; configure one", .path.display())]
    BaseDir {
        /// The directory as configured.
        path: PathBuf,
    },
}

/// Finds the zip of a definition in `base_dir`: `<name>-<version>-<os>-<arch>.zip`
/// first, then the older `<name>-<version>.zip`. A symbolic link is followed.
///
/// # Errors
///
/// [`LocateError`]: neither file is there, the first that is there is no
/// regular file, or the directory cannot be read.
pub fn locate(
    base_dir: &Path,
    definition: &PluginDefinition,
    platform: &Platform,
) -> Result<Located, LocateError> {
    if !base_dir.is_absolute() {
        return Err(LocateError::BaseDir { path: base_dir.to_owned() });
    }
    let PluginDefinition { name, version, .. } = definition;
    let candidates = [
        Located { path: base_dir.join(file_name(name, version, platform)), older_name: false },
        Located { path: base_dir.join(format!("{name}-{version}.zip")), older_name: true },
    ];
    for candidate in &candidates {
        let path = &candidate.path;
        match fs::metadata(path) {
            Ok(found) if found.is_file() => return Ok(candidate.clone()),
            Ok(_) => return Err(LocateError::NotAFile { path: path.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(LocateError::Unreadable { path: path.clone(), source });
            }
        }
    }
    Err(LocateError::NotFound {
        name: name.clone(),
        version: version.clone(),
        tried: candidates.map(|candidate| candidate.path).into(),
    })
}

/// The name that a distribution's file bears today.
pub(crate) fn file_name(name: &PluginName, version: &PluginVersion, platform: &Platform) -> String {
    format!("{name}-{version}-{}-{}.zip", platform.os, platform.arch)
}

fn list(paths: &[PathBuf]) -> String {
    let texts: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_types::ConfigSource;

    const LINUX: Platform = Platform { os: "linux", arch: "amd64" };

    fn definition() -> PluginDefinition {
        PluginDefinition {
            name: "acme".parse().unwrap(),
            version: "1.2.0".parse().unwrap(),
            config: ConfigSource::None,
        }
    }

    fn directory_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(dir.path().join(file), "zip").unwrap();
        }
        dir
    }

    #[test]
    fn the_name_with_platform_comes_before_the_older_one() {
        let dir = directory_with(&["acme-1.2.0-linux-amd64.zip", "acme-1.2.0.zip"]);
        let found = locate(dir.path(), &definition(), &LINUX).unwrap();
        assert_eq!(found.path, dir.path().join("acme-1.2.0-linux-amd64.zip"));
        assert!(!found.older_name);
    }

    #[test]
    fn the_older_name_is_taken_where_it_is_the_only_one() {
        let dir = directory_with(&["acme-1.2.0.zip", "acme-1.2.0-darwin-arm64.zip"]);
        let found = locate(dir.path(), &definition(), &LINUX).unwrap();
        assert_eq!(found.path, dir.path().join("acme-1.2.0.zip"));
        assert!(found.older_name);
    }

    #[test]
    fn a_missing_distribution_is_reported_with_both_paths_and_a_remedy() {
        let dir = directory_with(&["acme-1.3.0.zip"]);
        let base = dir.path().display();
        let error = locate(dir.path(), &definition(), &LINUX).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "no distribution of plugin `acme` 1.2.0: looked for {base}/acme-1.2.0-linux-amd64.zip, {base}/acme-1.2.0.zip; put the zip there, or correct name, version or base directory"
            )
        );
    }

    #[test]
    fn a_directory_in_the_place_of_the_zip_is_an_error_of_its_own() {
        let dir = directory_with(&["acme-1.2.0.zip"]);
        fs::create_dir(dir.path().join("acme-1.2.0-linux-amd64.zip")).unwrap();
        let error = locate(dir.path(), &definition(), &LINUX).unwrap_err();
        assert!(matches!(error, LocateError::NotAFile { .. }), "{error}");
    }

    #[test]
    fn an_empty_or_relative_base_directory_is_refused() {
        for base in ["", "plugins", "./plugins"] {
            let error = locate(Path::new(base), &definition(), &LINUX).unwrap_err();
            assert!(matches!(error, LocateError::BaseDir { .. }), "{error}");
        }
    }
}
