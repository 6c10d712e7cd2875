//! What can go wrong between two sides and a connection of the broker.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::ConnectError;

/// Why a brokered connection could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The other side has no broker, or has not opened it.
    #[error(
        "the other side has no broker: a plugin must serve go-plugin's GRPCBroker, and a host must open it before the plugin's services use it"
    )]
    NotServed,
    /// The session between host and plugin is over.
    #[error("the session is over, and all brokered connections with it; use the next one's broker")]
    Closed,
    /// Every id was given away.
    #[error("all 4294967295 ids of this session were given away; restart the plugin")]
    Exhausted,
    /// No socket could be made for a service.
    #[error("no socket for a brokered service could be made in {}: {reason}", directory.display())]
    Bind {
        /// The directory.
        directory: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A service could not be announced, since the other side reads nothing.
    #[error("broker id {id} could not be announced within {within:?}; the other side hangs")]
    NotAnnounced {
        /// The id.
        id: u32,
        /// The limit.
        within: Duration,
    },
    /// Nobody served the id in time.
    #[error(
        "nothing was served under broker id {id} within {within:?}; whoever names an id must serve it at once, and one announcement is good for one dial"
    )]
    TimedOut {
        /// The id.
        id: u32,
        /// The limit.
        within: Duration,
    },
    /// The announced address is one that is not dialled.
    #[error("broker id {id} was announced at `{address}`, which is refused: {reason}")]
    Refused {
        /// The id.
        id: u32,
        /// The address as it was announced, escaped and cut.
        address: String,
        /// Why.
        reason: String,
    },
    /// The other side does not serve the id.
    #[error("the other side refused broker id {id}: {reason}")]
    KnockRefused {
        /// The id.
        id: u32,
        /// What it said, escaped and cut.
        reason: String,
    },
    /// The announced address does not answer as it should.
    #[error("no connection for broker id {id}: {source}")]
    Unreachable {
        /// The id.
        id: u32,
        /// Where, and why.
        source: ConnectError,
    },
    /// The multiplexed session gave no stream.
    #[error("no stream for broker id {id}: {reason}")]
    NoStream {
        /// The id.
        id: u32,
        /// Why.
        reason: String,
    },
}
