//! A socket that listens, an identity of its own, and the line that says so.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdTcpListener};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{HostRequest, Ports, ServeError};
use crate::accept::{Incoming, Listener};
use crate::attach::Reattach;
use crate::broker::{Broker, Route, Setup, Sockets};
use crate::group::group_id;
use crate::handshake::{Address, format_line};
use crate::identity::Identity;
use crate::mux::Side;
use crate::process::start_time;
use crate::security::GivenTls;
use crate::sockets::{SocketFile, bind_in};
use crate::spec::LARGEST_MESSAGE;
use crate::tls::PeerTls;

/// What the kernel calls "any port".
const ANY_PORT: std::ops::RangeInclusive<u16> = 0..=0;

/// A plugin's listener: the socket listens, so the line may be printed.
/// Dropping it removes the socket's file.
pub struct Listening {
    line: String,
    listener: Listener,
    tls: Option<PeerTls>,
    socket: Option<SocketFile>,
    sockets: Sockets,
    multiplex: bool,
    version: u32,
    address: Address,
}

/// How a plugin listens, beside what its host asks for.
#[derive(Debug, Clone, Default)]
pub struct Listen {
    /// The application protocol version to announce.
    pub version: u32,
    /// Whether to listen on TCP, on the first free port of 127.0.0.1 that the
    /// host allows, rather than on a Unix socket. Without TLS every user of the
    /// machine can call the plugin then.
    pub tcp: bool,
    /// TLS that the host was given as well; it wins over AutoMTLS, and no
    /// certificate is announced.
    pub tls: Option<GivenTls>,
}

impl Listening {
    /// Binds a Unix socket in the directory that the host names: mode 0600, or
    /// 0660 and the group that the host names; or a port. Makes this process's
    /// identity if the host asks for AutoMTLS. Must run on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ServeError`] names what is missing.
    pub fn open(host: &HostRequest, listen: &Listen) -> Result<Self, ServeError> {
        if listen.tcp { Self::on_tcp(host, listen) } else { Self::on_socket(host, listen) }
    }

    /// As [`open`](Self::open), on a Unix socket and without given TLS.
    ///
    /// # Errors
    ///
    /// [`ServeError`] names what is missing.
    pub fn bind(host: &HostRequest, app_version: u32) -> Result<Self, ServeError> {
        Self::open(host, &Listen { version: app_version, ..Listen::default() })
    }

    fn on_socket(host: &HostRequest, listen: &Listen) -> Result<Self, ServeError> {
        let sockets = sockets(host)?;
        let bound = bind_in(&sockets.directory, sockets.group);
        let (listener, socket) = bound.map_err(|source| {
            let directory = sockets.directory.clone();
            ServeError::Bind { directory, source }
        })?;
        let address = Address::Unix(socket.path().to_owned());
        Self::new(Listener::Unix(listener), address, Some(socket), sockets, host, listen)
    }

    fn on_tcp(host: &HostRequest, listen: &Listen) -> Result<Self, ServeError> {
        let ports = match host.ports.clone() {
            Ports::Any => ANY_PORT,
            Ports::Between(ports) => ports,
            Ports::Unusable { first, last } => return Err(ServeError::Ports { first, last }),
        };
        let bind = || -> io::Result<_> {
            let listener = first_free(ports.clone())?;
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok((Listener::Tcp(TcpListener::from_std(listener)?), port))
        };
        let bound = bind();
        let (listener, port) = bound.map_err(|source| ServeError::BindTcp { ports, source })?;
        let address = Address::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port };
        Self::new(listener, address, None, sockets(host)?, host, listen)
    }

    fn new(
        listener: Listener,
        address: Address,
        socket: Option<SocketFile>,
        sockets: Sockets,
        host: &HostRequest,
        listen: &Listen,
    ) -> Result<Self, ServeError> {
        let version = listen.version;
        let (tls, identity) = match (&listen.tls, &host.certificate_pem) {
            (Some(given), _) => (Some(given.peer()), None),
            (None, None) => (None, None),
            (None, Some(pem)) => {
                let identity = Identity::generate()?;
                let tls = PeerTls::pinned(&identity, host_certificates(pem)?)?;
                (Some(tls), Some(identity))
            }
        };
        let (multiplex, certificate) = (host.multiplex, identity.as_ref().map(Identity::der));
        let line = format_line(version, &address, certificate, multiplex.then_some(true));
        Ok(Self { line, listener, tls, socket, sockets, multiplex, version, address })
    }

    /// The handshake line, without its line end.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The application protocol version that the line announces.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What a host needs to attach to this plugin in test mode: without asking
    /// it to end, and without killing this process.
    #[must_use]
    pub fn reattach(&self) -> Reattach {
        let pid = std::process::id();
        Reattach {
            version: self.version,
            start_time: start_time(pid),
            test: true,
            ..Reattach::new(self.address.clone(), pid)
        }
    }

    /// Starts accepting. Handshakes run beside each other, so that a stuck peer
    /// blocks nobody.
    #[must_use]
    pub fn incoming(self) -> Incoming {
        self.incoming_with(&Broker::new())
    }

    /// As [`incoming`](Self::incoming), and lets `broker` make connections the
    /// way that the host expects. Its [`service`](Broker::service) must be among
    /// those that answer the host.
    ///
    /// Where the host multiplexes, one raw connection is taken and the
    /// connections are its streams; they end with it, and the broker is closed.
    #[must_use]
    pub fn incoming_with(self, broker: &Broker) -> Incoming {
        let Self { listener, tls, socket, sockets, multiplex, version, .. } = self;
        let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(tls.server.clone()));
        let session = Arc::new(OnceLock::new());
        let route =
            if multiplex { Route::Streams(session.clone()) } else { Route::Sockets(sockets) };
        broker.set_up(Setup {
            side: Side::Plugin,
            tls,
            version,
            largest_message: LARGEST_MESSAGE,
            route,
        });
        if multiplex {
            Incoming::multiplexed(listener, acceptor, socket, broker.clone(), session)
        } else {
            Incoming::new(listener, acceptor, socket, "")
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// Where this plugin's sockets are, and whose.
fn sockets(host: &HostRequest) -> Result<Sockets, ServeError> {
    let directory = host.socket_directory.clone().unwrap_or_else(std::env::temp_dir);
    let group = host.socket_group.as_deref().map(group_id).transpose()?;
    Ok(Sockets { directory, group, confine: None, translate: None })
}

fn first_free(ports: std::ops::RangeInclusive<u16>) -> io::Result<StdTcpListener> {
    let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for port in ports {
        match StdTcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn host_certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    certificates.ok().filter(|found| !found.is_empty()).ok_or(ServeError::HostCertificate)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use super::*;

    fn host_with_directory(directory: &Path) -> HostRequest {
        HostRequest { socket_directory: Some(directory.to_owned()), ..HostRequest::default() }
    }

    #[test]
    fn a_certificate_that_is_none_is_refused() {
        assert!(matches!(host_certificates("nonsense"), Err(ServeError::HostCertificate)));
    }

    #[tokio::test]
    async fn the_socket_is_private_and_its_file_goes_with_the_listener() {
        let directory = tempfile::tempdir().unwrap();
        let files = || directory.path().read_dir().unwrap().map(Result::unwrap).collect::<Vec<_>>();
        let listening = Listening::bind(&host_with_directory(directory.path()), 1).unwrap();
        let modes: Vec<_> =
            files().iter().map(|f| f.metadata().unwrap().permissions().mode() & 0o777).collect();
        assert_eq!(modes, [0o600]);
        assert!(listening.line().starts_with("1|1|unix|/"), "{}", listening.line());
        drop(listening);
        assert!(files().is_empty());
    }

    #[tokio::test]
    async fn a_socket_for_a_group_has_it_and_mode_0660() {
        let groups = std::fs::read_to_string("/etc/group").unwrap();
        let own = rustix::process::getegid().as_raw();
        let named = |line: &str| {
            Some((line.split(':').next()?.to_owned(), line.split(':').nth(2)?.parse().ok()?))
        };
        let name = groups.lines().filter_map(named).find(|(_, id): &(_, u32)| *id == own);
        for group in [Some(own.to_string()), name.map(|(name, _)| name)].into_iter().flatten() {
            let directory = tempfile::tempdir().unwrap();
            let host = HostRequest {
                socket_group: Some(group.clone()),
                ..host_with_directory(directory.path())
            };
            let _listening = Listening::bind(&host, 1).unwrap();
            let file = directory.path().read_dir().unwrap().next().unwrap().unwrap();
            let metadata = file.metadata().unwrap();
            assert_eq!((metadata.mode() & 0o777, metadata.gid()), (0o660, own), "{group}");
        }
    }

    #[tokio::test]
    async fn a_group_that_is_unknown_is_named_and_nothing_listens() {
        let directory = tempfile::tempdir().unwrap();
        let host = HostRequest {
            socket_group: Some("no-such-group".into()),
            ..host_with_directory(directory.path())
        };
        let error = Listening::bind(&host, 1).unwrap_err();
        assert!(error.to_string().contains("`no-such-group`"), "{error}");
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn ports_that_are_no_range_stop_tcp_and_not_a_socket() {
        let directory = tempfile::tempdir().unwrap();
        let ports = Ports::Unusable { first: "x".into(), last: "2".into() };
        let host = HostRequest { ports, ..host_with_directory(directory.path()) };
        let tcp = Listen { tcp: true, ..Listen::default() };
        let error = Listening::open(&host, &tcp).unwrap_err().to_string();
        assert!(error.contains("PLUGIN_MIN_PORT=`x`"), "{error}");
        assert!(Listening::bind(&host, 1).is_ok());
    }

    #[tokio::test]
    async fn given_tls_wins_over_automtls_and_no_certificate_is_announced() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let given = GivenTls::from_pem(&pem, &key.serialize_pem(), &pem).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let host = HostRequest {
            certificate_pem: Some("no certificate at all".into()),
            ..host_with_directory(directory.path())
        };
        let listen = Listen { version: 3, tls: Some(given.clone()), ..Listen::default() };
        let listening = Listening::open(&host, &listen).unwrap();
        let fields: Vec<&str> = listening.line().split('|').collect();
        assert_eq!((fields.len(), fields[1], fields[5]), (6, "3", ""));
        let socket = tokio::net::UnixStream::connect(fields[3]).await.unwrap();
        let mut incoming = listening.incoming();
        let PeerTls { client, server_name, .. } = given.peer();
        let connecting = tokio_rustls::TlsConnector::from(client).connect(server_name, socket);
        let (connected, accepted) =
            tokio::join!(connecting, tokio_stream::StreamExt::next(&mut incoming));
        assert!(connected.is_ok() && accepted.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_directory_that_is_missing_is_named() {
        let error = Listening::bind(&host_with_directory(Path::new("/nowhere")), 1).unwrap_err();
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_passed_over_and_none_left_is_an_error() {
        let tcp = Listen { version: 1, tcp: true, tls: None };
        let first = Listening::open(&HostRequest::default(), &tcp).unwrap();
        let address = first.line().split('|').nth(3).unwrap().to_owned();
        let port: u16 = address.strip_prefix("127.0.0.1:").unwrap().parse().unwrap();
        let host = HostRequest { ports: Ports::Between(port..=port), ..HostRequest::default() };
        assert!(matches!(Listening::open(&host, &tcp), Err(ServeError::BindTcp { .. })));
    }
}
