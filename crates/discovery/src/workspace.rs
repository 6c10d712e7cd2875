//! The private directory that one unpacked distribution lives in.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use outrigger_types::failpoint;

/// 22 random letters and digits are 130 bits.
const RANDOM_CHARACTERS: usize = 22;

/// A directory that only this user can enter, removed with all it holds when
/// the value is dropped. The distribution's files stand in [`Workspace::tree`].
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
}

/// Why no private directory could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The run directory could not be created.
    #[error("cannot create run directory {}; configure one that this user can write to", .path.display())]
    RunDir {
        /// The run directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The directory beneath the run directory could not be created.
    #[error(
        "cannot create a private directory in {}; let this user write there and check that the disk has room",
        .run_dir.display()
    )]
    Create {
        /// The run directory.
        run_dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Workspace {
    /// Creates a directory with mode 0700 and a random name, which starts with
    /// `label`, beneath `run_dir`; the latter is created with mode 0700 where
    /// it is missing.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError`] where either directory cannot be created.
    pub fn create(run_dir: &Path, label: &str) -> Result<Self, WorkspaceError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(run_dir)
            .map_err(|source| WorkspaceError::RunDir { path: run_dir.to_owned(), source })?;
        let create = || {
            let path = tempfile::Builder::new()
                .prefix(&format!("{label}-"))
                .rand_bytes(RANDOM_CHARACTERS)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(run_dir)?
                .keep();
            let workspace = Self { path };
            failpoint::io("resolve.workspace")?;
            DirBuilder::new().mode(0o700).create(workspace.tree())?;
            Ok(workspace)
        };
        create().map_err(|source| WorkspaceError::Create { run_dir: run_dir.to_owned(), source })
    }

    /// The directory itself, mode 0700.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that the distribution is unpacked into, mode 0500 once it
    /// is.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.path.join("tree")
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let removed = unlock(&self.path).and_then(|()| fs::remove_dir_all(&self.path));
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            let path = self.path.display();
            tracing::warn!(%path, %error, "a workspace was left behind; remove it by hand");
        }
    }
}

/// Makes every directory of a tree writable, as removing its entries needs.
fn unlock(root: &Path) -> io::Result<()> {
    // A plugin of the same user may have put symbolic links into the tree; a
    // capability directory never follows one out of it.
    let root = Dir::open_ambient_dir(root, ambient_authority())?;
    let mut pending = vec![PathBuf::from(".")];
    while let Some(path) = pending.pop() {
        let mode = cap_std::fs::Permissions::from_std(Permissions::from_mode(0o700));
        root.set_permissions(&path, mode)?;
        for entry in root.read_dir(&path)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                let name: OsString = entry.file_name();
                pending.push(path.join(name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_workspace_is_private_and_its_name_is_random() {
        let run_dir = tempfile::tempdir().unwrap();
        let one = Workspace::create(run_dir.path(), "acme-1.2.0").unwrap();
        let two = Workspace::create(run_dir.path(), "acme-1.2.0").unwrap();
        assert_ne!(one.path(), two.path());
        assert_eq!(mode(one.path()), 0o700);
        let name = one.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("acme-1.2.0-"), "{name}");
        assert_eq!(name.len(), "acme-1.2.0-".len() + 22);
    }

    #[test]
    fn a_missing_run_directory_is_created_private() {
        let outer = tempfile::tempdir().unwrap();
        let run_dir = outer.path().join("run/plugins");
        let _workspace = Workspace::create(&run_dir, "acme").unwrap();
        assert_eq!(mode(&run_dir), 0o700);
    }

    #[test]
    fn dropping_removes_read_only_directories_and_spares_what_links_point_to() {
        let run_dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o750)).unwrap();
        fs::write(outside.path().join("kept"), "").unwrap();
        let workspace = Workspace::create(run_dir.path(), "acme").unwrap();
        let deep = workspace.tree().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "").unwrap();
        symlink(outside.path(), workspace.tree().join("a/link")).unwrap();
        for dir in [&deep, &workspace.tree().join("a"), &workspace.tree()] {
            fs::set_permissions(dir, Permissions::from_mode(0o500)).unwrap();
        }
        drop(workspace);
        assert_eq!(fs::read_dir(run_dir.path()).unwrap().count(), 0);
        assert!(outside.path().join("kept").exists());
        assert_eq!(mode(outside.path()), 0o750);
    }
}
