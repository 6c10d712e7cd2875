//! The stdio stream: what was printed, until somebody reads it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use outrigger_proto::plugin::StdioData;
use outrigger_proto::plugin::grpc_stdio_server::GrpcStdio;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::wrong::is;

/// The oldest pieces go when more wait.
const KEPT: usize = 512;

/// What waits for a reader.
#[derive(Debug, Default)]
pub(crate) struct Stdio {
    pieces: Mutex<VecDeque<StdioData>>,
    changed: Notify,
}

impl Stdio {
    /// Prints to a channel: 1 is standard output, 2 standard error.
    pub(crate) async fn print(&self, channel: i32, data: &Bytes) {
        let size = if is("large-pieces") { usize::MAX } else { 1024 };
        for piece in data.chunks(size.min(data.len()).max(1)) {
            let data = Bytes::copy_from_slice(piece);
            while is("blocks-unread") && self.lock().len() > 64 {
                self.changed.notified().await;
            }
            self.keep(StdioData { channel, data });
            self.changed.notify_waiters();
            tokio::task::yield_now().await;
        }
    }

    fn keep(&self, piece: StdioData) {
        let mut pieces = self.lock();
        if is("empty-pieces") {
            pieces.push_back(StdioData { data: Bytes::new(), ..piece.clone() });
        }
        pieces.push_back(piece);
        while pieces.len() > KEPT {
            pieces.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<StdioData>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> StdioData {
        loop {
            let changed = self.changed.notified();
            if let Some(piece) = self.lock().pop_front() {
                self.changed.notify_waiters();
                return piece;
            }
            changed.await;
        }
    }
}

/// Serves the stream to one reader after the other.
#[derive(Debug)]
pub(crate) struct StdioService {
    stdio: Arc<Stdio>,
    served: AtomicBool,
}

impl StdioService {
    pub(crate) fn new(stdio: Arc<Stdio>) -> Self {
        Self { stdio, served: AtomicBool::new(false) }
    }
}

#[tonic::async_trait]
impl GrpcStdio for StdioService {
    type StreamStdioStream = ReceiverStream<Result<StdioData, Status>>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        if self.served.swap(true, Ordering::Relaxed) && is("one-reader") {
            return Err(Status::resource_exhausted("it was read already"));
        }
        let (sender, pieces) = mpsc::channel(1);
        let stdio = self.stdio.clone();
        tokio::spawn(async move {
            loop {
                // A place first: what nobody takes is not taken from the queue.
                let Ok(place) = sender.reserve().await else { return };
                tokio::select! {
                    piece = stdio.next() => place.send(Ok(piece)),
                    () = sender.closed() => return,
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(pieces)))
    }
}
