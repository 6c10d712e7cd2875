//! A session over one raw connection, multiplexed.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::plugin::conn_info::Knock;
use outrigger_proto::probe::probe_client::ProbeClient;
use outrigger_proto::probe::{CallHostRequest, OfferRequest, Payload};
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::answer::{Serving, serve};
use super::bench::{Launch, Started};
use super::brokering::QUESTION;
use super::outcome::{Outcome, Shortfall, While as _, answer};
use super::streams::Broker;
use crate::tls::Acceptor;
use crate::wire::{ANSWER, BoxIo, channel, ping};
use crate::yamux::Session;

/// The variable that asks for it.
pub(crate) const VARIABLE: &str = "PLUGIN_MULTIPLEX_GRPC";

/// A plugin that serves over one connection, with the broker's stream open.
#[derive(Debug)]
pub(crate) struct Muxed {
    pub(crate) broker: Broker,
    pub(crate) channel: Channel,
    pub(crate) yamux: Session,
    pub(crate) started: Started,
}

impl Muxed {
    /// Starts the subject, makes the main connection, and opens the broker's
    /// stream.
    pub(crate) async fn start(launch: Launch<'_>) -> Outcome<Self> {
        let started = launch.set(VARIABLE, "true").start().await?;
        let yamux = Session::client(started.dial().await?);
        let (_, io) = yamux.open().await;
        let channel = secured(&started, io).await?;
        ping(&channel).await.during("a call on the first stream")?;
        let broker = Broker::open(&channel);
        ping(&channel).await.during("a call beside the broker's stream")?;
        Ok(Self { broker, channel, yamux, started })
    }

    /// A client of the probe, which takes messages of any size.
    pub(crate) fn probe(&self) -> ProbeClient<Channel> {
        ProbeClient::new(self.channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX)
    }

    /// Opens a stream, and speaks gRPC on it as on the main one.
    pub(crate) async fn connect(&self) -> Outcome<Channel> {
        let (_, io) = self.yamux.open().await;
        secured(&self.started, io).await
    }

    /// Has the plugin offer its service; the id that it names.
    pub(crate) async fn offer(&self) -> Outcome<u32> {
        let request = OfferRequest { silent: false };
        Ok(answer("Probe/Offer", self.probe().offer(request)).await?.broker_id)
    }

    /// Knocks for an id of the plugin's; its answer.
    pub(crate) async fn knock(&self, id: u32, within: Duration) -> Outcome<Option<Knock>> {
        let knock = Knock { knock: true, ack: false, error: String::new() };
        self.broker.send(message(id, knock)).await?;
        let answered = |message: &ConnInfo| {
            let knock = message.knock.clone().filter(|knock| knock.ack);
            (message.service_id == id).then_some(knock).flatten()
        };
        let found = self
            .broker
            .incoming
            .wait_for(within, |received| received.messages.iter().find_map(answered));
        Ok(found.await)
    }

    /// Knocks, and wants to be let in.
    pub(crate) async fn let_in(&self, id: u32) -> Outcome {
        match self.knock(id, ANSWER).await? {
            Some(knock) if knock.error.is_empty() => Ok(()),
            Some(knock) => Err(Shortfall::seen(format!("the knock was refused: {}", knock.error))),
            None => Err(Shortfall::seen(format!("the knock for {id} was not answered"))),
        }
    }

    /// Asks the plugin to dial an id of the host's.
    pub(crate) async fn call_host(&self, id: u32) -> Result<Response<Payload>, Status> {
        let request = CallHostRequest { broker_id: id, data: Bytes::from_static(QUESTION) };
        self.probe().call_host(request).await
    }

    /// The ids that the plugin has knocked for, once there are so many.
    pub(crate) async fn knocks(&self, count: usize, within: Duration) -> Vec<u32> {
        let mut ids = Vec::new();
        let all = self.broker.incoming.wait_for(within, |received| {
            let knocks = received.messages.iter().filter(|message| {
                message.knock.as_ref().is_some_and(|knock| knock.knock && !knock.ack)
            });
            ids = knocks.map(|message| message.service_id).collect();
            (ids.len() >= count).then_some(())
        });
        let _in_time = all.await;
        ids
    }

    /// Answers a knock of the plugin's.
    pub(crate) async fn answer(&self, id: u32, error: &str) -> Outcome {
        let knock = Knock { knock: true, ack: true, error: error.to_owned() };
        self.broker.send(message(id, knock)).await
    }

    /// Serves the next stream that the plugin opens; its number.
    pub(crate) async fn serve_next(&self) -> Outcome<(u32, Serving)> {
        let Some((stream, io)) = self.yamux.accept(ANSWER).await else {
            return Err(Shortfall::seen(format!("no stream was opened within {ANSWER:?}")));
        };
        let Some(identity) = self.started.identity.clone() else {
            return Ok((stream, serve(io, 0)));
        };
        let accepted = Acceptor { identity, asks: true }.accept(io).await;
        let accepted = accepted.during("TLS in the stream that it opened")?;
        Ok((stream, serve(accepted.io, 0)))
    }
}

fn message(id: u32, knock: Knock) -> ConnInfo {
    ConnInfo { service_id: id, knock: Some(knock), ..ConnInfo::default() }
}

async fn secured(started: &Started, io: BoxIo) -> Outcome<Channel> {
    let (io, authority) = match &started.identity {
        None => (io, "unused"),
        Some(_) => {
            let secured = started.client().connect(io).await;
            (secured.during("TLS inside of a stream")?.io, "localhost")
        }
    };
    channel(io, authority).await.during("HTTP/2 inside of a stream")
}
