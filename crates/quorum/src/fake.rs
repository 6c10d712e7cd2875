//! An authentication manager for tests, with everything that it was asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use outrigger::security::{AuthenticationManager, AuthenticationToken, GrantedAuthority};
use outrigger::{GatewayError, security};
use tokio::sync::Semaphore;

/// Answers from a list; 0 as epoch means that it is away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fake(Arc<State>);

#[derive(Debug)]
struct State {
    epoch: AtomicU64,
    disabled: AtomicUsize,
    asked: AtomicUsize,
    probed: AtomicUsize,
    tokens: Mutex<HashMap<Vec<u8>, AuthenticationToken>>,
    /// Judgements wait until there is room.
    gate: Semaphore,
}

impl Default for State {
    fn default() -> Self {
        Self {
            epoch: AtomicU64::new(1),
            disabled: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            probed: AtomicUsize::new(0),
            tokens: Mutex::default(),
            gate: Semaphore::new(1_000),
        }
    }
}

impl Fake {
    pub(crate) fn grant(&self, token: &str, for_seconds: u64, granted: &[(&str, &str, &str)]) {
        let authority = |(service, method, raw): &(&str, &str, &str)| GrantedAuthority {
            service: (*service).to_owned(),
            method: (*method).to_owned(),
            raw: (*raw).to_owned(),
        };
        let end = SystemTime::now() + Duration::from_secs(for_seconds);
        let authorities = granted.iter().map(authority).collect();
        let good = AuthenticationToken::new(Vec::new().into(), Some(end), authorities);
        self.0.tokens.lock().unwrap().insert(token.as_bytes().to_vec(), good);
    }

    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.0.epoch.store(epoch, Ordering::SeqCst);
    }

    pub(crate) fn disable(&self) {
        self.0.disabled.store(1, Ordering::SeqCst);
    }

    /// How often it was asked about a token.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// How often it was asked whether it authenticates.
    pub(crate) fn probed(&self) -> usize {
        self.0.probed.load(Ordering::SeqCst)
    }

    /// Lets no judgement end until [`Fake::open`].
    pub(crate) fn shut(&self) {
        self.0.gate.forget_permits(1_000);
    }

    pub(crate) fn open(&self) {
        self.0.gate.add_permits(1_000);
    }

    fn away(&self) -> GatewayError {
        GatewayError::Unimplemented { plugin: security::INTERFACE.into(), method: "Authenticate" }
    }
}

impl AuthenticationManager for Fake {
    async fn authenticate(&self, token: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let _room = self.0.gate.acquire().await;
        let found = self.0.tokens.lock().unwrap().get(token).cloned();
        found.ok_or_else(|| GatewayError::Refused {
            plugin: security::INTERFACE.into(),
            method: "Authenticate",
            code: tonic::Code::PermissionDenied,
            message: "the token is forged".into(),
        })
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        self.0.probed.fetch_add(1, Ordering::SeqCst);
        if self.0.epoch.load(Ordering::SeqCst) == 9 {
            return Err(self.away());
        }
        Ok(self.0.disabled.load(Ordering::SeqCst) == 0)
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.0.epoch.load(Ordering::SeqCst)).filter(|epoch| *epoch > 0)
    }
}
