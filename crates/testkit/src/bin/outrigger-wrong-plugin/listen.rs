//! Sockets: where they are and whose.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::UnixListener;

use crate::wrong::is;

/// What is to be removed at the end.
pub(crate) static SOCKETS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Which of a plugin's sockets it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Main,
    Brokered,
}

/// The path of a new socket.
pub(crate) fn path(role: Role) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let directory = std::env::var("PLUGIN_UNIX_SOCKET_DIR").unwrap_or_default();
    let elsewhere = role == Role::Main && is("socket-elsewhere");
    let directory = if directory.is_empty() || elsewhere {
        std::env::temp_dir()
    } else {
        PathBuf::from(directory)
    };
    if role == Role::Main && is("socket-of-one-name") {
        return directory.join("plugin.sock");
    }
    // A process id alone may have been somebody else's before.
    let made = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let made = made.map_or(0, |since| since.as_nanos() % 1_000_000_000);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    directory.join(format!("plugin{}-{made}-{number}", std::process::id()))
}

/// Binds a socket there, with the group that the host asks for.
pub(crate) fn bind(path: &Path, role: Role) -> io::Result<UnixListener> {
    if role == Role::Main && is("socket-of-one-name") {
        let _free = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path)?;
    SOCKETS.lock().expect("invariant: nobody panics with it").push(path.to_owned());
    let group = std::env::var("PLUGIN_UNIX_SOCKET_GROUP").unwrap_or_default();
    let ignored = role == Role::Main && is("group-ignored");
    if !group.is_empty() && !ignored {
        let number = group.parse().ok().or_else(|| by_name(&group));
        let unknown = || io::Error::other(format!("there is no group {group}"));
        chown(path, None, Some(number.ok_or_else(unknown)?))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    }
    Ok(listener)
}

fn by_name(group: &str) -> Option<u32> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    let line = groups.lines().find(|line| line.split(':').next() == Some(group))?;
    line.split(':').nth(2)?.parse().ok()
}

/// Removes all sockets, but those that a wrong leaves.
pub(crate) fn remove() {
    let sockets = SOCKETS.lock().expect("invariant: nobody panics with it");
    for (index, path) in sockets.iter().enumerate() {
        let left = if index == 0 { "leaves-its-socket" } else { "leaves-brokered-sockets" };
        if !is(left) {
            let _gone = std::fs::remove_file(path);
        }
    }
}
