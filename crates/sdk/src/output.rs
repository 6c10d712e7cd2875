//! What the program prints, on its way to the host: a bounded queue for each of
//! the two outputs, and the service that a host reads them by.
//!
//! Whoever prints never waits for the host: a queue that is full loses its
//! oldest bytes, and the log says how many.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use outrigger_proto::plugin::StdioData;
use outrigger_proto::plugin::grpc_stdio_server::GrpcStdio;
use outrigger_proto::plugin::stdio_data::Channel;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

use queue::{Queue, Reader};

mod capture;
mod queue;

pub use capture::Capture;
pub(crate) use capture::{Captured, Tee};

/// The two outputs. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    stdout: Arc<Queue>,
    stderr: Arc<Queue>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self {
            stdout: Arc::new(Queue::new("standard output")),
            stderr: Arc::new(Queue::new("standard error")),
        }
    }

    /// Ends the stream of every reader once it has what was printed until now.
    pub(crate) fn finish(&self) {
        self.stdout.finish();
        self.stderr.finish();
    }

    /// Waits until the readers that there are have all that was printed.
    pub(crate) async fn taken(&self) {
        self.stdout.taken().await;
        self.stderr.taken().await;
    }

    /// All that is printed from now on, and what waits, until [`finish`].
    ///
    /// [`finish`]: Self::finish
    fn pieces(&self) -> impl Stream<Item = StdioData> + Send + 'static {
        let stdout = pieces(self.stdout.clone(), Channel::Stdout);
        stdout.merge(pieces(self.stderr.clone(), Channel::Stderr))
    }
}

fn pieces(queue: Arc<Queue>, channel: Channel) -> impl Stream<Item = StdioData> + Send + 'static {
    futures_util::stream::unfold(Reader::new(queue), move |reader| async move {
        let data: Bytes = reader.next().await?;
        Some((StdioData { channel: channel.into(), data }, reader))
    })
}

/// Go-plugin's stdio service. A second reader gets what comes after the first
/// has gone; two at a time share what comes, as with go-plugin.
#[tonic::async_trait]
impl GrpcStdio for Output {
    type StreamStdioStream = Pin<Box<dyn Stream<Item = Result<StdioData, Status>> + Send>>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(Box::pin(self.pieces().map(Ok))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Far more than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(10);

    type Reader = <Output as GrpcStdio>::StreamStdioStream;

    async fn reader(output: &Output) -> Reader {
        output.stream_stdio(Request::new(())).await.unwrap().into_inner()
    }

    async fn next(reader: &mut Reader) -> Option<(Channel, Bytes)> {
        let piece = tokio::time::timeout(PATIENCE, reader.next()).await.expect("a piece or an end");
        piece.map(|piece| piece.unwrap()).map(|piece| (piece.channel(), piece.data))
    }

    #[tokio::test]
    async fn each_output_has_its_channel_and_keeps_its_order() {
        let output = Output::new();
        let bytes: Vec<u8> = (0..5000_u32).map(|n| n as u8).collect();
        output.stdout.push(&bytes);
        output.stderr.push(b"error");
        output.finish();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut reader = reader(&output).await;
        while let Some((channel, data)) = next(&mut reader).await {
            assert!(!data.is_empty() && data.len() <= 1024, "{}", data.len());
            let to = if channel == Channel::Stdout { &mut stdout } else { &mut stderr };
            to.extend_from_slice(&data);
        }
        assert_eq!((stdout, stderr.as_slice()), (bytes, &b"error"[..]));
    }

    #[tokio::test]
    async fn a_second_reader_gets_what_comes_after_the_first_has_gone() {
        let output = Output::new();
        let mut first = reader(&output).await;
        output.stdout.push(b"one");
        assert_eq!(next(&mut first).await.unwrap().1, "one");
        // It waits when it goes.
        assert!(futures_util::FutureExt::now_or_never(first.next()).is_none());
        drop(first);
        output.stdout.push(b"two");
        let mut second = reader(&output).await;
        assert_eq!(next(&mut second).await.unwrap().1, "two");
        output.stderr.push(b"three");
        assert_eq!(next(&mut second).await.unwrap(), (Channel::Stderr, "three".into()));
    }

    #[tokio::test]
    async fn what_was_printed_is_waited_for_while_somebody_reads() {
        let output = Output::new();
        output.stdout.push(b"nobody reads");
        tokio::time::timeout(PATIENCE, output.taken()).await.expect("no reader, no wait");
        let mut first = reader(&output).await;
        assert!(futures_util::FutureExt::now_or_never(output.taken()).is_none());
        let (_, piece) = tokio::join!(output.taken(), next(&mut first));
        assert_eq!(piece.unwrap().1, "nobody reads");
        output.stderr.push(b"who leaves, leaves it");
        let leaving = async { drop(first) };
        tokio::time::timeout(PATIENCE, async { tokio::join!(output.taken(), leaving) })
            .await
            .expect("a reader that leaves is not waited for");
    }

    #[tokio::test]
    async fn a_reader_waits_while_nothing_is_printed() {
        let output = Output::new();
        let mut reader = reader(&output).await;
        assert!(futures_util::FutureExt::now_or_never(reader.next()).is_none());
        output.finish();
        assert!(next(&mut reader).await.is_none());
    }
}
