//! How the two sides of a session reach each other beside the main connection.

use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use outrigger_proto::plugin::ConnInfo;
use tokio::net::UnixListener;

use super::BrokerError;
use super::table::{Offer, reason};
use crate::error::ConnectError;
use crate::handshake::{Address, shorten};
use crate::mux::{Session, Side};
use crate::sockets::{SocketFile, bind_in};
use crate::tls::PeerTls;
use crate::translate::Translate;

/// What a broker must know to make connections.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) side: Side,
    /// As on the main connection; without it there is none.
    pub(crate) tls: Option<PeerTls>,
    /// The application protocol version, for the connections that are made.
    pub(crate) version: u32,
    /// The largest message, for those connections too.
    pub(crate) largest_message: usize,
    pub(crate) route: Route,
}

/// Where brokered connections go.
#[derive(Debug)]
pub(crate) enum Route {
    /// Over a socket each.
    Sockets(Sockets),
    /// Over streams of the one session, which is there before the brokers'
    /// stream is.
    Streams(Arc<OnceLock<Session>>),
}

/// Where sockets are made, and which ones are dialled.
#[derive(Debug, Clone)]
pub(crate) struct Sockets {
    /// Where our own are made.
    pub(crate) directory: PathBuf,
    /// Whose they are beside ours; they have mode 0660 then.
    pub(crate) group: Option<u32>,
    /// The only directory whose sockets are dialled.
    pub(crate) confine: Option<PathBuf>,
    /// Between addresses that mean something else on the other side.
    pub(crate) translate: Option<Arc<dyn Translate>>,
}

impl Sockets {
    pub(super) fn bind(&self) -> Result<(UnixListener, SocketFile), BrokerError> {
        bind_in(&self.directory, self.group).map_err(|error| BrokerError::Bind {
            directory: self.directory.clone(),
            reason: error.to_string(),
        })
    }

    pub(super) fn announcement(&self, id: u32, path: &Path) -> ConnInfo {
        let mut address = Address::Unix(path.to_owned());
        if let Some(translate) = &self.translate {
            address = translate.host_to_plugin(address);
        }
        let (network, address) = (address.network().to_owned(), address.text());
        ConnInfo { service_id: id, network, address, knock: None }
    }

    /// The address to dial for what was announced.
    pub(super) async fn admit(&self, id: u32, offer: Offer) -> Result<Address, BrokerError> {
        let mut address = match offer {
            Offer::Address(address) => address,
            Offer::Refused { address, reason } => {
                return Err(BrokerError::Refused { id, address, reason });
            }
        };
        match &self.translate {
            Some(translate) => address = translate.plugin_to_host(address),
            // Another machine's would be somebody else's.
            None => {
                if let Err(error) = Address::parse(address.network(), &address.text()) {
                    let (address, reason) = (shorten(&address.text()), reason(error));
                    return Err(BrokerError::Refused { id, address, reason });
                }
            }
        }
        let (Address::Unix(path), Some(allowed)) = (&address, &self.confine) else {
            return Ok(address);
        };
        let (socket, allowed) = (path.clone(), allowed.clone());
        let confined = tokio::task::spawn_blocking(move || confined(&socket, &allowed)).await;
        match confined.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(Ok(path)) => Ok(Address::Unix(path)),
            Ok(Err(reason)) => {
                let address = shorten(&path.to_string_lossy());
                Err(BrokerError::Refused { id, address, reason: reason.to_owned() })
            }
            Err(error) => {
                let source = ConnectError::Dial { address, reason: error.to_string() };
                Err(BrokerError::Unreachable { id, source })
            }
        }
    }
}

/// The real path of `socket`, or why it is not dialled. Links and `..` are
/// resolved first; a link in the last place is none of our business.
fn confined(socket: &Path, allowed: &Path) -> io::Result<Result<PathBuf, &'static str>> {
    let (Some(directory), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Ok(Err("it names no file"));
    };
    let directory = directory.canonicalize()?;
    if !directory.starts_with(allowed.canonicalize()?) {
        return Ok(Err("it is outside of the directory for this plugin's sockets"));
    }
    let real = directory.join(name);
    let kind: FileType = real.symlink_metadata()?.file_type();
    Ok(if kind.is_socket() { Ok(real) } else { Err("it is no socket") })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener as StdUnixListener;

    use super::*;

    #[test]
    fn only_sockets_inside_the_directory_are_dialled() {
        let root = tempfile::tempdir().unwrap();
        let (inside, outside) = (root.path().join("in"), root.path().join("out"));
        for directory in [&inside, &outside] {
            std::fs::create_dir(directory).unwrap();
            StdUnixListener::bind(directory.join("s")).unwrap();
        }
        symlink(&outside, inside.join("link")).unwrap();
        symlink(outside.join("s"), inside.join("socket-link")).unwrap();
        symlink(&inside, root.path().join("alias")).unwrap();
        std::fs::write(inside.join("file"), "").unwrap();

        let dialled = |path: &str| confined(&root.path().join(path), &inside).ok().map(|r| r.ok());
        let real = inside.canonicalize().unwrap().join("s");
        for path in ["in/s", "alias/s", "in/../in/s", "in/./s", "out/../in/s"] {
            assert_eq!(dialled(path), Some(Some(real.clone())), "{path}");
        }
        for path in ["out/s", "in/../out/s", "in/link/s", "in/socket-link", "in/file", "in/.."] {
            assert_eq!(dialled(path), Some(None), "{path}");
        }
        for path in ["in/none", "nowhere/s"] {
            assert_eq!(dialled(path), None, "{path}");
        }
    }
}
