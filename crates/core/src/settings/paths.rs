//! The paths in settings.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Env;
use super::url::Url;

/// The directory for sockets and workspaces when no setting names one:
/// `$XDG_RUNTIME_DIR/outrigger`, or `outrigger-<user>` in the temporary
/// directory. It is computed only; whoever creates it must make it private and
/// refuse one that belongs to another user.
#[must_use]
pub fn default_run_dir(env: &dyn Env) -> PathBuf {
    let absolute = |name| env.var(name).map(PathBuf::from).filter(|p| p.is_absolute());
    if let Some(dir) = absolute("XDG_RUNTIME_DIR") {
        return dir.join("outrigger");
    }
    let temporary = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    // The process's own entry belongs to its effective user.
    match std::fs::metadata("/proc/self") {
        Ok(own) => temporary.join(format!("outrigger-{}", own.uid())),
        Err(_) => temporary.join("outrigger"),
    }
}

/// A path setting: a path, or `env://NAME` for the value of a variable. The
/// result is absolute.
///
/// Unlike GoQuorum's, an unset variable is an error, because the empty path it
/// stands for there would be the working directory.
pub(super) fn resolve(text: &str, env: &dyn Env) -> Result<PathBuf, String> {
    let path = match Url::parse(text).filter(|url| url.scheme == "env") {
        None => OsString::from(text),
        Some(url) => {
            let name = url.host_name();
            env.var(&name).filter(|value| !value.is_empty()).ok_or_else(|| {
                format!("env variable {name} not found or empty; set it, or write the path here")
            })?
        }
    };
    absolute(Path::new(&path))
}

/// A path from the working directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, String> {
    if path.as_os_str().is_empty() {
        return Err("the path is empty; give a path such as `/var/lib/node/plugins`".to_owned());
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err("the path holds a NUL character; remove it".to_owned());
    }
    std::path::absolute(path).map_err(|error| {
        format!("the working directory is unknown ({error}); give an absolute path")
    })
}
