//! One stream: two windows, and the tasks that carry its bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::frame::{FIN, Header, Kind};
use crate::wire::BoxIo;

/// What each side may send before it is granted more.
const WINDOW: u32 = 262_144;

/// The most that is sent in one frame.
const PIECE: usize = 16 * 1024;

/// Pieces that wait to be read; the window bounds their bytes, a peer that sends
/// tiny ones waits.
const PIECES: usize = 4096;

/// The session's end of a stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// `None` is the end.
    inward: mpsc::Sender<Option<Bytes>>,
    /// What the peer may still send.
    granted: Arc<AtomicI64>,
    /// What may still be sent to the peer.
    credit: Arc<Semaphore>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Stream {
    /// Both ends.
    pub(super) fn new(id: u32, frames: mpsc::Sender<(Header, Bytes)>) -> (Self, BoxIo) {
        let (near, far) = tokio::io::duplex(PIECE);
        let (reader, writer) = tokio::io::split(far);
        let (inward, pieces) = mpsc::channel(PIECES);
        let granted = Arc::new(AtomicI64::new(WINDOW.into()));
        let credit = Arc::new(Semaphore::new(WINDOW as usize));
        let out = tokio::spawn(outward(id, reader, credit.clone(), frames.clone()));
        let into = tokio::spawn(carry(id, pieces, writer, granted.clone(), frames));
        let tasks = [AbortOnDropHandle::new(out), AbortOnDropHandle::new(into)];
        (Self { inward, granted, credit, _tasks: tasks }, Box::new(near))
    }

    /// The peer may be sent so many bytes more.
    pub(super) fn grant(&self, bytes: u32) {
        self.credit.add_permits(bytes as usize);
    }

    /// Data came; whether the peer might send it.
    pub(super) fn deliver(&self, data: Bytes) -> bool {
        let length = i64::try_from(data.len()).unwrap_or(i64::MAX);
        let before = self.granted.fetch_sub(length, Ordering::Relaxed);
        // A peer that fills the queue with tiny pieces loses them.
        let _lost = self.inward.try_send(Some(data));
        before >= length
    }

    /// No more data comes.
    pub(super) fn finish(&self) {
        let _lost = self.inward.try_send(None);
    }
}

async fn outward(
    id: u32,
    mut reader: ReadHalf<DuplexStream>,
    credit: Arc<Semaphore>,
    frames: mpsc::Sender<(Header, Bytes)>,
) {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = reader.read(&mut buffer).await.unwrap_or(0);
        let length = u32::try_from(read).unwrap_or_default();
        if read > 0 {
            let Ok(permit) = credit.acquire_many(length).await else { return };
            permit.forget();
        }
        let flags = if read == 0 { FIN } else { 0 };
        let header = Header::new(Kind::Data, flags, id, length);
        let data = Bytes::copy_from_slice(&buffer[..read]);
        if frames.send((header, data)).await.is_err() || read == 0 {
            return;
        }
    }
}

async fn carry(
    id: u32,
    mut pieces: mpsc::Receiver<Option<Bytes>>,
    mut writer: WriteHalf<DuplexStream>,
    granted: Arc<AtomicI64>,
    frames: mpsc::Sender<(Header, Bytes)>,
) {
    while let Some(Some(data)) = pieces.recv().await {
        if writer.write_all(&data).await.is_err() {
            return;
        }
        let length = u32::try_from(data.len()).unwrap_or_default();
        granted.fetch_add(length.into(), Ordering::Relaxed);
        let header = Header::new(Kind::WindowUpdate, 0, id, length);
        if frames.send((header, Bytes::new())).await.is_err() {
            return;
        }
    }
    let _gone = writer.shutdown().await;
}
