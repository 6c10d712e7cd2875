//! What the settings say about one plugin.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use outrigger_types::{InterfaceName, PluginDefinition, Sha256Digest};

use super::{After, CallBounds, RestartPolicy, Timeouts};

/// One configured plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderSettings {
    /// The interface that it fills. Key `interface`; by default the provider's
    /// own key.
    pub interface: InterfaceName,
    /// The distribution and the configuration that it gets.
    pub definition: PluginDefinition,
    /// How it is replaced, if not as its interface says. Key `reload`.
    pub reload: Option<ReloadMode>,
    /// Whether the node may not start without it. Key `required`; default true.
    pub required: bool,
    /// Which of the host's environment it sees. Key `sandbox`.
    pub environment: EnvironmentProfile,
    /// Its time limits. Key `timeouts`; what it leaves out comes from the
    /// settings' own `timeouts`.
    pub timeouts: Timeouts,
    /// How it is kept alive. Key `restart`; what it leaves out comes from the
    /// settings' own `restart`.
    pub restart: RestartPolicy,
    /// How much may be asked of it at a time. Key `calls`; what it leaves out
    /// comes from the settings' own `calls`.
    pub calls: CallBounds,
    /// The instances that it is started after and stopped before. Key `after`.
    pub after: After,
    /// Copies beside what serves that stand ready to take over: 0 or 1. Key
    /// `spare`; default 0.
    pub spare: u32,
    /// The largest message that calls send and take, in bytes, if not as its
    /// interface says. Key `largestMessage`.
    pub largest_message: Option<u64>,
    /// The group, by name or number, that may reach the plugin's sockets. Key
    /// `socketGroup`.
    pub socket_group: Option<String>,
    /// The ports that it may listen on, if it listens on TCP. Key `ports`.
    pub ports: Option<RangeInclusive<u16>>,
    /// The digest that the file of its executable must have. Key `checksum`.
    pub checksum: Option<Sha256Digest>,
    /// How its connections are secured, if not as its interface says. Key
    /// `tls`.
    pub tls: Option<TlsSettings>,
    /// Whether brokered connections share its one socket, if not as its
    /// interface says. Key `multiplex`.
    pub multiplex: Option<bool>,
    /// What is added to its environment. Key `variables`.
    pub variables: Variables,
}

impl ProviderSettings {
    /// A required provider of `interface` in the profile
    /// [`Compat`](EnvironmentProfile::Compat) with the default time limits.
    #[must_use]
    pub fn new(interface: InterfaceName, definition: PluginDefinition) -> Self {
        Self {
            interface,
            definition,
            reload: None,
            required: true,
            environment: EnvironmentProfile::default(),
            timeouts: Timeouts::default(),
            restart: RestartPolicy::default(),
            calls: CallBounds::default(),
            after: After::new(),
            spare: 0,
            largest_message: None,
            socket_group: None,
            ports: None,
            checksum: None,
            tls: None,
            multiplex: None,
            variables: Variables::default(),
        }
    }
}

/// How a new generation takes over from the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReloadMode {
    /// `"overlapping"`: the new generation starts beside the old one.
    Overlapping,
    /// `"exclusive"`: the old generation stops before the new one starts.
    Exclusive,
}

/// Which of the host's environment variables a plugin sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EnvironmentProfile {
    /// A definition without a `sandbox` block: all of them, less the ones that
    /// steer a host or a handshake.
    #[default]
    Compat,
    /// A definition with a `sandbox` block: none but these.
    Strict {
        /// The names to pass on, from the block's list `env`. A variable that
        /// the host does not have is left out.
        pass: Vec<String>,
    },
}

/// How the connections to a plugin are secured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsSettings {
    /// `"auto"`: each side makes a certificate for this one process.
    Auto,
    /// `"none"`: not at all. Dangerous, and logged at each start.
    None,
    /// `"given"`: by files in PEM, read anew for each generation.
    Given {
        /// The host's certificate, and what leads to a root. Absolute.
        certificate: PathBuf,
        /// Its key. Absolute.
        key: PathBuf,
        /// What the plugin's certificate is checked against. Absolute.
        roots: PathBuf,
        /// The name in the plugin's certificate; by default `localhost`.
        server_name: Option<String>,
    },
}

/// Environment variables that are added to a plugin's. Values may be secrets,
/// so `Debug` shows names only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Adds a variable, or replaces it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
