//! The Unix socket in the run directory.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Its name in the run directory. A second host that shares the directory has its
/// process's number in it, as in `admin-4711.sock`.
pub const SOCKET: &str = "admin.sock";

/// A socket that goes with its value.
#[derive(Debug)]
pub(crate) struct Bound(PathBuf);

impl Bound {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Somebody may have removed it.
        let _gone = fs::remove_file(&self.0);
    }
}

/// Binds it, for this user alone.
pub(crate) fn bind(run_dir: &Path) -> io::Result<(Bound, UnixListener)> {
    sweep(run_dir);
    let first = run_dir.join(SOCKET);
    let path = if answers(&first) {
        run_dir.join(format!("admin-{}.sock", std::process::id()))
    } else {
        first
    };
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The directory lets nobody else in meanwhile.
    let listener = UnixListener::bind(&path)?;
    let bound = Bound(path);
    fs::set_permissions(bound.path(), fs::Permissions::from_mode(0o600))?;
    Ok((bound, listener))
}

/// Removes what killed hosts left: sockets that nobody answers at, and their tokens.
fn sweep(run_dir: &Path) {
    let entries = fs::read_dir(run_dir).into_iter().flatten().flatten().take(MOST);
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let socket = name.starts_with("admin") && name.ends_with(".sock");
        if socket && !answers(&path) {
            for name in ["token", "read-only.token", "sock"] {
                let _gone = fs::remove_file(path.with_extension(name));
            }
        }
    }
}

/// Entries of a run directory that are looked at.
const MOST: usize = 10_000;

/// Whether a host that runs has it.
fn answers(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_of_a_host_that_is_gone_is_replaced_and_one_that_answers_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (first, listener) = bind(directory.path()).unwrap();
        assert_eq!(first.path(), directory.path().join(SOCKET));
        assert_eq!(first.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let (second, _) = bind(directory.path()).unwrap();
        assert_ne!(first.path(), second.path());
        drop(second);
        drop(listener);
        // As after hosts that were killed: the files are there and nobody answers.
        for name in ["admin-7.sock", "admin-7.token", "admin-7.read-only.token"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let other = directory.path().join("notes.token");
        fs::write(&other, "").unwrap();
        let (third, _) = bind(directory.path()).unwrap();
        assert_eq!(third.path(), first.path());
        assert!(other.exists());
        assert_eq!(directory.path().read_dir().unwrap().count(), 2);
    }
}
