//! The broker: announces what it serves, and dials what was announced.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::plugin::conn_info::Knock;
use outrigger_proto::plugin::grpc_broker_server::GrpcBroker;
use outrigger_proto::probe::Payload;
use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{Answer, AnswerServer};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{Service, http};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

use crate::listen::{self, Role};
use crate::serve::{Duplex, incoming, server};
use crate::tls::Tls;
use crate::wrong::is;

/// How long an announcement is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Announcements that wait to be sent.
const WAITING: usize = 64;

/// Large answers are the kit's to send.
const LARGEST: usize = 64 * 1024 * 1024;

type Failed = Box<dyn Error + Send + Sync>;

/// The plugin's half of the broker.
pub(crate) struct Broker {
    tls: Option<Tls>,
    last: AtomicU32,
    outgoing: mpsc::Sender<Result<ConnInfo, Status>>,
    to_send: Mutex<Option<mpsc::Receiver<Result<ConnInfo, Status>>>>,
    incoming: watch::Sender<Incoming>,
}

/// What the host announced, and whether it still may.
#[derive(Debug, Default)]
struct Incoming {
    announced: HashMap<u32, ConnInfo>,
    closed: bool,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broker")
    }
}

impl Broker {
    pub(crate) fn new(tls: Option<Tls>) -> Arc<Self> {
        let (outgoing, to_send) = mpsc::channel(WAITING);
        let to_send = Mutex::new(Some(to_send));
        let incoming = watch::Sender::new(Incoming::default());
        Arc::new(Self { tls, last: AtomicU32::new(0), outgoing, to_send, incoming })
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves the answering service under an id, and announces it.
    pub(crate) async fn offer(&self, silent: bool) -> Result<u32, Failed> {
        let id = if is("one-id") { 1 } else { self.last.fetch_add(1, Ordering::Relaxed) + 1 };
        if silent {
            return Ok(id);
        }
        let path = listen::path(Role::Brokered);
        let knock = is("knocks-unasked").then(Knock::default);
        let announcement = ConnInfo {
            service_id: id,
            network: "unix".into(),
            address: path.to_string_lossy().into_owned(),
            knock,
        };
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor(Role::Brokered)).transpose()?;
        let serving = move || -> std::io::Result<()> {
            let listener = listen::bind(&path, Role::Brokered)?;
            let service = AnswerServer::new(Plugin);
            tokio::spawn(server().serve_with_incoming(service, incoming(listener, acceptor)));
            Ok(())
        };
        if is("announces-first") {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                serving()
            });
        } else {
            serving()?;
        }
        self.outgoing.send(Ok(announcement)).await?;
        Ok(id)
    }

    /// Dials an id of the host's, and asks what is there.
    pub(crate) async fn ask(&self, id: u32, data: Bytes) -> Result<Payload, Failed> {
        let patience = if is("waits-for-ever") { Duration::MAX } else { PATIENCE };
        let patience = if is("impatient") { Duration::ZERO } else { patience };
        let mut incoming = self.incoming.subscribe();
        let there = incoming.wait_for(|incoming| {
            let ended = incoming.closed && !is("waits-for-ever");
            ended || incoming.announced.contains_key(&id)
        });
        let there = tokio::time::timeout(patience, there).await.map(drop);
        there.map_err(|_| format!("id {id} was not announced"))?;
        let mut announced = None;
        self.incoming.send_if_modified(|incoming| {
            announced = if is("dials-again") {
                incoming.announced.get(&id).cloned()
            } else {
                incoming.announced.remove(&id)
            };
            false
        });
        let announced = announced.ok_or("the broker's stream has ended")?;
        if announced.network != "unix" && !is("dials-anything") {
            return Err(format!("network {} is not known", announced.network).into());
        }
        let channel = self.dial(announced.address).await?;
        let mut client = AnswerClient::new(channel).max_decoding_message_size(LARGEST);
        Ok(client.ask(Payload { data }).await?.into_inner())
    }

    async fn dial(&self, address: String) -> Result<Channel, Failed> {
        let connector = Connector { tls: self.tls.clone(), address };
        let endpoint = Endpoint::from_static("http://localhost");
        Ok(endpoint.connect_with_connector(connector).await?)
    }
}

/// Connects to a socket of the host's, with TLS where the main connection has it.
#[derive(Clone)]
struct Connector {
    tls: Option<Tls>,
    address: String,
}

type Connecting = Pin<Box<dyn Future<Output = std::io::Result<TokioIo<Box<dyn Duplex>>>> + Send>>;

impl Service<http::Uri> for Connector {
    type Response = TokioIo<Box<dyn Duplex>>;
    type Error = std::io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Connecting {
        let Self { tls, address } = self.clone();
        Box::pin(async move {
            let socket = UnixStream::connect(address).await?;
            let Some(tls) = tls else { return Ok(TokioIo::new(Box::new(socket) as _)) };
            let (connector, name) = tls.connector().map_err(std::io::Error::other)?;
            let stream = connector.connect(name, socket).await?;
            Ok(TokioIo::new(Box::new(stream) as _))
        })
    }
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = ReceiverStream<Result<ConnInfo, Status>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let to_send = self.to_send.lock().await.take();
        let to_send = to_send.ok_or_else(|| Status::failed_precondition("it was used already"))?;
        let (mut messages, incoming) = (request.into_inner(), self.incoming.clone());
        tokio::spawn(async move {
            while let Ok(Some(message)) = messages.message().await {
                incoming.send_modify(|incoming| {
                    incoming.announced.insert(message.service_id, message);
                });
            }
            incoming.send_modify(|incoming| incoming.closed = true);
        });
        Ok(Response::new(ReceiverStream::new(to_send)))
    }
}

/// What the plugin serves on brokered connections.
#[derive(Debug)]
struct Plugin;

#[tonic::async_trait]
impl Answer for Plugin {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let data = [b"plugin:", &*request.into_inner().data].concat();
        Ok(Response::new(Payload { data: data.into() }))
    }
}
