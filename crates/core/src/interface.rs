//! What the host must know of a plugin interface. An embedder makes one for an
//! interface of its own; this crate names none.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_transport::{Cookie, Endpoint};
use outrigger_types::{InterfaceName, RawConfig};

use crate::settings::ReloadMode;

/// What a plugin is told when it is initialised.
#[derive(Debug, Clone)]
pub struct InitialiseRequest {
    /// The node's identity; may be empty.
    pub host_identity: Arc<str>,
    /// The definition's config.
    pub config: RawConfig,
}

/// Why a plugin could not be initialised.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct InitialiseError {
    /// What the plugin said, or what went wrong on the way.
    pub message: String,
    /// Whether the same config must fail again.
    pub permanent: bool,
}

/// How plugins of an interface are initialised: by GoQuorum's service, or by a
/// call of the interface's own.
#[async_trait]
pub trait Initialiser: fmt::Debug + Send + Sync + 'static {
    /// Initialises a generation that nobody calls yet. The caller sets the
    /// deadline.
    ///
    /// # Errors
    ///
    /// [`InitialiseError`] with the plugin's own words.
    async fn initialise(
        &self,
        endpoint: &Endpoint,
        request: InitialiseRequest,
    ) -> Result<(), InitialiseError>;
}

/// A plugin interface.
#[derive(Debug, Clone)]
pub struct InterfaceSpec {
    /// Its name, the key in the settings.
    pub name: InterfaceName,
    /// The application protocol versions that the host's gateways speak.
    pub protocol_versions: Vec<u32>,
    /// The cookie that its plugins expect.
    pub cookie: Cookie,
    /// How its plugins are initialised; `None`: not at all.
    pub initialiser: Option<Arc<dyn Initialiser>>,
    /// Whether two generations may run at the same time. A definition's
    /// `reload` can say otherwise.
    pub reload: ReloadMode,
    /// Full method paths that may be sent twice.
    pub idempotent: &'static [&'static str],
}
