//! The directory of a host's running plugins: private, and its own.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

/// Why plugins cannot run in a directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunRootError {
    /// The directory cannot be made.
    #[error("the run directory {} cannot be used: {source}; set `runDir` to a directory of this user's", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Others own it or may write to it.
    #[error("the run directory {} belongs to user {owner} with mode {mode:03o}; it must belong to this user with mode 700, or 711 where groups are let through", path.display())]
    Shared {
        /// The directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// Programs may not run there.
    #[error("the run directory {} is on a file system mounted noexec; set `runDir` to another", path.display())]
    NoExec {
        /// The directory.
        path: PathBuf,
    },
}

/// A directory that one host owns, beneath the run directory; removed with it.
#[derive(Debug)]
pub struct RunRoot(TempDir);

impl RunRoot {
    /// Makes the run directory if it is missing (mode 0700), checks it, and
    /// makes this host's own directory in it. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`RunRootError`]; nothing is left but the run directory itself.
    pub fn create(run_dir: &Path) -> Result<Self, RunRootError> {
        let path = run_dir.to_owned();
        let unusable = |source| RunRootError::Unusable { path: path.clone(), source };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(run_dir).map_err(unusable)?;
        let metadata = std::fs::symlink_metadata(run_dir).map_err(unusable)?;
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
        let ours = owner == rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || !ours || mode & 0o066 != 0 {
            return Err(RunRootError::Shared { path, owner, mode });
        }
        let mount = statvfs(run_dir).map_err(|errno| unusable(errno.into()))?;
        if mount.f_flag.contains(StatVfsMountFlags::NOEXEC) {
            return Err(RunRootError::NoExec { path });
        }
        let permissions = std::fs::Permissions::from_mode(0o700);
        let made = tempfile::Builder::new()
            .prefix("h")
            .rand_bytes(10)
            .permissions(permissions)
            .tempdir_in(run_dir);
        made.map(Self).map_err(unusable)
    }

    /// Lets other users pass through, which a group must that may reach a
    /// plugin's sockets: mode 0711 for the run directory and the host's own. They
    /// can list neither; what lies beneath has modes of its own and names that
    /// nobody can guess. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`RunRootError::Unusable`].
    pub fn let_groups_through(&self) -> Result<(), RunRootError> {
        let own = self.path();
        for path in own.parent().into_iter().chain([own]) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711))
                .map_err(|source| RunRootError::Unusable { path: path.to_owned(), source })?;
        }
        Ok(())
    }

    /// The host's own directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_run_directory_is_made_private_and_the_host_s_own_part_goes_again() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("a/b");
        let root = RunRoot::create(&run_dir).unwrap();
        for path in [run_dir.as_path(), root.path()] {
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700, "{path:?}");
        }
        drop(root);
        assert_eq!(run_dir.read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_run_directory_that_others_can_write_to_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = RunRoot::create(parent.path()).unwrap_err();
        assert!(matches!(error, RunRootError::Shared { mode: 0o777, .. }), "{error}");
    }

    #[test]
    fn groups_pass_through_when_they_are_let_and_list_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("run");
        let root = RunRoot::create(&run_dir).unwrap();
        root.let_groups_through().unwrap();
        for path in [run_dir.as_path(), root.path()] {
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o711, "{path:?}");
        }
        // The next host finds the run directory so.
        assert!(RunRoot::create(&run_dir).is_ok());
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        assert!(matches!(RunRoot::create(&link), Err(RunRootError::Shared { .. })));
    }
}
