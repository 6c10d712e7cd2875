//! The two streams that a host keeps open, and whatever else streams: read in
//! the background, since Go's peers send no headers until there is a message.

use std::future::Future;
use std::time::Duration;

use outrigger_proto::plugin::grpc_broker_client::GrpcBrokerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{ConnInfo, StdioData};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::outcome::{Outcome, Shortfall, status_text};

/// Messages that wait to be sent.
const WAITING: usize = 64;

/// More messages than any case looks at.
const KEPT: usize = 64 * 1024;

/// A stream that is being read. Dropping it resets the stream.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    seen: watch::Receiver<Received<T>>,
    _task: AbortOnDropHandle<()>,
}

/// What came of a stream so far.
#[derive(Debug)]
pub(crate) struct Received<T> {
    pub(crate) messages: Vec<T>,
    /// How it ended, if it has.
    pub(crate) ended: Option<String>,
}

/// The broker's stream, both ways.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) incoming: Reading<ConnInfo>,
    outgoing: mpsc::Sender<ConnInfo>,
}

impl<T: Send + Sync + 'static> Reading<T> {
    /// Calls, and reads what comes.
    pub(crate) fn open(
        call: impl Future<Output = Result<Response<Streaming<T>>, Status>> + Send + 'static,
    ) -> Self {
        let (sender, seen) = watch::channel(Received { messages: Vec::new(), ended: None });
        let task = AbortOnDropHandle::new(tokio::spawn(read(call, sender)));
        Self { seen, _task: task }
    }

    /// Looks at what came, each time that there is more, until something is
    /// found; `None` when nothing is within this time, or by the stream's end.
    pub(crate) async fn wait_for<R>(
        &self,
        within: Duration,
        mut find: impl FnMut(&Received<T>) -> Option<R>,
    ) -> Option<R> {
        let mut seen = self.seen.clone();
        let mut found = None;
        let looking = seen.wait_for(|received| {
            found = find(received);
            found.is_some() || received.ended.is_some()
        });
        let looked = tokio::time::timeout(within, looking).await;
        drop(looked);
        found
    }

    /// How it ended, if it does within this time.
    pub(crate) async fn ended(&self, within: Duration) -> Option<String> {
        self.wait_for(within, |received| received.ended.clone()).await
    }
}

async fn read<T>(
    call: impl Future<Output = Result<Response<Streaming<T>>, Status>>,
    seen: watch::Sender<Received<T>>,
) {
    let end = |how: String| seen.send_modify(|received| received.ended = Some(how));
    let mut stream = match call.await {
        Ok(response) => response.into_inner(),
        Err(status) => return end(status_text(&status)),
    };
    loop {
        match stream.message().await {
            Ok(Some(message)) => seen.send_modify(|received| {
                if received.messages.len() < KEPT {
                    received.messages.push(message);
                }
            }),
            Ok(None) => return end("OK".into()),
            Err(status) => return end(status_text(&status)),
        }
    }
}

/// Opens the stdio stream.
pub(crate) fn stdio(channel: &Channel) -> Reading<StdioData> {
    let mut client = GrpcStdioClient::new(channel.clone());
    Reading::open(async move { client.stream_stdio(()).await })
}

impl Broker {
    /// Opens the broker's stream; a process has but one in its life.
    pub(crate) fn open(channel: &Channel) -> Self {
        let (outgoing, messages) = mpsc::channel(WAITING);
        let mut client = GrpcBrokerClient::new(channel.clone());
        let call = async move { client.start_stream(ReceiverStream::new(messages)).await };
        Self { incoming: Reading::open(call), outgoing }
    }

    /// Sends a message.
    pub(crate) async fn send(&self, message: ConnInfo) -> Outcome {
        let ended = |_| Shortfall::seen("the broker's stream has ended");
        self.outgoing.send(message).await.map_err(ended)
    }

    /// Ends the request side, as hosts must not.
    pub(crate) fn half_close(self) -> Reading<ConnInfo> {
        self.incoming
    }
}
