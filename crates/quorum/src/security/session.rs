//! One HTTP request or WebSocket connection, and what its caller may do.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use outrigger::security::{AuthenticationManager, AuthenticationToken};
use tokio::time::Instant;

use super::authority::authorise_psi;
use super::{Authenticator, SecurityError};

/// What a caller may do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Access {
    /// Everything: the security plugin does not authenticate.
    Open,
    /// What a token grants.
    Token(Arc<AuthenticationToken>),
}

/// Who calls, as a method's implementation finds it in the extensions.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Caller {
    /// What the caller may do.
    pub access: Access,
    /// The private state that the caller named or, with multi-tenancy, may use.
    pub psi: Option<String>,
}

/// A session of any authentication manager.
pub(super) trait Session: Send + Sync {
    /// The caller now; what was found out before holds while it is fresh.
    fn caller(&self) -> BoxFuture<'_, Result<Caller, SecurityError>>;
}

/// The session as extensions carry it.
#[derive(Clone)]
pub(super) struct SessionRef(pub(super) Arc<dyn Session>);

/// A session whose token one authenticator judges.
pub(super) struct TokenSession<M> {
    pub(super) authenticator: Arc<Authenticator<M>>,
    /// The whole `Authorization` header.
    pub(super) header: Option<Vec<u8>>,
    pub(super) psi: Option<String>,
    pub(super) multitenancy: bool,
    pub(super) known: Mutex<Option<Known>>,
}

/// What was found out, by which generation, and when.
#[derive(Clone)]
pub(super) struct Known {
    epoch: Option<u64>,
    at: Instant,
    outcome: Result<Caller, SecurityError>,
}

impl<M: AuthenticationManager + 'static> TokenSession<M> {
    fn fresh(&self) -> Option<Result<Caller, SecurityError>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        let lasts = known.at.elapsed() < self.authenticator.options().remember;
        let same = known.epoch.is_some() && known.epoch == self.authenticator.epoch();
        let settled = !matches!(known.outcome, Err(SecurityError::Internal));
        (lasts && same && settled).then(|| known.outcome.clone())
    }

    async fn find_out(&self) -> Result<Caller, SecurityError> {
        let access = self.authenticator.access(self.header.as_deref()).await?;
        let psi = match &access {
            Access::Token(token) if self.multitenancy => {
                Some(authorise_psi(token, self.psi.as_deref())?)
            }
            // Nobody says which private states this caller may use.
            Access::Open if self.multitenancy => return Err(SecurityError::NoPsi),
            _ => self.psi.clone(),
        };
        Ok(Caller { access, psi })
    }
}

impl<M: AuthenticationManager + 'static> Session for TokenSession<M> {
    fn caller(&self) -> BoxFuture<'_, Result<Caller, SecurityError>> {
        Box::pin(async move {
            if let Some(outcome) = self.fresh() {
                return outcome;
            }
            let (epoch, at) = (self.authenticator.epoch(), Instant::now());
            let outcome = self.find_out().await;
            let known = Known { epoch, at, outcome: outcome.clone() };
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
            outcome
        })
    }
}

impl fmt::Debug for SessionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionRef")
    }
}
