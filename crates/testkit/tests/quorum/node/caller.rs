//! Those who call a node all the time, and what they are told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use jsonrpsee::core::client::{ClientT, Error};
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use outrigger_quorum::security::SecurityError;
use outrigger_testkit::harness::eventually;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// From one call to the next: the node's machine is to have time for blocks.
const PACE: Duration = Duration::from_millis(10);

fn headers(token: Option<&str>) -> HeaderMap {
    let token = token.map(|token| ("authorization".parse().unwrap(), token.parse().unwrap()));
    token.into_iter().collect()
}

/// A client that is judged at each call.
pub(super) fn http(url: &str, token: Option<&str>) -> HttpClient {
    HttpClientBuilder::default().set_headers(headers(token)).build(url).unwrap()
}

/// A client that is judged once a generation.
pub(super) async fn ws(url: &str, token: Option<&str>) -> WsClient {
    let builder = WsClientBuilder::default().set_headers(headers(token));
    builder.build(url.replace("http", "ws")).await.unwrap()
}

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    served: AtomicU64,
    refused: AtomicU64,
    /// What refusals say, and what is none.
    texts: Mutex<BTreeSet<String>>,
}

impl Counts {
    fn note(&self, outcome: Result<u64, Error>) {
        let text = match outcome {
            Ok(_) => {
                self.served.fetch_add(1, Ordering::SeqCst);
                return;
            }
            Err(Error::Call(error)) if error.code() == SecurityError::CODE => {
                error.message().to_owned()
            }
            Err(other) => format!("no refusal: {other:?}"),
        };
        self.texts.lock().unwrap().insert(text);
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
}

/// Asks for the number of the block, one call after the other.
pub(super) struct Caller {
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Caller {
    /// Calls with one client after the other.
    pub(super) fn start(clients: Vec<impl ClientT + Send + Sync + 'static>) -> Self {
        let counts = Arc::<Counts>::default();
        let noted = counts.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PACE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for client in clients.iter().cycle() {
                if noted.stop.load(Ordering::SeqCst) {
                    break;
                }
                ticks.tick().await;
                noted.note(client.request("chain_blockNumber", rpc_params![]).await);
            }
        });
        Self { counts, task }
    }

    pub(super) fn served(&self) -> u64 {
        self.counts.served.load(Ordering::SeqCst)
    }

    pub(super) fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::SeqCst)
    }

    /// Waits for this many further calls that are let in.
    pub(super) async fn is_served(&self, more: u64) {
        let until = self.served() + more;
        eventually("a caller is let in", || self.served() >= until).await;
    }

    /// Waits for this many further calls that are refused.
    pub(super) async fn is_refused(&self, more: u64) {
        let until = self.refused() + more;
        eventually("a caller is refused", || self.refused() >= until).await;
    }

    /// Watches over several further calls, none of which may be let in.
    pub(super) async fn stays_out(&self) {
        // One may have been answered already and not been counted.
        self.is_refused(1).await;
        let before = self.served();
        self.is_refused(20).await;
        assert_eq!(self.served(), before, "a caller was let in while nobody could judge it");
    }

    /// Ends, and gives what was said to it instead of an answer.
    pub(super) async fn finish(self) -> BTreeSet<String> {
        self.counts.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        std::mem::take(&mut *self.counts.texts.lock().unwrap())
    }
}
