//! A JSON-RPC server over HTTP and WebSocket on one address, guarded by the
//! security plugin.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::RpcModule;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, Server as RpcServer, ServerConfig as RpcConfig, ServerHandle, StopHandle,
    serve_with_graceful_shutdown, stop_channel,
};
use outrigger::security::AuthenticationManager;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerWaitFuture;
use tower::ServiceBuilder;

use crate::security::{AuthorizeLayer, SecurityLayer};
use crate::tls;

/// How much a server takes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Connections at the same time; further ones are closed at once. 256.
    pub connections: usize,
    /// The largest request and the largest response, in bytes; 5 MiB.
    pub largest_message: u32,
    /// Calls in one batch; 100.
    pub batch: u32,
    /// Subscriptions of one connection; 64.
    pub subscriptions: u32,
    /// For a TLS handshake; 10 s.
    pub handshake: Duration,
    /// The certificate that new connections get; `None`: plain text.
    pub tls: Option<tls::Current>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections: 256,
            largest_message: 5 << 20,
            batch: 100,
            subscriptions: 64,
            handshake: Duration::from_secs(10),
            tls: None,
        }
    }
}

impl ServerOptions {
    /// Sets the certificate that new connections get; `None`: plain text.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<tls::Current>) -> Self {
        self.tls = tls;
        self
    }
}

/// A server that runs. Dropping it tells it to stop; [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    tasks: TaskTracker,
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets calls under way end, and closes all connections.
    ///
    /// # Errors
    ///
    /// Those of [`io::ErrorKind::TimedOut`], when connections outlast `limit`.
    pub async fn stop(self, limit: Duration) -> io::Result<()> {
        let _stopped_already = self.handle.stop();
        self.tasks.close();
        let ended: TaskTrackerWaitFuture<'_> = self.tasks.wait();
        let outlast =
            |_| io::Error::new(io::ErrorKind::TimedOut, "connections did not end in time");
        tokio::time::timeout(limit, ended).await.map_err(outlast)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _stopped_already = self.handle.stop();
    }
}

/// Serves methods on a listener. Every call passes `security`.
///
/// # Errors
///
/// The listener does not know its address.
pub fn serve<M: AuthenticationManager + 'static>(
    listener: TcpListener,
    methods: RpcModule<()>,
    security: SecurityLayer<M>,
    options: ServerOptions,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let (stop, handle) = stop_channel();
    let tasks = TaskTracker::new();
    let listening = Listening {
        methods,
        security,
        slots: Arc::new(Semaphore::new(options.connections)),
        options,
        tasks: tasks.clone(),
        stop,
    };
    tasks.spawn(accept(listener, listening));
    Ok(Server { address, handle, tasks })
}

struct Listening<M> {
    methods: RpcModule<()>,
    security: SecurityLayer<M>,
    slots: Arc<Semaphore>,
    options: ServerOptions,
    tasks: TaskTracker,
    stop: StopHandle,
}

/// Pause after a failed accept: out of descriptors, as a rule.
const PAUSE: Duration = Duration::from_millis(100);

async fn accept<M: AuthenticationManager + 'static>(
    listener: TcpListener,
    listening: Listening<M>,
) {
    let stopped = listening.stop.clone().shutdown();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match listening.slots.clone().try_acquire_owned() {
                Ok(slot) => listening.connection(stream, slot),
                Err(_) => tracing::warn!(%peer, "a connection is closed: there are too many"),
            },
            Err(error) => {
                tracing::warn!("a connection cannot be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl<M: AuthenticationManager + 'static> Listening<M> {
    fn connection(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let options = &self.options;
        let config = RpcConfig::builder()
            .max_request_body_size(options.largest_message)
            .max_response_body_size(options.largest_message)
            .max_subscriptions_per_connection(options.subscriptions)
            .set_batch_request_config(BatchRequestConfig::Limit(options.batch))
            .build();
        let mut service = RpcServer::builder()
            .set_config(config)
            .set_http_middleware(ServiceBuilder::new().layer(self.security.clone()))
            .set_rpc_middleware(RpcServiceBuilder::new().layer(AuthorizeLayer))
            .to_service_builder()
            .build(self.methods.clone(), self.stop.clone());
        let closed = service.on_session_closed();
        let stop = self.stop.clone();
        let handshake = options.handshake;
        let acceptor =
            options.tls.as_ref().map(|current| TlsAcceptor::from(current.borrow().clone()));
        self.tasks.spawn(async move {
            let stopped = stop.shutdown();
            let served = match acceptor {
                None => serve_with_graceful_shutdown(stream, service, stopped).await,
                Some(acceptor) => {
                    let Ok(Ok(stream)) =
                        tokio::time::timeout(handshake, acceptor.accept(stream)).await
                    else {
                        tracing::debug!("a TLS handshake failed or took too long");
                        return;
                    };
                    serve_with_graceful_shutdown(stream, service, stopped).await
                }
            };
            if let Err(error) = served {
                tracing::debug!("a connection ended: {error}");
            }
            // A WebSocket goes on after its HTTP connection, and keeps the slot.
            closed.await;
            drop(slot);
        });
    }
}

#[cfg(test)]
mod tests;
