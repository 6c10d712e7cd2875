//! What the host must know of a plugin interface. An embedder makes one for an
//! interface of its own; this crate names none.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_transport::{Cookie, Endpoint, LARGEST_MESSAGE, Security};
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

/// A plugin interface, GoQuorum's or anybody's. Made by [`InterfaceSpec::new`]
/// and changed by the methods that follow it:
///
/// ```
/// use outrigger_core::InterfaceSpec;
/// use outrigger_transport::Cookie;
///
/// let cookie = Cookie { key: "KV_PLUGIN".into(), value: "hello".into() };
/// let interface = InterfaceSpec::new("kv".parse()?, cookie)
///     .with_versions([2, 5])
///     .with_largest_message(64 << 20);
/// assert_eq!(interface.protocol_versions, [2, 5]);
/// # Ok::<(), outrigger_types::NameError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InterfaceSpec {
    /// Its name, the key in the settings.
    pub name: InterfaceName,
    /// The application protocol versions that the host's gateways speak: any
    /// numbers, 0 too. The plugin chooses among them, and each call can see
    /// which one it chose ([`outrigger_transport::Rpc::version`]).
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
    /// How connections are secured. A definition's `tls` can say otherwise.
    pub security: Security,
    /// Whether brokered connections share the plugin's one socket. A
    /// definition's `multiplex` can say otherwise.
    pub multiplex: bool,
    /// The largest message that calls send and take, in bytes. A definition's
    /// `largestMessage` can say otherwise.
    pub largest_message: usize,
}

impl InterfaceSpec {
    /// An interface of version 1 whose plugins are not initialised, with
    /// overlapping reloads, AutoMTLS, one socket for each brokered connection,
    /// and go-plugin's limit of 2 GiB less one byte a message.
    #[must_use]
    pub fn new(name: InterfaceName, cookie: Cookie) -> Self {
        Self {
            name,
            protocol_versions: vec![1],
            cookie,
            initialiser: None,
            reload: ReloadMode::Overlapping,
            idempotent: &[],
            security: Security::default(),
            multiplex: false,
            largest_message: LARGEST_MESSAGE,
        }
    }

    /// Sets the application protocol versions. A plugin finds none to choose
    /// from where there is none.
    #[must_use]
    pub fn with_versions(mut self, versions: impl IntoIterator<Item = u32>) -> Self {
        self.protocol_versions = versions.into_iter().collect();
        self
    }

    /// Sets how plugins are initialised.
    #[must_use]
    pub fn with_initialiser(mut self, initialiser: impl Initialiser) -> Self {
        self.initialiser = Some(Arc::new(initialiser));
        self
    }

    /// Sets how a new generation takes over.
    #[must_use]
    pub const fn with_reload(mut self, reload: ReloadMode) -> Self {
        self.reload = reload;
        self
    }

    /// Sets which methods may be sent twice, by full paths such as
    /// `/kv.KV/Get`.
    #[must_use]
    pub const fn with_idempotent(mut self, methods: &'static [&'static str]) -> Self {
        self.idempotent = methods;
        self
    }

    /// Sets how connections are secured.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Sets whether brokered connections share the plugin's one socket, which
    /// go-plugin's plugins can do since 1.6.0.
    #[must_use]
    pub const fn with_multiplex(mut self, multiplex: bool) -> Self {
        self.multiplex = multiplex;
        self
    }

    /// Sets the largest message, in bytes.
    #[must_use]
    pub const fn with_largest_message(mut self, bytes: usize) -> Self {
        self.largest_message = bytes;
        self
    }
}
