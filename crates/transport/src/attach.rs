//! Attaching to a plugin that runs already: one that another host started, or
//! that a person runs in a debugger.
//!
//! The process is known by its number and its start time, found at its socket,
//! and confirmed by a health check. Nothing is stopped or killed on the way,
//! whatever fails.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::pki_types::CertificateDer;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::driver::Driver;
use crate::error::LaunchError;
use crate::handshake::Address;
use crate::identity::Identity;
use crate::runner::Running;
use crate::spec::LaunchSpec;
use crate::tls::PeerTls;

mod find;
mod json;

pub use json::ReattachError;

/// What is needed to attach to a plugin that runs.
#[derive(Debug, Clone)]
pub struct Reattach {
    /// The application protocol version that it chose; 0 if that is not known,
    /// and the host's highest is then used.
    pub version: u32,
    /// Where it listens.
    pub address: Address,
    /// Its process; `None` where a runner started it.
    pub pid: Option<u32>,
    /// When its process started, in clock ticks since the machine did (field 22
    /// of `/proc/PID/stat`); `None` where nobody noted it.
    pub start_time: Option<u64>,
    /// Whether it is its own master: it is neither asked to end nor killed.
    pub test: bool,
    /// The first host's identity under AutoMTLS; `None` once the items have
    /// crossed to another process.
    pub handover: Option<Handover>,
}

impl Reattach {
    /// For a plugin without AutoMTLS, or one whose first host was another
    /// process.
    #[must_use]
    pub const fn new(address: Address, pid: u32) -> Self {
        let (start_time, handover) = (None, None);
        Self { version: 0, address, pid: Some(pid), start_time, test: false, handover }
    }
}

/// The first host's identity and its plugin's certificate, for a second one in
/// the same process: a key never leaves its process. [`Connection::reattach`]
/// gives it.
#[derive(Debug, Clone)]
pub struct Handover(Arc<(Identity, Vec<u8>)>);

impl Handover {
    pub(crate) fn new(identity: Identity, plugin: Vec<u8>) -> Self {
        Self(Arc::new((identity, plugin)))
    }

    pub(crate) fn tls(&self) -> Result<PeerTls, rustls::Error> {
        let (identity, plugin) = &*self.0;
        PeerTls::pinned(identity, vec![CertificateDer::from(plugin.clone())])
    }
}

/// Attaches to one plugin instead of starting it: of the spec, what concerns a
/// program is ignored.
#[derive(Clone)]
pub struct AttachDriver {
    reattach: Reattach,
    held: Option<Arc<dyn Running>>,
}

impl AttachDriver {
    /// Attaches by process number.
    #[must_use]
    pub const fn new(reattach: Reattach) -> Self {
        Self { reattach, held: None }
    }

    /// Attaches to a process that somebody else can wait for and kill, as a
    /// runner's. Its number and start time are not looked at.
    #[must_use]
    pub const fn held(reattach: Reattach, running: Arc<dyn Running>) -> Self {
        Self { reattach, held: Some(running) }
    }
}

impl fmt::Debug for AttachDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachDriver").field("reattach", &self.reattach).finish_non_exhaustive()
    }
}

#[async_trait]
impl Driver for AttachDriver {
    async fn launch(
        &self,
        spec: LaunchSpec,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Connection>, LaunchError> {
        let attaching = find::attach(self.reattach.clone(), self.held.clone(), &spec);
        tokio::select! {
            attached = attaching => Ok(Arc::new(attached?)),
            () = cancel.cancelled() => {
                Err(LaunchError::ProcessNotFound { reason: "the search was cancelled".to_owned() })
            }
        }
    }
}
