//! The plugin of these tests: started by a runner, served by tasks.

use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_server::{Health, HealthServer};
use outrigger_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use outrigger_proto::plugin::{Empty, StdioData};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::broker::{Broker, Route, Setup, Sockets};
use crate::identity::Identity;
use crate::mux::Side;
use crate::process::ExitStatus;
use crate::runner::{Order, Runner, Running, Started};
use crate::testing::Peer;
use crate::tls::PeerTls;

/// What a scripted plugin is and does.
#[derive(Debug, Clone)]
pub(super) struct Scripted {
    pub(super) version: u32,
    /// The line that it prints instead of its own.
    pub(super) line: Option<String>,
    /// What it writes to standard error.
    pub(super) stderr: Vec<u8>,
    /// What it prints once it serves.
    pub(super) prints: Vec<StdioData>,
    /// TLS that it was given; without, it does AutoMTLS if it is asked to.
    pub(super) given: Option<PeerTls>,
    /// Whether it prints a certificate though nobody asked.
    pub(super) unasked: bool,
    pub(super) serves: Serves,
    /// Its end of the broker, one a start.
    pub(super) broker: Arc<Mutex<Broker>>,
    pub(super) seen: Arc<Mutex<Option<Order>>>,
    pub(super) state: watch::Sender<Option<ExitStatus>>,
}

/// How much of a plugin it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    Everything,
    NoController,
    /// It answers a request to end once nothing but that call is open.
    UntilStreamsEnd,
    /// The runner fails.
    NotAtAll,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            version: 1,
            line: None,
            stderr: Vec::new(),
            prints: Vec::new(),
            given: None,
            unasked: false,
            serves: Serves::Everything,
            broker: Arc::default(),
            seen: Arc::default(),
            state: watch::channel(None).0,
        }
    }
}

impl Scripted {
    /// A variable of the environment that it was started with.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        let environment = &seen.as_ref()?.environment;
        let (_, value) = environment.iter().find(|(known, _)| known == name)?;
        value.to_str().map(str::to_owned)
    }

    pub(super) fn die(&self, status: ExitStatus) {
        self.state.send_if_modified(|state| {
            let alive = state.is_none();
            state.get_or_insert(status);
            alive
        });
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.borrow().is_some()
    }

    fn tls(&self) -> (Option<PeerTls>, Option<Identity>) {
        if let Some(given) = &self.given {
            return (Some(given.clone()), None);
        }
        let Some(pem) = self.variable("PLUGIN_CLIENT_CERT") else {
            return (None, self.unasked.then(|| Identity::generate().unwrap()));
        };
        let identity = Identity::generate().unwrap();
        let host = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let tls = PeerTls::pinned(&identity, vec![host]).unwrap();
        (Some(tls), Some(identity))
    }
}

#[async_trait]
impl Runner for Scripted {
    async fn start(&self, order: Order) -> io::Result<Started> {
        if self.serves == Serves::NotAtAll {
            return Err(io::Error::other("no such container"));
        }
        let directory = order.socket_directory.clone();
        let path = directory.join("plugin1");
        *self.seen.lock().unwrap() = Some(order);
        self.state.send_replace(None);
        let (tls, identity) = self.tls();
        let acceptor = tls.as_ref().map(|tls| TlsAcceptor::from(tls.server.clone()));
        let sockets = Sockets { directory, group: None, confine: None, translate: None };
        let (version, route) = (self.version, Route::Sockets(sockets));
        let broker = Broker::new();
        broker.set_up(Setup { side: Side::Plugin, tls, version, largest_message: 1, route });
        *self.broker.lock().unwrap() = broker;
        let listener = UnixListener::bind(&path)?;
        let line = self.line.clone().unwrap_or_else(|| {
            let address = crate::handshake::Address::Unix(path);
            let certificate = identity.as_ref().map(Identity::der);
            crate::handshake::format_line(self.version, &address, certificate, None) + "\n"
        });
        let (mut stdout, ours) = tokio::io::duplex(64 * 1024);
        let (mut stderr, errors) = tokio::io::duplex(64 * 1024);
        let (script, mut state) = (self.clone(), self.state.subscribe());
        tokio::spawn(async move {
            let work = async {
                tokio::join!(
                    async { stdout.write_all(line.as_bytes()).await },
                    async { stderr.write_all(&script.stderr).await },
                    serve(listener, acceptor, &script),
                )
            };
            tokio::select! {
                _ = work => {}
                _ = state.wait_for(Option::is_some) => {}
            }
        });
        let running = Arc::new(Task { script: self.clone() });
        Ok(Started { running, stdout: Box::new(ours), stderr: Box::new(errors) })
    }
}

async fn serve(listener: UnixListener, acceptor: Option<TlsAcceptor>, script: &Scripted) {
    let (accepted, peers) = mpsc::channel(4);
    // A process's death closes its connections; tonic's tasks would keep them.
    let severed = CancellationToken::new();
    let _severs = severed.clone().drop_guard();
    let accepting = async {
        while let Ok((socket, _)) = listener.accept().await {
            let peer = match &acceptor {
                None => Peer::new(socket, severed.clone()),
                Some(acceptor) => match acceptor.accept(socket).await {
                    Ok(stream) => Peer::new(stream, severed.clone()),
                    Err(_) => continue,
                },
            };
            let _stopped = accepted.send(Ok::<_, io::Error>(peer)).await;
        }
    };
    let services = Services { script: script.clone(), open: watch::channel(0).0 };
    let mut server = tonic::transport::Server::builder();
    let mut router = server
        .add_service(HealthServer::new(services.clone()))
        .add_service(GrpcStdioServer::new(services.clone()))
        .add_service(script.broker.lock().unwrap().service());
    if script.serves != Serves::NoController {
        router = router.add_service(GrpcControllerServer::new(services));
    }
    let _ended = tokio::join!(accepting, router.serve_with_incoming(ReceiverStream::new(peers)));
}

#[derive(Clone)]
struct Services {
    script: Scripted,
    /// Streams of output under way.
    open: watch::Sender<usize>,
}

#[async_trait]
impl Health for Services {
    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[async_trait]
impl GrpcController for Services {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        if self.script.serves == Serves::UntilStreamsEnd {
            let mut open = self.open.subscribe();
            let _none_left = open.wait_for(|open| *open == 0).await;
        }
        self.script.die(ExitStatus::Code(0));
        Ok(Response::new(Empty {}))
    }
}

#[async_trait]
impl GrpcStdio for Services {
    type StreamStdioStream = ReceiverStream<Result<StdioData, Status>>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        let (printed, pieces) = mpsc::channel(1);
        let Self { script, open } = self.clone();
        open.send_modify(|open| *open += 1);
        tokio::spawn(async move {
            for piece in &script.prints {
                let _gone = printed.send(Ok(piece.clone())).await;
            }
            // Nothing more, and no end either.
            printed.closed().await;
            open.send_modify(|open| *open -= 1);
        });
        Ok(Response::new(ReceiverStream::new(pieces)))
    }
}

/// What runs.
#[derive(Debug)]
struct Task {
    script: Scripted,
}

#[async_trait]
impl Running for Task {
    fn id(&self) -> String {
        "task".to_owned()
    }

    fn name(&self) -> String {
        "/nowhere/scripted".to_owned()
    }

    async fn wait(&self) -> ExitStatus {
        let mut state = self.script.state.subscribe();
        let ended = state.wait_for(Option::is_some).await.unwrap();
        ended.unwrap()
    }

    async fn kill(&self) -> io::Result<()> {
        self.script.die(ExitStatus::Signal { signal: 9, core: false });
        Ok(())
    }

    async fn diagnose(&self) -> String {
        "the image is old".to_owned()
    }
}
