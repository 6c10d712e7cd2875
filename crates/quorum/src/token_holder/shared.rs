//! What the holder's clones and its timer share, and the one way to refresh.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use outrigger::GatewayError;
use outrigger::qlight::{INTERFACE, TokenManager};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::state::{Now, State};
use super::{Token, TokenError};

/// Longest wait for a manager in one refresh, however many questions that is.
const ANSWER: Duration = Duration::from_secs(30);

pub(super) struct Shared<M> {
    manager: Option<M>,
    psi: String,
    /// Changed with `state` locked.
    token: watch::Sender<Token>,
    state: Mutex<State>,
    /// One refresh at a time.
    refreshing: tokio::sync::Mutex<()>,
    rearmed: Notify,
}

fn now() -> Now {
    Now { wall: SystemTime::now(), running: Instant::now() }
}

impl<M> Shared<M> {
    pub(super) fn new(manager: Option<M>, psi: String, token: Token) -> Self {
        Self {
            manager,
            psi,
            state: Mutex::new(State::new(&token, now())),
            token: watch::Sender::new(token),
            refreshing: tokio::sync::Mutex::default(),
            rearmed: Notify::new(),
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Token> {
        self.token.subscribe()
    }

    pub(super) fn set(&self, token: Token) {
        let mut state = self.state();
        state.set(&token, now());
        self.publish(token);
        drop(state);
        self.rearmed.notify_one();
    }

    fn publish(&self, token: Token) {
        self.token.send_if_modified(|held| {
            let changed = *held != token;
            *held = token;
            changed
        });
    }

    /// Every change of the state is whole before anything can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: TokenManager> Shared<M> {
    /// Refreshes the token if it is due and nobody just did.
    pub(super) async fn refresh_if_due(&self) {
        let Some(manager) = &self.manager else { return };
        if !self.state().is_due(now()) {
            return;
        }
        let wanted = Instant::now();
        // Whoever holds it does so for as long as one refresh may take, and then
        // all who wait find that one was attempted.
        let _alone = self.refreshing.lock().await;
        let until = Instant::now() + ANSWER;
        {
            let state = self.state();
            if !state.is_due(now()) || state.was_attempted(wanted, now()) {
                return;
            }
        }
        let anticipated = self.anticipate_until(until).await;
        let version = {
            let mut state = self.state();
            if !state.left(now()).is_zero() {
                if anticipated.is_err() {
                    state.fail(now());
                }
                return;
            }
            state.version
        };
        let token = self.token();
        let answer = manager.token_refresh(token.as_str(), &self.psi);
        let answer = tokio::time::timeout_at(until, answer).await.unwrap_or_else(|_| Err(late()));
        self.take(answer, version);
    }

    fn take(&self, answer: Result<String, GatewayError>, version: u64) {
        let token = answer.map_err(|error| error.to_string()).and_then(|text| {
            let token = if text.is_empty() { Err(TokenError::Empty) } else { Token::parse(&text) };
            token.map_err(|error| format!("refresh token: the manager gave {error}"))
        });
        let mut state = self.state();
        if state.version != version {
            return;
        }
        match token {
            Ok(token) => {
                state.give(&token, now());
                self.publish(token);
            }
            Err(error) => {
                state.fail(now());
                tracing::warn!(error, "the QLight token was not refreshed; the old one is kept");
            }
        }
        drop(state);
        self.rearmed.notify_one();
    }

    /// Asks for the anticipation.
    pub(super) async fn anticipate(&self) -> Result<(), GatewayError> {
        self.anticipate_until(Instant::now() + ANSWER).await
    }

    async fn anticipate_until(&self, until: Instant) -> Result<(), GatewayError> {
        let Some(manager) = &self.manager else { return Ok(()) };
        let answer = tokio::time::timeout_at(until, manager.refresh_anticipation()).await;
        match answer.unwrap_or_else(|_| Err(late())) {
            Ok(anticipation) => {
                self.state().anticipate(anticipation);
                self.rearmed.notify_one();
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "the QLight token's refresh anticipation is as it was");
                Err(error)
            }
        }
    }
}

fn late() -> GatewayError {
    let plugin = INTERFACE.to_owned();
    let method = "TokenRefresh";
    let late = GatewayError::DeadlineExceeded { plugin, method, deadline: ANSWER };
    GatewayError::RefreshToken(Box::new(late))
}

/// The timer.
pub(super) async fn ring<M: TokenManager>(shared: Arc<Shared<M>>) {
    // Its failure is in the log, and the first refresh tries again.
    let _ = shared.anticipate().await;
    loop {
        let wait = shared.state().alarm(now());
        tokio::select! {
            () = tokio::time::sleep(wait) => shared.refresh_if_due().await,
            () = shared.rearmed.notified() => {}
        }
    }
}
