//! What tests of several modules need.

use std::fmt::{self, Write as _};
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// The lines of the log while it lives, of this thread's tasks.
pub(crate) struct Lines {
    seen: Arc<Mutex<Vec<String>>>,
    _subscriber: DefaultGuard,
}

impl Lines {
    pub(crate) fn capture() -> Self {
        Self::capture_slowly(Duration::ZERO)
    }

    /// As a subscriber does that takes its time for each line.
    pub(crate) fn capture_slowly(each: Duration) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keeper = Keeper { seen: seen.clone(), each };
        Self { seen, _subscriber: tracing::subscriber::set_default(keeper) }
    }

    /// How many lines begin so: level, space, text.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|line| line.starts_with(start)).count()
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.seen.lock().unwrap().last().cloned()
    }
}

struct Keeper {
    seen: Arc<Mutex<Vec<String>>>,
    each: Duration,
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("outrigger")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(format!("{} ", event.metadata().level()));
        event.record(&mut message);
        let until = Instant::now() + self.each;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.seen.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of any kind, as tonic's server takes it; over once it is severed.
pub(crate) struct Peer {
    stream: Box<dyn Duplex>,
    severed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Peer {
    pub(crate) fn new(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        severed: CancellationToken,
    ) -> Self {
        Self { stream: Box::new(stream), severed: Box::pin(severed.cancelled_owned()) }
    }
}

impl tonic::transport::server::Connected for Peer {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Peer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.severed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
