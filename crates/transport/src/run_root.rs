//! The directory of a host's running plugins: private, and its own.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, StatVfsMountFlags, flock, statvfs};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::run_directory::LONGEST;

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
    /// Sockets in it would have longer paths than the system takes.
    #[error("the run directory {} makes paths of {length} bytes, of which plugins' sockets allow {limit}; set `runDir` to a shorter one", path.display())]
    TooLong {
        /// The directory.
        path: PathBuf,
        /// Bytes of the path of a generation's directory.
        length: usize,
        /// Its most.
        limit: usize,
    },
    /// Programs may not run there.
    #[error("the run directory {} is on a file system mounted noexec; set `runDir` to another", path.display())]
    NoExec {
        /// The directory.
        path: PathBuf,
    },
}

/// What the names of hosts' directories begin with.
const HOST: &str = "h";
/// The same, until one is locked.
const NEW: &str = "new-";
/// Bytes of `/h…/g…`: a host's directory, and a generation's in it.
const BENEATH: usize = 1 + 11 + 1 + 13;
/// Most directories that one sweep looks at.
const MOST: usize = 10_000;

/// A directory that one host owns, beneath the run directory; removed with it.
/// It is locked as long as the host lives, so that whoever finds it unlocked
/// knows that its host is gone.
#[derive(Debug)]
pub struct RunRoot {
    path: PathBuf,
    lock: Mutex<File>,
    /// Groups are let through.
    groups: AtomicBool,
}

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
        private(run_dir)?;
        let made = locked(run_dir).map_err(unusable)?;
        let name = made.0.path().file_name().and_then(OsStr::to_str).unwrap_or_default();
        let path = run_dir.join(name.replacen(NEW, HOST, 1));
        let lock = made.name(&path).map_err(unusable)?;
        Ok(Self { path, lock: Mutex::new(lock), groups: AtomicBool::new(false) })
    }

    /// Looks at a run directory that is there as [`create`](Self::create) does, and
    /// whether sockets' paths in it are short enough. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`RunRootError`].
    pub fn check(run_dir: &Path) -> Result<(), RunRootError> {
        let length = run_dir.as_os_str().len() + BENEATH;
        if length > LONGEST {
            let path = run_dir.to_owned();
            return Err(RunRootError::TooLong { path, length, limit: LONGEST });
        }
        checked(run_dir)
    }

    /// Makes the host's own directory again if somebody removed it, as
    /// [`create`](Self::create) would. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`RunRootError`]: what is there instead is not used.
    pub fn restore(&self) -> Result<(), RunRootError> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let unusable = |source| RunRootError::Unusable { path: self.path.clone(), source };
        let ours = lock.metadata().map_err(unusable)?;
        let found = std::fs::symlink_metadata(&self.path).ok();
        if found.as_ref().is_some_and(|it| (it.dev(), it.ino()) == (ours.dev(), ours.ino())) {
            return Ok(());
        }
        let run_dir = self.path.parent().unwrap_or(&self.path);
        private(run_dir)?;
        *lock = if found.is_some() {
            // Made by something else since; it is taken only if it is this user's.
            private(&self.path)?;
            let other = File::open(&self.path).map_err(unusable)?;
            flock(&other, FlockOperation::NonBlockingLockExclusive)
                .map_err(|errno| unusable(errno.into()))?;
            other
        } else {
            locked(run_dir).and_then(|made| made.name(&self.path)).map_err(unusable)?
        };
        if self.groups.load(Ordering::Relaxed) {
            self.let_groups_through()?;
        }
        let path = self.path.display();
        tracing::warn!(%path, "somebody removed the host's directory; it is made again");
        Ok(())
    }

    /// Removes what hosts left in a run directory that were killed, and nothing
    /// else: directories of this user's, with a host's name, that nobody has
    /// locked. Returns how many those were. `stop` is asked before each. Blocks
    /// on the disk.
    pub fn sweep(run_dir: &Path, stop: impl Fn() -> bool) -> usize {
        let Ok(entries) = std::fs::read_dir(run_dir) else { return 0 };
        let names =
            entries.take(MOST).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let is_host = |name: &String| {
            let rest = name.strip_prefix(HOST).unwrap_or_default();
            rest.len() == 10 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let mut swept = 0;
        for name in names.filter(is_host) {
            if stop() {
                break;
            }
            let path = run_dir.join(name);
            // Any other is somebody's, or going away just now.
            let Ok(Some(_lock)) = abandoned(&path) else { continue };
            match remove(&path) {
                Ok(()) => swept += 1,
                Err(error) => {
                    let path = path.display();
                    tracing::warn!(%path, %error, "what a killed host left stays");
                }
            }
        }
        swept
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
        self.groups.store(true, Ordering::Relaxed);
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
        &self.path
    }
}

impl Drop for RunRoot {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "the host's directory could not be removed");
        }
    }
}

/// Makes a directory if it is missing, and refuses one that is not this user's
/// alone, or where no program may run.
fn private(directory: &Path) -> Result<(), RunRootError> {
    let path = directory.to_owned();
    let unusable = |source| RunRootError::Unusable { path: path.clone(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory).map_err(unusable)?;
    checked(directory)
}

/// Refuses a directory that is not this user's alone, or where no program may run.
fn checked(directory: &Path) -> Result<(), RunRootError> {
    let path = directory.to_owned();
    let unusable = |source| RunRootError::Unusable { path: path.clone(), source };
    let metadata = std::fs::symlink_metadata(directory).map_err(unusable)?;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
    let ours = owner == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !ours || mode & 0o066 != 0 {
        return Err(RunRootError::Shared { path, owner, mode });
    }
    let mount = statvfs(directory).map_err(|errno| unusable(errno.into()))?;
    if mount.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Err(RunRootError::NoExec { path });
    }
    Ok(())
}

/// A directory that is locked and named as nobody's.
struct Locked(TempDir, File);

fn locked(run_dir: &Path) -> io::Result<Locked> {
    let made = tempfile::Builder::new()
        .prefix(NEW)
        .rand_bytes(10)
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(run_dir)?;
    let lock = File::open(made.path())?;
    // Nobody else knows its name yet.
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(Locked(made, lock))
}

impl Locked {
    /// Named as a host's only now, so that no sweep finds it unlocked.
    fn name(self, path: &Path) -> io::Result<File> {
        std::fs::rename(self.0.path(), path)?;
        let _renamed = self.0.keep();
        Ok(self.1)
    }
}

/// The lock of a directory whose host is gone.
fn abandoned(path: &Path) -> io::Result<Option<File>> {
    let found = std::fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Ok(None);
    }
    let lock = File::open(path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(lock)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Removes a tree whose directories may be read-only, as unpacked ones are.
fn remove(path: &Path) -> io::Result<()> {
    let mut pending = vec![path.to_owned()];
    while let Some(directory) = pending.pop() {
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    std::fs::remove_dir_all(path)
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

    /// What a host that was killed leaves: a tree, unlocked.
    fn left_by_a_killed_host(run_dir: &Path) -> PathBuf {
        let root = RunRoot::create(run_dir).unwrap();
        let path = root.path().to_owned();
        let tree = path.join("w1/tree/deep");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join("file"), "x").unwrap();
        for directory in [tree.as_path(), tree.parent().unwrap()] {
            std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o500)).unwrap();
        }
        flock(&*root.lock.lock().unwrap(), FlockOperation::Unlock).unwrap();
        std::mem::forget(root);
        path
    }

    #[test]
    fn what_killed_hosts_left_is_swept_and_nothing_else_is() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("run");
        let alive = RunRoot::create(&run_dir).unwrap();
        let dead = [left_by_a_killed_host(&run_dir), left_by_a_killed_host(&run_dir)];
        let others = ["notes", "h12345", "new-abcdefghij", "habcdefghi.", "gabcdefghij"];
        others.iter().for_each(|name| std::fs::create_dir(run_dir.join(name)).unwrap());
        std::fs::write(run_dir.join("habcdefghij"), "a file").unwrap();
        assert_eq!(RunRoot::sweep(&run_dir, || true), 0, "it was told to stop");
        assert_eq!(RunRoot::sweep(&run_dir, || false), 2);
        assert!(dead.iter().all(|path| !path.exists()) && alive.path().exists());
        assert_eq!(run_dir.read_dir().unwrap().count(), others.len() + 2);
        assert_eq!(RunRoot::sweep(&run_dir, || false), 0);
        assert_eq!(RunRoot::sweep(&parent.path().join("absent"), || false), 0);
    }

    #[test]
    fn a_host_s_directory_that_somebody_removed_is_made_again_and_locked() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("run");
        let root = RunRoot::create(&run_dir).unwrap();
        root.restore().unwrap();
        std::fs::remove_dir_all(&run_dir).unwrap();
        root.restore().unwrap();
        assert_eq!(root.path().metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(RunRoot::sweep(&run_dir, || false), 0, "it is somebody's");
        drop(root);
        assert_eq!(run_dir.read_dir().unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_put_in_the_place_of_a_removed_directory_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("run");
        let root = RunRoot::create(&run_dir).unwrap();
        root.let_groups_through().unwrap();
        std::fs::remove_dir_all(&run_dir).unwrap();
        std::fs::create_dir(&run_dir).unwrap();
        std::fs::set_permissions(&run_dir, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(root.restore(), Err(RunRootError::Shared { mode: 0o777, .. })));
        std::fs::remove_dir(&run_dir).unwrap();
        std::os::unix::fs::symlink(parent.path(), &run_dir).unwrap();
        assert!(matches!(root.restore(), Err(RunRootError::Shared { .. })));
        std::fs::remove_file(&run_dir).unwrap();
        // One of our own that nobody has locked is: what a workspace made.
        std::fs::create_dir_all(root.path()).unwrap();
        for path in [run_dir.as_path(), root.path()] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        root.restore().unwrap();
        assert_eq!(root.path().metadata().unwrap().mode() & 0o777, 0o711);
        assert_eq!(RunRoot::sweep(&run_dir, || false), 0);
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

    #[tokio::test]
    async fn a_check_changes_nothing_and_knows_how_long_the_paths_will_be() {
        let parent = tempfile::tempdir().unwrap();
        let run_dir = parent.path().join("run");
        assert!(matches!(RunRoot::check(&run_dir), Err(RunRootError::Unusable { .. })));
        assert!(!run_dir.exists());
        let root = RunRoot::create(&run_dir).unwrap();
        RunRoot::check(&run_dir).unwrap();
        let directory =
            crate::run_directory::RunDirectory::create(root.path(), None).await.unwrap();
        let length = directory.path().as_os_str().len();
        assert_eq!(length, run_dir.as_os_str().len() + BENEATH);
        let long = run_dir.join("x".repeat(LONGEST));
        assert!(matches!(RunRoot::check(&long), Err(RunRootError::TooLong { .. })));
        std::fs::set_permissions(&run_dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(RunRoot::check(&run_dir), Err(RunRootError::Shared { .. })));
    }

    #[test]
    fn a_symbolic_link_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        assert!(matches!(RunRoot::create(&link), Err(RunRootError::Shared { .. })));
    }
}
