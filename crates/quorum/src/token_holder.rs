//! The token that a QLight client shows to its server, kept fresh by a token
//! manager plugin.
//!
//! A token that is a JWT says when it ends. It is not verified here: the server
//! does that. When less than the manager's anticipation is left, the manager is
//! asked for another one, on use and by a timer.
//!
//! A token that is none, an opaque one, says nothing. It counts as good for
//! [`OPAQUE`] after the manager gave it, and as ended if somebody else did:
//! GoQuorum asks on every use, or never where the anticipation is 0, so that
//! each of a node's requests is a call of the plugin or none ever is. An empty
//! token counts as ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use outrigger::GatewayError;
use outrigger::qlight::TokenManager;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

mod claim;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod token;

use shared::Shared;
pub use token::{LONGEST, Token, TokenError};

/// How long a token that does not say when it ends counts as good.
pub const OPAQUE: Duration = Duration::from_secs(60);

/// The holder: a cheap clone. Its timer ends with the last one.
pub struct TokenHolder<M> {
    shared: Arc<Shared<M>>,
    _timer: Option<Arc<AbortOnDropHandle<()>>>,
}

impl<M: TokenManager + 'static> TokenHolder<M> {
    /// Holds a token for a private state, and starts the timer on the runtime
    /// that it is called on. Without a manager the token is as it was set.
    ///
    /// # Errors
    ///
    /// [`TokenError`], if the token is none. It may be empty.
    ///
    /// # Panics
    ///
    /// With a manager, outside of a tokio runtime.
    pub fn start(manager: Option<M>, psi: &str, token: &str) -> Result<Self, TokenError> {
        let timed = manager.is_some();
        let shared = Arc::new(Shared::new(manager, psi.to_owned(), Token::parse(token)?));
        let timer = timed.then(|| {
            let task = tokio::spawn(shared::ring(Arc::clone(&shared)));
            Arc::new(AbortOnDropHandle::new(task))
        });
        Ok(Self { shared, _timer: timer })
    }

    /// The token to show now. One that is due is refreshed first; if that fails
    /// it is the old one, and the log says why. Callers at the same time share
    /// one refresh.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels a refresh that is this caller's.
    pub async fn current_token(&self) -> Token {
        self.shared.refresh_if_due().await;
        self.shared.token()
    }

    /// The token as it is held, whether it is due or not.
    #[must_use]
    pub fn held_token(&self) -> Token {
        self.shared.token()
    }

    /// Holds another token. The answer to a refresh of the one before is
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`TokenError`], if the token is none; then the one before is kept. It may
    /// be empty.
    pub fn set_current_token(&self, token: &str) -> Result<(), TokenError> {
        self.shared.set(Token::parse(token)?);
        Ok(())
    }

    /// Asks the manager how long before its end a token is to be refreshed, as
    /// every refresh does too; for a plugin that was reloaded.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; then the anticipation is as it was.
    pub async fn reloaded(&self) -> Result<(), GatewayError> {
        self.shared.anticipate().await
    }

    /// Each token that takes the place of another, for the peers that are shown
    /// one already. Somebody who is slow sees the newest.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Token> {
        self.shared.subscribe()
    }
}

impl<M> Clone for TokenHolder<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), _timer: self._timer.clone() }
    }
}

impl<M> fmt::Debug for TokenHolder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenHolder").finish_non_exhaustive()
    }
}
