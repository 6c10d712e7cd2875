//! The broker: connections beside the main one, in both directions.
//!
//! Either side serves a service of its own and gets an id for it; the
//! application carries the id to the other side, which dials it. What travels
//! between the brokers, on one stream of the main connection, says where an id
//! can be dialled, or, where all connections share one socket, asks for
//! permission to open a stream for it.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use outrigger_proto::plugin::ConnInfo;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic::transport::Server;
use tower_service::Service;

use crate::accept::{BACKLOG, Incoming, Listener};
use crate::connector::{Dial, DialError, connect_over};
use crate::mux::{MuxStream, Side};
use crate::rpc::Rpc;
use crate::trace::Continued;

mod dial;
mod error;
mod link;
mod setup;
mod stream;
mod table;

pub use error::BrokerError;
pub(crate) use link::{Link, LinkOwner, LinkSetup, link};
pub(crate) use setup::{Route, Setup, Sockets};
pub use stream::{BrokerService, Messages};

use table::Table;

/// How long what the other side said counts: an announcement that nobody
/// claimed, and a permission that nobody used.
const KEPT: Duration = Duration::from_secs(5);

/// For the other side to open the broker, to announce an id, and to answer a
/// knock.
const WAIT: Duration = Duration::from_secs(5);

/// For an announced address to be connected to. A knock has its own limit
/// within it.
const CONNECT: Duration = Duration::from_secs(10);

/// Messages that wait for the other side to read them.
const QUEUE: usize = 64;

/// What a refused connection to a brokered service of the host may mean.
const TOO_OLD: &str = "; a plugin built with go-plugin before 1.4.4 cannot dial its host over \
                       mutual TLS, only be dialled: rebuild it with a newer one";

/// One side of the broker between a host and a plugin. A cheap clone; it may be
/// made before there is a session, and serves one.
///
/// A session's end fails every call that waits and every later one with
/// [`BrokerError::Closed`], and ends all connections that the broker made.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    table: Mutex<Table<mpsc::Sender<MuxStream>>>,
    /// Tells whoever waits for the table that it changed, or that it is over.
    news: Notify,
    setup: OnceLock<Setup>,
    phase: watch::Sender<Phase>,
    over: CancellationToken,
}

/// How far the stream between the brokers has come.
#[derive(Clone)]
enum Phase {
    Idle,
    /// Messages for the other side go here.
    Open(mpsc::Sender<ConnInfo>),
    NotServed,
    Closed,
}

impl Default for Broker {
    fn default() -> Self {
        Self::new()
    }
}

impl Broker {
    /// A broker without a session. Calls wait up to five seconds for one.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            table: Mutex::default(),
            news: Notify::new(),
            setup: OnceLock::new(),
            phase: watch::Sender::new(Phase::Idle),
            over: CancellationToken::new(),
        }))
    }

    /// Serves `service`, such as a generated server, to the other side, until
    /// what it returns is dropped. The other side must learn
    /// [`id`](Brokered::id) from a message of the application, and dial it
    /// within five seconds. It may connect any number of times, and nothing but
    /// `service` answers it.
    ///
    /// Runs on the current tokio runtime, which must stay until the end. Where
    /// connections are multiplexed, go-plugin's authors advise to have one id
    /// dialled before the next is served.
    ///
    /// # Errors
    ///
    /// [`BrokerError`]; nothing is served then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future serves nothing; its id is used up.
    pub async fn serve<S>(&self, service: S) -> Result<Brokered, BrokerError>
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let deadline = Instant::now() + WAIT;
        let (setup, outgoing) = self.0.open_by(deadline).await?;
        let id = self.0.table().next_id().ok_or(BrokerError::Exhausted)?;
        let (listener, socket, announcement) = match &setup.route {
            Route::Sockets(sockets) => {
                let (listener, socket) = sockets.bind()?;
                let announcement = sockets.announcement(id, socket.path());
                (Listener::Unix(listener), Some(socket), Some(announcement))
            }
            Route::Streams(_) => {
                let (sender, streams) = mpsc::channel(BACKLOG);
                self.0.table().serve(id, sender);
                (Listener::Streams(streams), None, None)
            }
        };
        let acceptor = setup.tls.as_ref().map(|tls| TlsAcceptor::from(tls.server.clone()));
        let hint = if setup.side == Side::Host { TOO_OLD } else { "" };
        let incoming = Incoming::new(listener, acceptor, socket, hint);
        let serving = tokio::spawn(serve_until(service, incoming, self.0.over.clone()));
        let brokered =
            Brokered { id, broker: self.clone(), _serving: AbortOnDropHandle::new(serving) };
        if let Some(announcement) = announcement {
            self.0.send(&outgoing, announcement, deadline).await?;
        }
        Ok(brokered)
    }

    /// Connects to what the other side serves under `id`, and waits at most
    /// five seconds for it to do so. Each id is good for one dial; the
    /// connection reconnects by itself for as long as the other side serves.
    /// Runs on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BrokerError`], which names the id.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may use the id up.
    pub async fn dial(&self, id: u32) -> Result<Rpc, BrokerError> {
        let deadline = Instant::now() + WAIT;
        let (setup, outgoing) = self.0.open_by(deadline).await?;
        let dial: Arc<dyn Dial> = match &setup.route {
            Route::Sockets(sockets) => {
                let claim = |table: &mut Table<_>| table.claim(id, Instant::now());
                let offer = self.0.until(deadline, claim).await?;
                let offer = offer.ok_or(BrokerError::TimedOut { id, within: WAIT })?;
                let address = sockets.admit(id, offer).await?;
                Arc::new(dial::Announced { broker: self.clone(), id, address })
            }
            Route::Streams(session) => {
                let session = session.get().ok_or(BrokerError::Closed)?.clone();
                let (broker, side) = (self.clone(), setup.side);
                Arc::new(dial::Knocking { broker, id, side, session, outgoing })
            }
        };
        match connect_over(dial, setup.tls.as_ref(), CONNECT).await {
            Ok(channel) => Ok(Rpc::new(channel, setup.version, setup.largest_message)),
            Err(DialError::Broker(error)) => Err(error),
            Err(DialError::Connect(source)) => Err(BrokerError::Unreachable { id, source }),
        }
    }

    /// Ends the session's broker.
    pub fn close(&self) {
        self.0.end(Phase::Closed);
    }

    /// Says how connections are made; the first time counts.
    pub(crate) fn set_up(&self, setup: Setup) {
        let _already = self.0.setup.set(setup);
    }

    /// Gives an incoming stream to the service whose turn it is, or back.
    pub(crate) fn admit(&self, stream: MuxStream) -> Option<MuxStream> {
        match self.0.table().admit(Instant::now()) {
            Some(service) => {
                // One that is full or has just ended: the drop resets the stream.
                let _not_taken = service.try_send(stream);
                None
            }
            None => Some(stream),
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("over", &self.0.over.is_cancelled()).finish_non_exhaustive()
    }
}

/// Ends a session's broker when it is dropped, however that comes.
#[derive(Debug)]
pub(crate) struct Ending(pub(crate) Broker);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A service that is served over the broker. Dropping it ends the service and
/// its connections, a moment later: a call may still arrive.
#[derive(Debug)]
#[must_use = "dropping it ends the service"]
pub struct Brokered {
    id: u32,
    broker: Broker,
    _serving: AbortOnDropHandle<()>,
}

impl Brokered {
    /// What the other side dials; never 0, and never the same twice in a session.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Brokered {
    fn drop(&mut self) {
        self.broker.0.table().end(self.id);
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table<mpsc::Sender<MuxStream>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the session: messages for the other side go to `outgoing`. False
    /// if there was one already, or nothing is set up.
    fn begin(&self, outgoing: mpsc::Sender<ConnInfo>) -> bool {
        self.setup.get().is_some()
            && self.phase.send_if_modified(|phase| {
                let idle = matches!(phase, Phase::Idle);
                if idle {
                    *phase = Phase::Open(outgoing);
                }
                idle
            })
    }

    /// Ends it; the first reason counts.
    fn end(&self, last: Phase) {
        self.phase.send_if_modified(|phase| {
            let first = matches!(phase, Phase::Idle | Phase::Open(_));
            if first {
                *phase = last;
            }
            first
        });
        self.table().clear();
        self.over.cancel();
        self.news.notify_waiters();
    }

    /// Why nothing can be done any more, if so.
    fn ended(&self) -> Result<(), BrokerError> {
        match &*self.phase.borrow() {
            Phase::Idle | Phase::Open(_) => Ok(()),
            Phase::NotServed => Err(BrokerError::NotServed),
            Phase::Closed => Err(BrokerError::Closed),
        }
    }

    async fn open_by(
        &self,
        deadline: Instant,
    ) -> Result<(&Setup, mpsc::Sender<ConnInfo>), BrokerError> {
        let mut phase = self.phase.subscribe();
        let begun = phase.wait_for(|phase| !matches!(phase, Phase::Idle));
        let begun = timeout_at(deadline, begun).await.map_err(|_| BrokerError::NotServed)?;
        let outgoing = match &*begun.expect("invariant: this broker holds the sender") {
            Phase::Open(outgoing) => outgoing.clone(),
            Phase::Idle | Phase::NotServed => return Err(BrokerError::NotServed),
            Phase::Closed => return Err(BrokerError::Closed),
        };
        Ok((self.setup.get().ok_or(BrokerError::NotServed)?, outgoing))
    }

    /// Waits until the table gives something, `None` past the deadline.
    async fn until<T>(
        &self,
        deadline: Instant,
        ready: impl Fn(&mut Table<mpsc::Sender<MuxStream>>) -> Option<T>,
    ) -> Result<Option<T>, BrokerError> {
        let waiting = async {
            loop {
                let mut news = std::pin::pin!(self.news.notified());
                news.as_mut().enable();
                self.ended()?;
                if let Some(found) = ready(&mut self.table()) {
                    return Ok(found);
                }
                news.await;
            }
        };
        timeout_at(deadline, waiting).await.ok().transpose()
    }

    async fn send(
        &self,
        outgoing: &mpsc::Sender<ConnInfo>,
        info: ConnInfo,
        deadline: Instant,
    ) -> Result<(), BrokerError> {
        let id = info.service_id;
        match timeout_at(deadline, outgoing.send(info)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.ended().err().unwrap_or(BrokerError::Closed)),
            Err(_) => Err(BrokerError::NotAnnounced { id, within: WAIT }),
        }
    }

    /// Takes a message of the other side in.
    fn receive(&self, info: ConnInfo) {
        let answer = self.table().message(info, Instant::now());
        if let (Some(answer), Phase::Open(outgoing)) = (answer, &*self.phase.borrow()) {
            // A peer that does not read its answers asks in vain.
            let _unread = outgoing.try_send(answer);
        }
        self.news.notify_waiters();
    }
}

async fn serve_until<S>(service: S, incoming: Incoming, over: CancellationToken)
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let _connections = incoming.guard();
    tokio::select! {
        served = Server::builder().serve_with_incoming(Continued(service), incoming) => {
            if let Err(error) = served {
                tracing::warn!(%error, "a brokered service ended");
            }
        }
        () = over.cancelled() => {}
    }
}

#[cfg(test)]
mod tests;
