//! Where the launcher is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use outrigger_launcher::ARGV0;
use rustix::fs::{Access, access};

/// How the launcher was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LauncherSource {
    /// A setting names it.
    Setting,
    /// It is this executable: its `main` calls the hook.
    Hook,
    /// It stands beside this executable.
    Beside,
    /// It is on `PATH`.
    Path,
}

/// The program between host and plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    /// The executable.
    pub path: PathBuf,
    /// How it was found.
    pub source: LauncherSource,
}

impl Launcher {
    /// Looks for the launcher: the setting, this executable's hook, beside this
    /// executable, on `PATH`. `None` where there is none: plugins then run as
    /// plain children, and descendants in sessions of their own outlive them.
    ///
    /// # Errors
    ///
    /// The path of a setting that names no executable.
    pub fn locate(setting: Option<&Path>) -> Result<Option<Self>, PathBuf> {
        if let Some(path) = setting {
            let found = Self { path: path.to_owned(), source: LauncherSource::Setting };
            return if is_executable(path) { Ok(Some(found)) } else { Err(path.to_owned()) };
        }
        if outrigger_launcher::hook_installed() {
            let path = PathBuf::from("/proc/self/exe");
            return Ok(Some(Self { path, source: LauncherSource::Hook }));
        }
        let path = std::env::var_os("PATH");
        Ok(search(std::env::current_exe().ok().as_deref(), path.as_deref()))
    }
}

fn search(exe: Option<&Path>, path: Option<&OsStr>) -> Option<Launcher> {
    let beside = exe.and_then(Path::parent).map(|directory| directory.join(ARGV0));
    if let Some(path) = beside.filter(|path| is_executable(path)) {
        return Some(Launcher { path, source: LauncherSource::Beside });
    }
    std::env::split_paths(path?)
        // A relative entry would depend on where the node was started.
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(ARGV0))
        .find(|path| is_executable(path))
        .map(|path| Launcher { path, source: LauncherSource::Path })
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn launcher_in(directory: &Path) -> PathBuf {
        let path = directory.join(ARGV0);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_launcher_beside_the_executable_wins_over_one_on_path() {
        let (near, far) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let far_launcher = launcher_in(far.path());
        let exe = near.path().join("node");
        let path = Some(far.path().as_os_str());
        let found = search(Some(&exe), path).unwrap();
        assert_eq!(found, Launcher { path: far_launcher, source: LauncherSource::Path });
        let near_launcher = launcher_in(near.path());
        let found = search(Some(&exe), path).unwrap();
        assert_eq!(found, Launcher { path: near_launcher, source: LauncherSource::Beside });
    }

    #[test]
    fn a_setting_that_names_no_executable_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("absent");
        assert_eq!(Launcher::locate(Some(&path)), Err(path));
    }

    #[test]
    fn relative_entries_of_path_are_skipped() {
        assert_eq!(search(None, Some(OsStr::new("relative:."))), None);
    }
}
