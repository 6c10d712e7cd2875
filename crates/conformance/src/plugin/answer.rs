//! The host's end of brokered connections: sockets that are announced, and the
//! `Answer` service of `probe.proto` on whatever comes in.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::probe::Payload;
use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{Answer, AnswerServer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use super::outcome::{Outcome, Shortfall, answer, require, within};
use crate::tls::{Accepted, Acceptor};
use crate::wire::{ANSWER, BoxIo, SocketFile};

/// What the host puts in front of what it is asked.
const PREFIX: &[u8] = b"host:";

/// A socket of the host's that a plugin is to dial.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: UnixListener,
    file: SocketFile,
}

/// A server for one connection; it ends with this value.
#[derive(Debug)]
pub(crate) struct Serving(#[expect(dead_code, reason = "it ends with it")] AbortOnDropHandle<()>);

impl Listener {
    /// Binds a socket in this directory.
    pub(crate) fn bind(directory: &Path, id: u32) -> Outcome<Self> {
        let path = directory.join(format!("host{id}"));
        let listener = UnixListener::bind(&path)?;
        Ok(Self { listener, file: SocketFile(path) })
    }

    /// Its announcement.
    pub(crate) fn announcement(&self, id: u32) -> ConnInfo {
        ConnInfo {
            service_id: id,
            network: "unix".into(),
            address: self.file.0.to_string_lossy().into_owned(),
            knock: None,
        }
    }

    /// Whoever dials it next.
    pub(crate) async fn accept(&self) -> Outcome<BoxIo> {
        let (socket, _) =
            within(ANSWER, "waiting for it to dial", self.listener.accept()).await??;
        Ok(Box::new(socket))
    }

    /// Serves whoever dials it next, with TLS where there is an acceptor; what
    /// the other side showed of itself.
    pub(crate) async fn serve(
        &self,
        tls: Option<&Acceptor>,
    ) -> Outcome<(Serving, Option<Accepted>)> {
        let io = self.accept().await?;
        let Some(tls) = tls else { return Ok((serve(io, 0), None)) };
        let accepted = tls.accept(io).await;
        let accepted = accepted
            .map_err(|error| Shortfall::seen(format!("it dialled, and TLS failed: {error}")))?;
        let Accepted { io, chain, name, alpn } = accepted;
        let shown = Accepted { io: Box::new(tokio::io::empty()), chain, name, alpn };
        Ok((serve(io, 0), Some(shown)))
    }
}

/// Serves `Answer` on a connection; each answer has `padding` bytes more.
pub(crate) fn serve(io: BoxIo, padding: usize) -> Serving {
    let incoming = tokio_stream::once(Ok::<_, std::io::Error>(Incoming(io)));
    // A server ends with its incoming connections; this one has but one.
    let incoming = incoming.chain(tokio_stream::pending());
    let service = AnswerServer::new(Host { padding })
        .max_encoding_message_size(usize::MAX)
        .max_decoding_message_size(usize::MAX);
    let serving = async move {
        let _ended = Server::builder().serve_with_incoming(service, incoming).await;
    };
    Serving(AbortOnDropHandle::new(tokio::spawn(serving)))
}

/// Asks the plugin's `Answer` service, which must answer with its prefix.
pub(crate) async fn ask(channel: Channel, question: &'static [u8]) -> Outcome {
    let mut client = AnswerClient::new(channel);
    let payload = Payload { data: Bytes::from_static(question) };
    let answered = answer("Answer/Ask", client.ask(payload)).await?.data;
    let right = answered.strip_prefix(b"plugin:") == Some(question);
    require!(right, "it was asked {question:?} and answered {answered:?}");
    Ok(())
}

/// Whether the host's own service answered `question`.
pub(crate) fn is_of_host(answered: &[u8], question: &[u8]) -> Outcome {
    let right = answered.strip_prefix(PREFIX) == Some(question);
    require!(right, "the host answered `host:` and the question, and {answered:?} came back");
    Ok(())
}

#[derive(Debug)]
struct Host {
    padding: usize,
}

#[tonic::async_trait]
impl Answer for Host {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let question = request.into_inner().data;
        let mut data = BytesMut::with_capacity(PREFIX.len() + question.len() + self.padding);
        data.extend_from_slice(PREFIX);
        data.extend_from_slice(&question);
        data.put_bytes(b'.', self.padding);
        Ok(Response::new(Payload { data: data.freeze() }))
    }
}

/// A connection as tonic's server takes it.
struct Incoming(BoxIo);

impl Connected for Incoming {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Incoming {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Incoming {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
