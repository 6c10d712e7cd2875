//! Unix sockets with a fresh name that nobody but their owner, or a group, can
//! reach.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};

use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::UnixListener;

use crate::group;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// A socket's file, removed with its listener.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl SocketFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The host may have removed the whole directory first.
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// Binds a socket with a fresh name in `directory`, mode 0600, or 0660 where it
/// is given to a group. Must run on a tokio runtime.
pub(crate) fn bind_in(
    directory: &Path,
    group: Option<u32>,
) -> io::Result<(UnixListener, SocketFile)> {
    let socket = tempfile::Builder::new()
        .prefix("plugin")
        .rand_bytes(10)
        .make_in(directory, |path| bind_private(path, group))?;
    let (listener, path) = socket.keep().map_err(|error| error.error)?;
    let file = SocketFile(path);
    Ok((UnixListener::from_std(listener)?, file))
}

/// Nobody can connect while the socket has another mode: it listens only
/// afterwards.
fn bind_private(path: &Path, group: Option<u32>) -> io::Result<StdUnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    let private = || {
        match group {
            Some(group) => group::give(path, group, 0o660)?,
            None => std::fs::set_permissions(path, Permissions::from_mode(0o600))?,
        }
        Ok(net::listen(&socket, BACKLOG)?)
    };
    if let Err(error) = private() {
        let _left_behind = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(StdUnixListener::from(socket))
}
