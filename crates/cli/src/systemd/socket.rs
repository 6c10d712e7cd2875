//! The service manager's notification socket.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A service manager that does not read delays nobody for longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// A socket that is connected to the service manager's.
#[derive(Debug)]
pub(super) struct Socket(UnixDatagram);

impl Socket {
    /// `name` is a path, or an abstract name after `@`.
    pub(super) fn connect(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            // A socket of another family, which is that of a virtual machine.
            _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect_addr(&address)?;
        Ok(Self(socket))
    }

    /// Sends assignments, a line each, as one datagram.
    pub(super) fn send(&self, assignments: &[String]) -> io::Result<()> {
        let text = assignments.join("\n");
        self.0.send(text.as_bytes()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_abstract_name_are_both_reached() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let abstract_name = format!("outrigger-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let pairs = [
            (path.clone().into_os_string(), UnixDatagram::bind(&path).unwrap()),
            (format!("@{abstract_name}").into(), UnixDatagram::bind_addr(&address).unwrap()),
        ];
        for (name, manager) in pairs {
            let socket = Socket::connect(&name).unwrap();
            socket.send(&["READY=1".to_owned(), "STATUS=x".to_owned()]).unwrap();
            let mut buffer = [0; 64];
            let length = manager.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1\nSTATUS=x", "{name:?}");
        }
    }

    #[test]
    fn what_is_no_unix_socket_or_is_not_there_is_an_error() {
        for name in ["vsock:2:1234", "relative", "/nonexistent/notify", ""] {
            assert!(Socket::connect(OsStr::new(name)).is_err(), "{name}");
        }
    }
}
