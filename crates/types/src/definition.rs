//! What the settings ask for.

use crate::{ConfigSource, PluginName, PluginVersion};

/// The plugin that the settings ask for, for one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginDefinition {
    /// The distribution's name.
    pub name: PluginName,
    /// The distribution's version.
    pub version: PluginVersion,
    /// Where the configuration for the plugin's initialisation comes from.
    pub config: ConfigSource,
}
