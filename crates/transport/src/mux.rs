//! Many streams over one raw connection: yamux, as go-plugin's multiplexed
//! broker speaks it.
//!
//! A stream carries no name, so which service it reaches is a matter of order.
//! Hence two promises that the library under this seam does not make by itself:
//! [`Session::open`] returns once the stream's SYN is in the order of bytes that
//! go out, and an incoming stream is acknowledged, and shown to whoever routes
//! it, before the next byte is read.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use yamux::{Config, Connection, Mode};

mod driver;
mod stream;
mod wire;

pub(crate) use stream::MuxStream;

/// Streams of each side that may be open at a time. yamux lets 256 wait to be
/// accepted; with more on our side the library would end the session.
const STREAMS: usize = 256;

/// Both sides' streams, and those that are closed and not forgotten yet.
const ALL_STREAMS: usize = 4 * STREAMS;

/// The window of a stream does not grow past yamux's first: what a peer can
/// make us keep is this times the streams.
const WINDOW: usize = 256 * 1024;

/// For a SYN to be written. A peer that does not read for so long is dead.
const OPEN_LIMIT: Duration = Duration::from_secs(5);

/// Which side of the session this one is: the host is the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Opens streams with odd numbers.
    Host,
    /// Opens streams with even numbers.
    Plugin,
}

/// A handle on a session; the future that [`Session::new`] gives beside it does
/// the work.
#[derive(Clone)]
pub(crate) struct Session {
    opens: mpsc::Sender<oneshot::Sender<MuxStream>>,
    turn: Arc<Semaphore>,
}

impl Session {
    /// Speaks yamux over `io` while the future is polled. Each incoming stream
    /// goes to `inbound`, which must not block; one that it drops is reset.
    /// Dropping the future, or its end, ends all streams.
    pub(crate) fn new<T, F>(
        io: T,
        side: Side,
        inbound: F,
    ) -> (Self, impl Future<Output = io::Result<()>> + Send + use<T, F>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: FnMut(MuxStream) + Send + 'static,
    {
        let mut config = Config::default();
        config
            .set_max_connection_receive_window(Some(ALL_STREAMS * WINDOW))
            .set_max_num_streams(ALL_STREAMS);
        let mode = match side {
            Side::Host => Mode::Client,
            Side::Plugin => Mode::Server,
        };
        let (wire, syns) = wire::Wire::new(io);
        let (opens, asked) = mpsc::channel(1);
        let driver = driver::Driver {
            connection: Connection::new(wire, config, mode),
            asked,
            opening: None,
            syns,
            inbound,
            ours: Arc::new(Semaphore::new(STREAMS)),
            theirs: Arc::new(Semaphore::new(STREAMS)),
        };
        (Self { opens, turn: Arc::new(Semaphore::new(1)) }, driver.run())
    }

    /// Waits until nobody else is about to open a stream. Whoever needs a
    /// permission first holds the turn from asking until the stream is open;
    /// otherwise another's stream would use it up.
    pub(crate) async fn turn(&self) -> OwnedSemaphorePermit {
        self.turn.clone().acquire_owned().await.expect("invariant: never closed")
    }

    /// Opens a stream; its SYN goes out before anything that is written later.
    pub(crate) async fn open(&self) -> io::Result<MuxStream> {
        let (reply, opened) = oneshot::channel();
        let open = async {
            self.opens.send(reply).await.ok()?;
            opened.await.ok()
        };
        match timeout(OPEN_LIMIT, open).await {
            Ok(Some(stream)) => Ok(stream),
            Ok(None) => Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "the multiplexed session is over, or has no room for another stream",
            )),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the multiplexed session takes no more data",
            )),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("over", &self.opens.is_closed()).finish()
    }
}

#[cfg(test)]
mod tests;
