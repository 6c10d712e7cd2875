//! Tokens judged by the security plugin, each by one call at a time, with a
//! bounded memory of those that were good.
//!
//! What is remembered belongs to the plugin's generation: when it dies, nobody
//! is let in until another one judges anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use alloy_primitives::{B256, keccak256};
use outrigger::GatewayError;
use outrigger::security::{AuthenticationManager, AuthenticationToken};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::authority::alive;
use super::{Access, SecurityError};

/// How an [`Authenticator`] judges.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuthenticatorOptions {
    /// How long a judgement may take; 5 s.
    pub deadline: Duration,
    /// How long a good token is remembered at most; 1 min. A connection that
    /// lasts longer is judged again.
    pub remember: Duration,
    /// Good tokens that are remembered at most; 1,024.
    pub capacity: usize,
    /// Whether a caller gets the plugin's own words, as from GoQuorum; false:
    /// callers get `invalid access token`, and the log has the words.
    pub plugin_texts: bool,
}

impl Default for AuthenticatorOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            remember: Duration::from_secs(60),
            capacity: 1_024,
            plugin_texts: false,
        }
    }
}

type Enabled = Result<bool, SecurityError>;
type Judgement = Result<Arc<AuthenticationToken>, SecurityError>;

#[derive(Debug, Clone)]
struct Entry {
    epoch: u64,
    since: Instant,
    cell: Arc<OnceCell<Judgement>>,
}

#[derive(Debug, Default)]
struct Memory {
    tokens: HashMap<B256, Entry>,
    /// Whether the generation authenticates at all.
    enabled: Option<(u64, Arc<OnceCell<Enabled>>)>,
}

/// Judges tokens by an authentication manager.
#[derive(Debug)]
pub struct Authenticator<M> {
    manager: M,
    options: AuthenticatorOptions,
    memory: Mutex<Memory>,
    /// A generation authenticated once: from then on, one that does not opens
    /// nothing.
    guarded: AtomicBool,
}

impl<M: AuthenticationManager> Authenticator<M> {
    /// Asks `manager`.
    #[must_use]
    pub fn new(manager: M, options: AuthenticatorOptions) -> Self {
        Self { manager, options, memory: Mutex::default(), guarded: AtomicBool::new(false) }
    }

    /// The options.
    #[must_use]
    pub const fn options(&self) -> &AuthenticatorOptions {
        &self.options
    }

    /// What judgements of now belong to; `None` while nobody can judge.
    pub fn epoch(&self) -> Option<u64> {
        self.manager.epoch()
    }

    /// What the bearer of a whole `Authorization` header may do. Callers that
    /// show the same token at the same time share one call of the plugin.
    ///
    /// # Errors
    ///
    /// [`SecurityError`]; [`SecurityError::Internal`] while nobody can judge.
    pub async fn access(&self, header: Option<&[u8]>) -> Result<Access, SecurityError> {
        let epoch = self.manager.epoch().ok_or_else(|| {
            tracing::warn!("a caller is refused: no security plugin serves");
            SecurityError::Internal
        })?;
        if self.enabled(epoch).await? {
            self.guarded.store(true, Ordering::Relaxed);
        } else if self.guarded.load(Ordering::Relaxed) {
            tracing::error!(
                "a caller is refused: the security plugin authenticates nobody any more, though \
                 it did; reload it to a version that does, or start the node anew without it"
            );
            return Err(SecurityError::Internal);
        } else {
            return Ok(Access::Open);
        }
        let header = header.ok_or(SecurityError::MissingToken)?;
        let token = self.judge(epoch, header).await?;
        alive(&token, SystemTime::now())?;
        Ok(Access::Token(token))
    }

    async fn enabled(&self, epoch: u64) -> Result<bool, SecurityError> {
        let cell = {
            let mut memory = self.memory();
            match &memory.enabled {
                Some((of, cell)) if *of == epoch => cell.clone(),
                _ => {
                    let cell = Arc::new(OnceCell::new());
                    memory.enabled = Some((epoch, cell.clone()));
                    cell
                }
            }
        };
        let asked = cell.get_or_init(|| async { self.within(self.manager.is_enabled()).await });
        let enabled = asked.await.clone();
        if enabled.is_err() {
            let mut memory = self.memory();
            // So that the next caller asks again.
            if memory.enabled.as_ref().is_some_and(|(_, known)| Arc::ptr_eq(known, &cell)) {
                memory.enabled = None;
            }
        }
        enabled
    }

    async fn judge(&self, epoch: u64, header: &[u8]) -> Judgement {
        let key = keccak256(header);
        let cell = self.entry(key, epoch);
        let judged = cell.get_or_init(|| async {
            self.within(self.manager.authenticate(header)).await.map(Arc::new)
        });
        let judgement = judged.await.clone();
        let lasts = judgement.as_ref().is_ok_and(|token| alive(token, SystemTime::now()).is_ok());
        if !lasts {
            let mut memory = self.memory();
            if memory.tokens.get(&key).is_some_and(|entry| Arc::ptr_eq(&entry.cell, &cell)) {
                memory.tokens.remove(&key);
            }
        }
        judgement
    }

    /// The place of a token's judgement, which may have been made already.
    fn entry(&self, key: B256, epoch: u64) -> Arc<OnceCell<Judgement>> {
        let now = Instant::now();
        let remember = self.options.remember;
        let fresh = |entry: &Entry| entry.epoch == epoch && now - entry.since < remember;
        let mut memory = self.memory();
        if let Some(entry) = memory.tokens.get(&key).filter(|entry| fresh(entry)) {
            return entry.cell.clone();
        }
        if memory.tokens.len() >= self.options.capacity {
            memory.tokens.retain(|_, entry| fresh(entry));
        }
        if memory.tokens.len() >= self.options.capacity {
            let oldest = memory.tokens.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                memory.tokens.remove(&oldest);
            }
        }
        let cell = Arc::new(OnceCell::new());
        memory.tokens.insert(key, Entry { epoch, since: now, cell: cell.clone() });
        cell
    }

    /// A call of the plugin within the deadline, with its failures as a caller
    /// may see them.
    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, SecurityError> {
        let Ok(answer) = tokio::time::timeout(self.options.deadline, call).await else {
            tracing::error!(
                "the security plugin did not answer within {:?}",
                self.options.deadline
            );
            return Err(SecurityError::Internal);
        };
        answer.map_err(|error| match error {
            GatewayError::Refused { message, .. } => {
                tracing::debug!("the security plugin refused a token: {message}");
                let generic = || "invalid access token".to_owned();
                let text = if self.options.plugin_texts { message } else { generic() };
                SecurityError::Refused(text)
            }
            error => {
                tracing::error!("a caller cannot be authenticated: {error}");
                SecurityError::Internal
            }
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
