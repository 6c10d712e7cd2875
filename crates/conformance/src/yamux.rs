//! yamux by hand, as far as a client needs it: the kit has to see, and to make,
//! exact frames. Every stream is opened with a frame of its own, every incoming
//! one is taken at once, and what the peer does is noted.

mod frame;
mod stream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::wire::BoxIo;
use frame::{ACK, FIN, Header, Kind, RST, SYN};
use stream::Stream;

/// Frames that wait to be written.
const WAITING: usize = 256;

/// Streams of the peer's that wait to be taken by a case.
const INCOMING: usize = 64;

/// What the peer did, in the order in which it did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// It opened a stream.
    Opened(u32),
    /// It took a stream.
    Acknowledged(u32),
    /// It refused or broke off a stream.
    Reset(u32),
    /// It answered a ping.
    Pong(u32),
    /// It sent more than it was granted.
    Excess(u32),
    /// It did what no peer does.
    Broken(String),
    /// The connection has ended.
    Ended,
}

/// One connection, of which the kit is the client.
#[derive(Debug)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<(u32, BoxIo)>>,
    events: watch::Receiver<Vec<Event>>,
    next: AtomicU32,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// What the tasks of one session share.
#[derive(Debug)]
struct Shared {
    frames: mpsc::Sender<(Header, Bytes)>,
    streams: Mutex<HashMap<u32, Stream>>,
    events: watch::Sender<Vec<Event>>,
}

impl Session {
    /// Speaks yamux on a connection from now on.
    pub(crate) fn client(io: BoxIo) -> Self {
        let (reader, writer) = tokio::io::split(io);
        let (frames, to_write) = mpsc::channel(WAITING);
        let (sender, events) = watch::channel(Vec::new());
        let (opened, incoming) = mpsc::channel(INCOMING);
        let shared = Arc::new(Shared { frames, streams: Mutex::default(), events: sender });
        let reading = tokio::spawn(read(reader, shared.clone(), opened));
        let writing = tokio::spawn(write(writer, to_write));
        Self {
            shared,
            incoming: tokio::sync::Mutex::new(incoming),
            events,
            next: AtomicU32::new(1),
            _tasks: [AbortOnDropHandle::new(reading), AbortOnDropHandle::new(writing)],
        }
    }

    /// Opens a stream; its SYN is the next frame.
    pub(crate) async fn open(&self) -> (u32, BoxIo) {
        let id = self.next.fetch_add(2, Ordering::Relaxed);
        let io = self.shared.add(id);
        self.shared.send(Header::new(Kind::WindowUpdate, SYN, id, 0)).await;
        (id, io)
    }

    /// The next stream that the peer opened.
    pub(crate) async fn accept(&self, within: Duration) -> Option<(u32, BoxIo)> {
        let mut incoming = self.incoming.lock().await;
        tokio::time::timeout(within, incoming.recv()).await.ok().flatten()
    }

    /// Pings with a value.
    pub(crate) async fn ping(&self, value: u32) {
        self.shared.send(Header::new(Kind::Ping, SYN, 0, value)).await;
    }

    /// Looks at what the peer did, each time that there is more, until something
    /// is found; `None` when nothing is within this time.
    pub(crate) async fn wait_for<T>(
        &self,
        within: Duration,
        mut find: impl FnMut(&[Event]) -> Option<T>,
    ) -> Option<T> {
        let mut events = self.events.clone();
        let mut found = None;
        let looking = events.wait_for(|events| {
            found = find(events);
            found.is_some() || events.last() == Some(&Event::Ended)
        });
        let looked = tokio::time::timeout(within, looking).await;
        drop(looked);
        found
    }

    /// Whether the peer did this, within this time.
    pub(crate) async fn did(&self, event: Event, within: Duration) -> bool {
        self.wait_for(within, |events| events.contains(&event).then_some(())).await.is_some()
    }
}

impl Shared {
    async fn send(&self, header: Header) {
        // The writer ends with the connection, which the reader notes.
        let _ended = self.frames.send((header, Bytes::new())).await;
    }

    fn note(&self, event: Event) {
        self.events.send_modify(|events| events.push(event));
    }

    /// Makes a stream; the end for whoever uses it.
    fn add(&self, id: u32) -> BoxIo {
        let (stream, io) = Stream::new(id, self.frames.clone());
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).insert(id, stream);
        io
    }

    fn with<T>(&self, id: u32, act: impl FnOnce(&Stream) -> T) -> Option<T> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).get(&id).map(act)
    }

    fn remove(&self, id: u32) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Does what a frame's header asks for; the data of a data frame is `data`.
    async fn take(&self, header: Header, data: Bytes, opened: &mpsc::Sender<(u32, BoxIo)>) {
        let id = header.stream;
        match header.kind {
            Kind::Ping if header.has(SYN) => {
                self.send(Header::new(Kind::Ping, ACK, 0, header.length)).await;
            }
            Kind::Ping => self.note(Event::Pong(header.length)),
            Kind::GoAway => self.note(Event::Broken(format!("go away, reason {}", header.length))),
            Kind::Data | Kind::WindowUpdate => {
                if header.has(SYN) {
                    let io = self.add(id);
                    self.note(Event::Opened(id));
                    self.send(Header::new(Kind::WindowUpdate, ACK, id, 0)).await;
                    let _nobody_takes_it = opened.try_send((id, io));
                }
                if header.has(ACK) {
                    self.note(Event::Acknowledged(id));
                }
                if header.kind == Kind::WindowUpdate {
                    self.with(id, |stream| stream.grant(header.length));
                } else if !data.is_empty() && self.with(id, |s| s.deliver(data)) == Some(false) {
                    self.note(Event::Excess(id));
                }
                if header.has(FIN) {
                    self.with(id, Stream::finish);
                }
                if header.has(RST) {
                    self.note(Event::Reset(id));
                    self.remove(id);
                }
            }
        }
    }
}

async fn read(mut io: ReadHalf<BoxIo>, shared: Arc<Shared>, opened: mpsc::Sender<(u32, BoxIo)>) {
    loop {
        let mut bytes = [0; frame::BYTES];
        if io.read_exact(&mut bytes).await.is_err() {
            break;
        }
        let header = match Header::parse(bytes) {
            Ok(header) => header,
            Err(why) => {
                shared.note(Event::Broken(why));
                break;
            }
        };
        let mut data = vec![0; header.data_bytes()];
        if io.read_exact(&mut data).await.is_err() {
            break;
        }
        shared.take(header, data.into(), &opened).await;
    }
    shared.streams.lock().unwrap_or_else(PoisonError::into_inner).clear();
    shared.note(Event::Ended);
}

async fn write(mut io: WriteHalf<BoxIo>, mut frames: mpsc::Receiver<(Header, Bytes)>) {
    while let Some((header, data)) = frames.recv().await {
        let written = async {
            io.write_all(&header.bytes()).await?;
            io.write_all(&data).await?;
            io.flush().await
        };
        if written.await.is_err() {
            return;
        }
    }
}
