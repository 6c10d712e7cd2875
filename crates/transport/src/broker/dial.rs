//! The two ways to what the other side serves: an address, and a stream that
//! was asked for. Both end with the session.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger_proto::plugin::ConnInfo;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Broker, BrokerError, Shared, WAIT};
use crate::accept::{PeerIo, Stream};
use crate::connector::{Dial, DialError, raw};
use crate::error::ConnectError;
use crate::handshake::Address;
use crate::mux::{Session, Side};

/// Go's side begins to take knocks for an id before it has a listener for it. A
/// plugin acknowledges one in between, and its whole server ends if the stream
/// is there first; a host refuses one. This is much longer than what is between
/// the two lines.
const GO_PAUSE: Duration = Duration::from_millis(20);

/// For a refusal to be believed.
const TRIES: u32 = 2;

/// An address that was announced and claimed.
pub(super) struct Announced {
    pub(super) broker: Broker,
    pub(super) id: u32,
    pub(super) address: Address,
}

#[async_trait]
impl Dial for Announced {
    async fn dial(&self) -> Result<Stream, DialError> {
        let Self { broker: Broker(shared), address, .. } = self;
        shared.ended()?;
        let stream = raw(address).await.map_err(|error| ConnectError::Dial {
            address: address.clone(),
            reason: error.to_string(),
        })?;
        Ok(Box::new(PeerIo::new(stream, shared.over.clone())))
    }

    fn timed_out(&self, within: Duration) -> DialError {
        ConnectError::TimedOut { address: self.address.clone(), within }.into()
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announced").field("id", &self.id).field("address", &self.address).finish()
    }
}

/// An id for whose streams permission is asked, each time anew: a stream that
/// nobody permitted reaches another service, or none.
pub(super) struct Knocking {
    pub(super) broker: Broker,
    pub(super) id: u32,
    pub(super) side: Side,
    pub(super) session: Session,
    pub(super) outgoing: mpsc::Sender<ConnInfo>,
}

impl Knocking {
    /// Asks for permission until it is given, or refused for good.
    async fn permission(&self, deadline: Instant) -> Result<(), BrokerError> {
        let id = self.id;
        let mut tries = TRIES;
        loop {
            match self.ask(deadline).await? {
                Some(Ok(())) => return Ok(()),
                Some(Err(_)) if tries > 1 => {
                    tries -= 1;
                    tokio::time::sleep(GO_PAUSE).await;
                }
                Some(Err(reason)) => return Err(BrokerError::KnockRefused { id, reason }),
                None => return Err(BrokerError::TimedOut { id, within: WAIT }),
            }
        }
    }

    async fn ask(&self, deadline: Instant) -> Result<Option<Result<(), String>>, BrokerError> {
        let Self { broker: Broker(shared), id, outgoing, .. } = self;
        let knock = shared.table().knock(*id);
        let _answers_are_late_afterwards = KnockOver(shared);
        shared.send(outgoing, knock, deadline).await?;
        shared.until(deadline, |table| table.answer()).await
    }
}

#[async_trait]
impl Dial for Knocking {
    async fn dial(&self) -> Result<Stream, DialError> {
        let Self { broker: Broker(shared), id, session, .. } = self;
        let id = *id;
        let deadline = Instant::now() + WAIT;
        shared.ended()?;
        // One knock at a time until its stream is open: it goes by order.
        let turn = timeout_at(deadline, session.turn()).await;
        let _turn = turn.map_err(|_| BrokerError::TimedOut { id, within: WAIT })?;
        self.permission(deadline).await?;
        if self.side == Side::Host {
            tokio::time::sleep(GO_PAUSE).await;
        }
        let stream = session
            .open()
            .await
            .map_err(|error| BrokerError::NoStream { id, reason: error.to_string() })?;
        Ok(Box::new(PeerIo::new(Box::new(stream), shared.over.clone())))
    }

    fn timed_out(&self, within: Duration) -> DialError {
        BrokerError::TimedOut { id: self.id, within }.into()
    }
}

impl fmt::Debug for Knocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knocking").field("id", &self.id).finish_non_exhaustive()
    }
}

struct KnockOver<'a>(&'a Arc<Shared>);

impl Drop for KnockOver<'_> {
    fn drop(&mut self) {
        self.0.table().knock_over();
    }
}
