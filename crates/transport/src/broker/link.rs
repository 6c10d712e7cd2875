//! The host's connection to a plugin, main and brokered.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;

use super::stream::OpenStream;
use super::{Broker, Ending, Route, Setup, Sockets};
use crate::accept::Stream;
use crate::connector::{Dial, DialError, connect, connect_over, raw};
use crate::error::ConnectError;
use crate::handshake::Address;
use crate::mux::{Session, Side};
use crate::tls::PeerTls;

/// A connection to a plugin.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) channel: Channel,
    pub(crate) broker: Broker,
    pub(crate) owner: LinkOwner,
}

/// Dropping it ends the broker, and the multiplexed session.
#[derive(Debug)]
pub(crate) struct LinkOwner {
    _stream: OpenStream,
    _session: Option<AbortOnDropHandle<()>>,
}

/// What a host must know to make one.
#[derive(Debug)]
pub(crate) struct LinkSetup<'a> {
    /// Where the plugin listens, as the host dials it.
    pub(crate) address: &'a Address,
    pub(crate) tls: Option<PeerTls>,
    /// Whether all connections share the one to that address.
    pub(crate) multiplex: bool,
    pub(crate) sockets: Sockets,
    /// The application protocol version.
    pub(crate) version: u32,
    pub(crate) largest_message: usize,
}

/// Connects within a time, and opens the plugin's broker in the background.
pub(crate) async fn link(setup: LinkSetup<'_>, within: Duration) -> Result<Link, ConnectError> {
    let LinkSetup { address, tls, multiplex, sockets, version, largest_message } = setup;
    let broker = Broker::new();
    let (channel, session, route) = if multiplex {
        let late = || ConnectError::TimedOut { address: address.clone(), within };
        let connecting = multiplexed(address, tls.as_ref(), &broker, within);
        let (channel, session, driving) =
            timeout(within, connecting).await.unwrap_or_else(|_| Err(late()))?;
        (channel, Some(driving), Route::Streams(Arc::new(OnceLock::from(session))))
    } else {
        (connect(address, tls.as_ref(), within).await?, None, Route::Sockets(sockets))
    };
    broker.set_up(Setup { side: Side::Host, tls, version, largest_message, route });
    let stream = broker.open(channel.clone());
    Ok(Link { channel, broker, owner: LinkOwner { _stream: stream, _session: session } })
}

/// The main connection is the first stream of the one raw connection.
async fn multiplexed(
    address: &Address,
    tls: Option<&PeerTls>,
    broker: &Broker,
    within: Duration,
) -> Result<(Channel, Session, AbortOnDropHandle<()>), ConnectError> {
    let io = raw(address).await.map_err(|error| ConnectError::Dial {
        address: address.clone(),
        reason: error.to_string(),
    })?;
    let admitting = broker.clone();
    let (session, driver) = Session::new(io, Side::Host, move |stream| {
        // A plugin has no business with a stream that it was not permitted.
        drop(admitting.admit(stream));
    });
    let ending = Ending(broker.clone());
    let driving = AbortOnDropHandle::new(tokio::spawn(async move {
        let _broker_too = ending;
        if let Err(error) = driver.await {
            tracing::debug!(%error, "a multiplexed session broke");
        }
    }));
    let main = MainStream { session: session.clone(), address: address.clone() };
    let channel = connect_over(Arc::new(main), tls, within).await.map_err(DialError::of_address)?;
    Ok((channel, session, driving))
}

#[derive(Debug)]
pub(super) struct MainStream {
    pub(super) session: Session,
    pub(super) address: Address,
}

#[async_trait]
impl Dial for MainStream {
    async fn dial(&self) -> Result<Stream, DialError> {
        let _turn = self.session.turn().await;
        match self.session.open().await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let (address, reason) = (self.address.clone(), error.to_string());
                Err(ConnectError::Dial { address, reason }.into())
            }
        }
    }

    fn timed_out(&self, within: Duration) -> DialError {
        ConnectError::TimedOut { address: self.address.clone(), within }.into()
    }
}
