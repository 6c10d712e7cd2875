//! The private directory of one generation, for its sockets and temporary
//! files.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use outrigger_types::failpoint;
use tempfile::TempDir;

use crate::error::LaunchError;
use crate::group::{give, group_id};

/// A socket's path has 107 bytes, of which plugins need some for a name.
pub(crate) const LONGEST: usize = 90;

/// A directory with a name that nobody can guess: the host's alone, mode 0700,
/// or a group's too, mode 0770.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    directory: Mutex<Option<TempDir>>,
    path: PathBuf,
    group: Option<u32>,
}

impl RunDirectory {
    /// Makes one in `parent`, for the group of that number or name too.
    ///
    /// # Errors
    ///
    /// [`LaunchError`]; nothing is left.
    pub(crate) async fn create(parent: &Path, group: Option<&str>) -> Result<Self, LaunchError> {
        let failed = |source| LaunchError::RunDir { path: parent.to_owned(), source };
        let (within, group) = (parent.to_owned(), group.map(str::to_owned));
        let making = tokio::task::spawn_blocking(move || {
            let failed = |source| LaunchError::RunDir { path: within.clone(), source };
            let directory = make(&within).map_err(failed)?;
            let Some(group) = group else { return Ok((directory, None)) };
            let refused = |reason| LaunchError::SocketGroup { group: group.clone(), reason };
            let id = group_id(&group).map_err(|error| refused(error.to_string()))?;
            give(directory.path(), id, 0o770).map_err(|error| refused(error.to_string()))?;
            Ok::<_, LaunchError>((directory, Some(id)))
        });
        let (directory, group) =
            making.await.map_err(|error| failed(io::Error::other(error)))??;
        let path = directory.path().to_owned();
        if path.as_os_str().len() > LONGEST {
            return Err(LaunchError::RunDirTooLong { path, limit: LONGEST });
        }
        Ok(Self { directory: Mutex::new(Some(directory)), path, group })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The group that may reach what is in it, beside this user.
    pub(crate) const fn group(&self) -> Option<u32> {
        self.group
    }

    /// Removes it with whatever the plugin left there.
    pub(crate) async fn remove(&self) {
        let taken = self.directory.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(directory) = taken else { return };
        let removed = tokio::task::spawn_blocking(move || directory.close()).await;
        if let Ok(Err(error)) = removed {
            let path = self.path.display();
            tracing::warn!(%path, %error, "a run directory could not be removed");
        }
    }
}

fn make(parent: &Path) -> io::Result<TempDir> {
    failpoint::io("launch.directory")?;
    let private = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("g").rand_bytes(12).permissions(private).tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[tokio::test]
    async fn the_directory_is_private_or_the_group_s_by_number_and_by_name() {
        let parent = tempfile::tempdir().unwrap();
        let own = rustix::process::getegid().as_raw();
        let mode = |directory: &RunDirectory| {
            let metadata = directory.path().metadata().unwrap();
            (metadata.mode() & 0o7777, metadata.gid())
        };
        let private = RunDirectory::create(parent.path(), None).await.unwrap();
        assert_eq!(mode(&private).0, 0o700);
        let groups = std::fs::read_to_string("/etc/group").unwrap();
        let by_name = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == own.to_string()).then(|| name.to_owned())
        });
        for text in [Some(own.to_string()), by_name].into_iter().flatten() {
            let directory = RunDirectory::create(parent.path(), Some(&text)).await.unwrap();
            assert_eq!(mode(&directory), (0o770, own), "{text}");
            directory.remove().await;
        }
        private.remove().await;
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_parent_that_is_too_long_for_sockets_is_refused_and_left_clean() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("x".repeat(90));
        std::fs::create_dir(&long).unwrap();
        let error = RunDirectory::create(&long, None).await.unwrap_err();
        assert!(matches!(error, LaunchError::RunDirTooLong { .. }), "{error}");
        assert_eq!(long.read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_group_that_nobody_has_is_refused_by_name_and_nothing_is_left() {
        let parent = tempfile::tempdir().unwrap();
        let error = RunDirectory::create(parent.path(), Some("no such group")).await.unwrap_err();
        assert!(error.to_string().contains("`no such group`") && error.is_permanent(), "{error}");
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    }
}
