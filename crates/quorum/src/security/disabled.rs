//! What stands where no security plugin is configured.

use std::sync::{Mutex, PoisonError};

use outrigger::security::{AuthenticationManager, AuthenticationToken, Handle};
use outrigger::{Following, Gateway as _, GatewayError, Link, PluginHost};

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

/// The manager of a host's security plugin. A host without one lets everybody in;
/// one that had one lets nobody in once settings drop it.
#[derive(Debug)]
pub struct Manager {
    following: Following<Handle>,
    seen: Mutex<Seen>,
}

/// The instance that was asked last. One that takes its place counts its
/// generations from 1 again, and may judge in another way.
#[derive(Debug, Default)]
struct Seen {
    link: Option<Link>,
    instances: u64,
}

impl Manager {
    /// Asks whichever security plugin `host` has at the moment.
    #[must_use]
    pub fn of(host: &PluginHost) -> Self {
        Self { following: host.follow(), seen: Mutex::default() }
    }

    /// The plugin's handle; `None` without one.
    #[must_use]
    pub fn plugin(&self) -> Option<Handle> {
        self.following.gateway()
    }

    /// Whom to ask, and which of the plugins over time that is; `None`: nobody,
    /// though there was somebody once.
    fn judge(&self) -> Option<(Option<Handle>, u64)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(link) = self.following.link() else {
            return seen.link.is_none().then_some((None, 0));
        };
        if !seen.link.as_ref().is_some_and(|known| known.is(&link)) {
            seen.link = Some(link.clone());
            seen.instances += 1;
        }
        Some((Some(Handle::from_link(link)), seen.instances))
    }
}

fn dropped() -> GatewayError {
    GatewayError::Invalid { what: "the security plugin was dropped from the settings".to_owned() }
}

impl AuthenticationManager for Manager {
    async fn authenticate(&self, token: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        match self.judge().ok_or_else(dropped)?.0 {
            Some(handle) => handle.authenticate(token).await,
            None => Disabled.authenticate(token).await,
        }
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        match self.judge().ok_or_else(dropped)?.0 {
            Some(handle) => handle.is_enabled().await,
            None => Disabled.is_enabled().await,
        }
    }

    fn epoch(&self) -> Option<u64> {
        let (handle, instances) = self.judge()?;
        match handle {
            // No instance has had four milliards of generations.
            Some(handle) => Some((instances << 32) | (handle.epoch()? & u64::from(u32::MAX))),
            None => Disabled.epoch(),
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
