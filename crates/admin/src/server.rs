//! The servers: on the Unix socket, and on TCP where that is asked for.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::RegisterMethodError;
use outrigger::Remote;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Door, Tokens};
use crate::history::History;
use crate::http::{Shared, router};
use crate::limit::{Followers, Limited};
use crate::metrics::Metrics;
use crate::own::Own;
use crate::rpc::{Asked, Served};
use crate::socket::{self, Bound};
use crate::tls::{self, Peer, TlsError, TlsFiles, TlsListener};

/// For connections to end at a stop.
const STOP: Duration = Duration::from_secs(2);

/// How often what was counted is taken in where nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Where a host is seen and steered.
#[derive(Debug)]
pub struct AdminOptions {
    /// The settings' run directory, which is there and is this user's.
    pub run_dir: PathBuf,
    /// An address to serve on besides the Unix socket.
    pub address: Option<SocketAddr>,
    /// TLS on that address.
    pub tls: Option<TlsFiles>,
    /// What `/metrics` shows; `None` where the node exports that itself.
    pub metrics: Option<Metrics>,
}

impl AdminOptions {
    /// On the Unix socket alone.
    #[must_use]
    pub const fn new(run_dir: PathBuf) -> Self {
        Self { run_dir, address: None, tls: None, metrics: None }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The socket cannot be bound.
    #[error("the admin socket in {} cannot be bound: {source}; correct `runDir`", run_dir.display())]
    Socket {
        /// The run directory.
        run_dir: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The address cannot be bound.
    #[error("the admin API cannot be served on {address}: {source}; give another address")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The tokens cannot be made.
    #[error("the admin API's token cannot be written to {}: {source}", run_dir.display())]
    Token {
        /// The run directory.
        run_dir: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// There can be no TLS as asked for.
    #[error("the admin API cannot be served with TLS: {0}")]
    Tls(#[from] TlsError),
    /// A method is there twice, which is a defect.
    #[error(transparent)]
    Methods(#[from] RegisterMethodError),
}

/// Servers that run. Dropping it ends them.
#[derive(Debug)]
pub struct Admin {
    socket: Bound,
    address: Option<SocketAddr>,
    token: Option<PathBuf>,
    end: CancellationToken,
    tasks: TaskTracker,
}

impl Admin {
    /// Serves until it is stopped. Runs on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// [`AdminError`]; nothing is served then.
    pub async fn serve(remote: Remote, options: AdminOptions) -> Result<Self, AdminError> {
        let AdminOptions { run_dir, address, tls, metrics } = options;
        let history = History::default();
        let served = Served::of(Asked { remote: remote.clone(), history: history.clone() })?;
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        let ended = || end.clone().cancelled_owned();
        let keeping = history.clone().keep(remote.clone(), end.clone());
        let own = Own::default();
        let (watched, refreshed) = (remote.clone(), own.clone());
        let shared = Shared {
            remote,
            served,
            metrics: metrics.clone(),
            own,
            history,
            followers: Followers::new(),
            end: end.clone(),
            tasks: tasks.clone(),
        };
        let (socket, listener) = socket::bind(&run_dir)
            .map_err(|source| AdminError::Socket { run_dir: run_dir.clone(), source })?;
        let tcp = match address {
            None => None,
            Some(address) => {
                let failed = |source| AdminError::Address { address, source };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                let tokens = Tokens::make(socket.path())
                    .map_err(|source| AdminError::Token { run_dir: run_dir.clone(), source })?;
                let bound = listener.local_addr().map_err(failed)?;
                let file = tokens.file().to_owned();
                let door = Door::Tcp { tokens: Arc::new(tokens), tls: tls.is_some() };
                let router = router(shared.clone(), door);
                match tls {
                    None => {
                        if !bound.ip().is_loopback() {
                            tracing::warn!(
                                "the admin API is served on {bound} without TLS: whoever sees \
                                 the traffic sees the token"
                            );
                        }
                        let service = router.into_make_service_with_connect_info::<Peer>();
                        let serving = axum::serve(Limited::new(listener), service);
                        spawn(&tasks, serving.with_graceful_shutdown(ended()));
                    }
                    Some(files) => {
                        let config = tokio::task::spawn_blocking(move || tls::config(&files));
                        let config = config.await.map_err(tls::rejected)??;
                        let service = router.into_make_service_with_connect_info::<Peer>();
                        let listener = Limited::new(TlsListener::new(listener, config));
                        let serving = axum::serve(listener, service);
                        spawn(&tasks, serving.with_graceful_shutdown(ended()));
                    }
                }
                Some((bound, file))
            }
        };
        let serving = axum::serve(Limited::new(listener), router(shared, Door::Socket));
        spawn(&tasks, serving.with_graceful_shutdown(ended()));
        tasks.spawn(keeping);
        if let Some(metrics) = metrics {
            let ended = end.clone();
            tasks.spawn(async move {
                let mut ticks = tokio::time::interval(UPKEEP);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    tokio::select! {
                        _ = ticks.tick() => {}
                        () = ended.cancelled() => return,
                    }
                    metrics.upkeep();
                    tokio::select! {
                        () = refreshed.refresh(&watched) => {}
                        () = ended.cancelled() => return,
                    }
                }
            });
        }
        let (address, token) = tcp.unzip();
        Ok(Self { socket, address, token, end, tasks })
    }

    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.socket.path()
    }

    /// The address on TCP.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The file with the token that is needed there.
    #[must_use]
    pub fn token(&self) -> Option<&Path> {
        self.token.as_deref()
    }

    /// Lets requests end, within two seconds, and ends.
    pub async fn stop(self) {
        self.end.cancel();
        self.tasks.close();
        let _late = tokio::time::timeout(STOP, self.tasks.wait()).await;
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

fn spawn<S>(tasks: &TaskTracker, serving: S)
where
    S: IntoFuture<Output = io::Result<()>> + Send + 'static,
    S::IntoFuture: Send,
{
    tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!("the admin API ended: {error}");
        }
    });
}
