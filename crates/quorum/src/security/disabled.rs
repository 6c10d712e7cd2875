//! What stands where no security plugin is configured.

use outrigger::GatewayError;
use outrigger::security::{AuthenticationManager, AuthenticationToken, INTERFACE};

/// Authenticates nobody and lets everybody in: a node without a security plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disabled;

impl AuthenticationManager for Disabled {
    async fn authenticate(&self, _: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        Err(GatewayError::Invalid { what: "not supported operation".to_owned() })
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        Ok(false)
    }

    fn epoch(&self) -> Option<u64> {
        Some(0)
    }
}

/// The manager of a security plugin, or none.
#[derive(Debug, Clone)]
pub enum Manager {
    /// A security plugin is configured.
    Plugin(outrigger::security::Handle),
    /// None is.
    Disabled,
}

impl AuthenticationManager for Manager {
    async fn authenticate(&self, token: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        match self {
            Self::Plugin(handle) => handle.authenticate(token).await,
            Self::Disabled => Disabled.authenticate(token).await,
        }
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        match self {
            Self::Plugin(handle) => handle.is_enabled().await,
            Self::Disabled => Disabled.is_enabled().await,
        }
    }

    fn epoch(&self) -> Option<u64> {
        match self {
            Self::Plugin(handle) => handle.epoch(),
            Self::Disabled => Disabled.epoch(),
        }
    }
}

impl Manager {
    /// The manager of the host's security plugin, if it has one.
    #[must_use]
    pub fn of(host: &outrigger::PluginHost) -> Self {
        // An interface has one instance of its own name.
        match host.gateway(INTERFACE) {
            Ok(handle) => Self::Plugin(handle),
            Err(_) => Self::Disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disabled_manager_is_not_enabled_and_authenticates_nobody() {
        assert!(!Disabled.is_enabled().await.unwrap());
        let error = Disabled.authenticate(b"x").await.unwrap_err();
        assert_eq!(error.to_string(), "not supported operation");
    }
}
