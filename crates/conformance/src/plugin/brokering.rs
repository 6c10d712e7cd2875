//! A session with the broker's stream open: announcements both ways.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::probe::{CallHostRequest, OfferRequest, Payload};
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::answer::{Listener, Serving, is_of_host};
use super::bench::{Bench, Launch, Session};
use super::outcome::{Outcome, Shortfall, While as _, answer};
use super::streams::Broker;
use crate::tls::{Accepted, Acceptor};
use crate::wire::{ANSWER, Address, BoxIo, channel, dial_patiently};

/// A plugin that serves, the broker's stream to it, and the probe.
#[derive(Debug)]
pub(crate) struct Brokering {
    pub(crate) session: Session,
    pub(crate) broker: Broker,
}

impl Brokering {
    /// Starts the subject as usual.
    pub(crate) async fn start(bench: &Bench) -> Outcome<Self> {
        Self::launch(bench.launch()?).await
    }

    /// Starts the subject as a case wants it.
    pub(crate) async fn launch(launch: Launch<'_>) -> Outcome<Self> {
        let session = launch.session().await?;
        let broker = Broker::open(&session.channel);
        session.ping("beside the broker's stream").await?;
        Ok(Self { session, broker })
    }

    /// Has the plugin offer its service; the id that it names.
    pub(crate) async fn offer(&self) -> Outcome<u32> {
        let request = OfferRequest { silent: false };
        let offered = answer("Probe/Offer", self.session.probe().offer(request)).await?;
        Ok(offered.broker_id)
    }

    /// What the plugin announced under an id.
    pub(crate) async fn announced(&self, id: u32, within: Duration) -> Outcome<ConnInfo> {
        let of_id = |message: &&ConnInfo| message.service_id == id;
        let announced = self
            .broker
            .incoming
            .wait_for(within, |received| received.messages.iter().find(of_id).cloned());
        if let Some(announced) = announced.await {
            return Ok(announced);
        }
        let ended = self.broker.incoming.ended(Duration::ZERO).await;
        let ended = ended.map_or(String::new(), |how| format!("; the stream ended: {how}"));
        Err(Shortfall::seen(format!("no announcement of id {id} within {within:?}{ended}")))
    }

    /// Has the plugin offer its service, and waits for the announcement.
    pub(crate) async fn offered(&self) -> Outcome<(u32, Address)> {
        let id = self.offer().await?;
        let announced = self.announced(id, ANSWER).await?;
        Ok((id, address(&announced)?))
    }

    /// Connects to what the plugin announced.
    pub(crate) async fn dial(&self, address: &Address) -> Outcome<BoxIo> {
        dial_patiently(address).await.during(&format!("connecting to {address}"))
    }

    /// Dials what the plugin announced, as its host would.
    pub(crate) async fn connect(&self, address: &Address) -> Outcome<Channel> {
        let io = self.dial(address).await?;
        let (io, authority) = match &self.session.started.identity {
            None => (io, "unused"),
            Some(_) => {
                let secured = self.session.started.client().connect(io).await;
                (secured.during("the TLS handshake of the brokered connection")?.io, "localhost")
            }
        };
        channel(io, authority).await.during("HTTP/2 on the brokered connection")
    }

    /// A socket that the plugin may dial; it is not announced yet.
    pub(crate) fn listen(&self, id: u32) -> Outcome<Listener> {
        Listener::bind(&self.session.started.sockets, id)
    }

    /// Binds a socket and announces it.
    pub(crate) async fn announce(&self, id: u32) -> Outcome<Listener> {
        let listener = self.listen(id)?;
        self.broker.send(listener.announcement(id)).await?;
        Ok(listener)
    }

    /// The TLS of the host's side, if there is TLS.
    pub(crate) fn acceptor(&self) -> Option<Acceptor> {
        let identity = self.session.started.identity.clone()?;
        Some(Acceptor { identity, asks: true })
    }

    /// Asks the plugin to dial an id.
    pub(crate) async fn call_host(&self, id: u32) -> Result<Response<Payload>, Status> {
        let request = CallHostRequest { broker_id: id, data: Bytes::from_static(QUESTION) };
        self.session.probe().call_host(request).await
    }

    /// Asks the plugin to dial an id, serves it as an ordinary host does, and
    /// sees that the answer comes back; what the plugin showed of itself.
    pub(crate) async fn called_back(&self, id: u32, listener: &Listener) -> Outcome<Dialled> {
        let acceptor = self.acceptor();
        let (answered, served) = tokio::join!(
            answer("Probe/CallHost", self.call_host(id)),
            listener.serve(acceptor.as_ref())
        );
        let (serving, shown) = served?;
        is_of_host(&answered?.data, QUESTION)?;
        Ok(Dialled { _serving: serving, shown })
    }
}

/// What is asked.
pub(crate) const QUESTION: &[u8] = b"what the plugin asked";

/// A connection that the plugin dialled.
pub(crate) struct Dialled {
    _serving: Serving,
    /// `None` without TLS.
    pub(crate) shown: Option<Accepted>,
}

/// Where an announcement leads.
pub(crate) fn address(announced: &ConnInfo) -> Outcome<Address> {
    let ConnInfo { network, address, .. } = announced;
    match &**network {
        "unix" => Ok(Address::Unix(address.into())),
        "tcp" => {
            let address = address.parse();
            address.map(Address::Tcp).map_err(|_| Shortfall::seen(format!("{announced:?}")))
        }
        _ => Err(Shortfall::seen(format!("{announced:?}"))),
    }
}
