//! The stream between the two brokers: the host opens it, the plugin serves it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::plugin::grpc_broker_client::GrpcBrokerClient;
use outrigger_proto::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{Broker, Ending, Phase, QUEUE};

/// The largest message between brokers, in bytes. The longest path of a socket
/// has 107.
const LARGEST: usize = 16 * 1024;

/// The host's end. Dropping it ends the broker.
#[derive(Debug)]
pub(crate) struct OpenStream {
    _broker: Ending,
    _exchanging: AbortOnDropHandle<()>,
}

impl Broker {
    /// Opens the stream in the background: a Go plugin sends no headers on it
    /// before its first message. The request side stays open until the broker
    /// ends; a plugin takes its end for the session's.
    pub(crate) fn open(&self, channel: Channel) -> OpenStream {
        let (outgoing, requests) = mpsc::channel(QUEUE);
        self.0.begin(outgoing);
        let broker = self.clone();
        let exchanging = tokio::spawn(async move {
            let last = tokio::select! {
                last = exchange(&broker, channel, requests) => last,
                () = broker.0.over.cancelled() => Phase::Closed,
            };
            broker.0.end(last);
        });
        OpenStream {
            _broker: Ending(self.clone()),
            _exchanging: AbortOnDropHandle::new(exchanging),
        }
    }

    /// The plugin's end, to be registered on its main server. It serves one
    /// session: a second stream is refused.
    #[must_use]
    pub fn service(&self) -> GrpcBrokerServer<BrokerService> {
        let service = BrokerService { broker: self.clone() };
        GrpcBrokerServer::new(service).max_decoding_message_size(LARGEST)
    }
}

/// Speaks until the stream ends, and says what that means.
async fn exchange(broker: &Broker, channel: Channel, requests: mpsc::Receiver<ConnInfo>) -> Phase {
    let mut client = GrpcBrokerClient::new(channel).max_decoding_message_size(LARGEST);
    let opened = client.start_stream(ReceiverStream::new(requests)).await;
    let ended = match opened {
        Ok(answer) => read(broker, answer.into_inner()).await,
        Err(status) => Err(status),
    };
    match ended {
        Err(status) if status.code() == Code::Unimplemented => {
            tracing::debug!("the plugin has no broker");
            Phase::NotServed
        }
        Err(status) => {
            // The plugin's death looks like this too, and is told elsewhere.
            tracing::debug!(code = ?status.code(), "the broker's stream broke");
            Phase::Closed
        }
        Ok(()) => Phase::Closed,
    }
}

async fn read(broker: &Broker, mut incoming: Streaming<ConnInfo>) -> Result<(), Status> {
    while let Some(info) = incoming.message().await? {
        broker.0.receive(info);
    }
    Ok(())
}

/// go-plugin's broker service, as a plugin serves it.
#[derive(Debug)]
pub struct BrokerService {
    broker: Broker,
}

#[tonic::async_trait]
impl GrpcBroker for BrokerService {
    type StartStreamStream = Messages;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Messages>, Status> {
        let (outgoing, messages) = mpsc::channel(QUEUE);
        if !self.broker.0.begin(outgoing) {
            return Err(Status::failed_precondition(
                "this plugin's broker serves one stream in its life, which was opened already",
            ));
        }
        let (broker, incoming) = (self.broker.clone(), request.into_inner());
        let reading = tokio::spawn(async move {
            let ending = Ending(broker);
            let _broken = read(&ending.0, incoming).await;
        });
        Ok(Response::new(Messages {
            messages: ReceiverStream::new(messages),
            _broker: Ending(self.broker.clone()),
            _reading: AbortOnDropHandle::new(reading),
        }))
    }
}

/// What a plugin's broker says to the host's. The end of the call, which drops
/// it, ends the broker.
pub struct Messages {
    messages: ReceiverStream<ConnInfo>,
    _broker: Ending,
    _reading: AbortOnDropHandle<()>,
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

impl tokio_stream::Stream for Messages {
    type Item = Result<ConnInfo, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.messages).poll_next(cx).map(|info| info.map(Ok))
    }
}
