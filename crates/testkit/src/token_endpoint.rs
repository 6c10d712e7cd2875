//! An OAuth2 token endpoint on loopback, as QLight token managers ask it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::loopback::{Answer, Loopback, Request};
use crate::oauth::{Signer, claims};

/// Gives everybody a token.
#[derive(Debug)]
pub struct TokenEndpoint {
    server: Loopback,
    refusal: Arc<Mutex<Option<Answer>>>,
}

impl TokenEndpoint {
    /// Gives tokens of this signer that are good for this long.
    pub async fn start(signer: Signer, good_for: Duration) -> Self {
        let refusal = Arc::<Mutex<Option<Answer>>>::default();
        let refused = refusal.clone();
        let given = AtomicU64::new(0);
        let server = Loopback::start(move |_request| {
            let refusal = refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
            refusal
                .unwrap_or_else(|| token(&signer, given.fetch_add(1, Ordering::Relaxed), good_for))
        });
        Self { server: server.await, refusal }
    }

    /// Where it is, for `URL` of a token manager.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("/oauth2/token")
    }

    /// Answers with this from now on; `None`: with tokens again.
    pub fn answer_with(&self, answer: Option<Answer>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

fn token(signer: &Signer, number: u64, good_for: Duration) -> Answer {
    let mut claims = claims("node", "p2p://qlight", good_for);
    // No two are the same.
    claims["jti"] = json!(number.to_string());
    let answer = json!({ "access_token": signer.sign(&claims), "token_type": "bearer" });
    Answer { status: 200, body: answer.to_string() }
}
