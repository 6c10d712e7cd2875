//! A plugin's side of one multiplexed session.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::{ACCEPT_PAUSE, BACKLOG, Incoming, Listener, Stream};
use crate::broker::{Broker, Ending};
use crate::mux::{Session, Side};
use crate::sockets::SocketFile;

/// For the host to connect. go-plugin's plugins give up after 5 s; a host that
/// is slow under load loses nothing by more.
const HOST_LIMIT: Duration = Duration::from_secs(15);

impl Incoming {
    /// Takes one raw connection and speaks yamux on it. Its streams go to the
    /// brokered service that `broker` says, and otherwise come out here; when
    /// the session ends, nothing comes any more and the broker is closed.
    /// `session` is set before the first stream comes out.
    pub(crate) fn multiplexed(
        listener: Listener,
        acceptor: Option<TlsAcceptor>,
        socket: Option<SocketFile>,
        broker: Broker,
        session: Arc<OnceLock<Session>>,
    ) -> Self {
        let (main, streams) = mpsc::channel(BACKLOG);
        let running = tokio::spawn(run(listener, main, broker, session));
        let mut incoming = Self::new(Listener::Streams(streams), acceptor, socket, "");
        incoming._session = Some(AbortOnDropHandle::new(running));
        incoming
    }
}

async fn run(
    mut listener: Listener,
    main: mpsc::Sender<crate::mux::MuxStream>,
    broker: Broker,
    handle: Arc<OnceLock<Session>>,
) {
    let _broker_too = Ending(broker.clone());
    match timeout(HOST_LIMIT, first(&mut listener)).await {
        Ok(Some(io)) => {
            // There is one raw connection in a plugin's life.
            drop(listener);
            let (session, driver) = Session::new(io, Side::Plugin, move |stream| {
                if let Some(stream) = broker.admit(stream) {
                    // With so many waiting, the drop resets it.
                    let _full = main.try_send(stream);
                }
            });
            let _only = handle.set(session);
            if let Err(error) = driver.await {
                tracing::debug!(%error, "the multiplexed session broke");
            }
        }
        Ok(None) => {}
        Err(_) => tracing::error!(within = ?HOST_LIMIT, "no host connected"),
    }
}

async fn first(listener: &mut Listener) -> Option<Stream> {
    loop {
        let accepted: io::Result<Option<Stream>> = listener.accept().await;
        match accepted {
            Ok(stream) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}
