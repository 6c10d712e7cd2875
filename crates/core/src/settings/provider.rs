//! What the settings say about one plugin.

use outrigger_types::{InterfaceName, PluginDefinition};

use super::Timeouts;

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
