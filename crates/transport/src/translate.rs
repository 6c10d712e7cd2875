//! Addresses that mean something else on the other side.

use std::fmt;

use crate::handshake::Address;

/// Translates addresses between a host and a plugin that sees another file
/// system or another network, such as one in a container.
pub trait Translate: fmt::Debug + Send + Sync + 'static {
    /// An address that the plugin announced, as the host must dial it.
    fn plugin_to_host(&self, address: Address) -> Address;

    /// An address that the host listens at, as the plugin must dial it.
    fn host_to_plugin(&self, address: Address) -> Address;
}
