//! JSON-RPC over a WebSocket: every method, and subscriptions.
//!
//! One task a connection reads, carries requests out, and writes. It writes one
//! message at a time and keeps none, so that a reader that has stopped costs what the
//! sockets hold: events that it cannot take are given up with those that the host
//! keeps for all, and the status of then comes in their place.

use std::collections::HashMap;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, BoxStream, FuturesUnordered, SelectAll, abortable};
use futures_util::{FutureExt as _, StreamExt as _};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::auth::Caller;
use crate::following::{Told, following};
use crate::http::Shared;
use crate::request::{Asked, LARGEST, carry_out, failure, success};
use crate::rpc::{INVALID, Nothing};
use crate::stream::{Refused, full};

/// The subprotocol. A page, which cannot send a header, offers its token as a second
/// one: [`crate::auth::BY_PROTOCOL`].
pub(crate) const PROTOCOL: &str = "outrigger";

/// How a client begins to hear of what happens, and ends it.
pub(crate) const SUBSCRIBE: &str = "outrigger_subscribe";
pub(crate) const UNSUBSCRIBE: &str = "outrigger_unsubscribe";

/// Subscriptions and requests under way of one connection. Whoever asks for more
/// requests is not read from until there is room.
const SUBSCRIPTIONS: usize = 8;
const REQUESTS: usize = 16;

/// How often a connection is asked whether it lives, how long it may be silent, and how
/// long it may take to read one message.
const PING: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(60);

/// What is read at a time: requests are small.
const READ_BUFFER: usize = 4 * 1024;

/// There is no room for another subscription.
pub(crate) const TOO_MANY: i32 = -32_004;

/// `GET /ws`.
pub(crate) async fn upgrade(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refused> {
    let place = shared.followers.place().ok_or_else(full)?;
    let tasks = shared.tasks.clone();
    Ok(upgrade
        .protocols([PROTOCOL])
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| {
            tasks.track_future(async move {
                Conversation::new(shared, caller).hold(socket).await;
                drop(place);
            })
        }))
}

/// What one connection has going.
struct Conversation {
    shared: Shared,
    caller: Caller,
    requests: FuturesUnordered<BoxFuture<'static, String>>,
    events: SelectAll<BoxStream<'static, String>>,
    subscriptions: HashMap<u64, AbortHandle>,
    last: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsubscribe {
    /// The number that `outrigger_subscribe` gave.
    subscription: u64,
}

impl Conversation {
    fn new(shared: Shared, caller: Caller) -> Self {
        Self {
            shared,
            caller,
            requests: FuturesUnordered::new(),
            events: SelectAll::new(),
            subscriptions: HashMap::new(),
            last: 0,
        }
    }

    /// Until either side ends it.
    async fn hold(mut self, mut socket: WebSocket) {
        let end = self.shared.end.clone();
        let mut pings = tokio::time::interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            if self.requests.len() >= REQUESTS {
                // It is not read from, so that nothing can be heard.
                heard = Instant::now();
            }
            let message = tokio::select! {
                () = end.cancelled() => return,
                Some(answer) = self.requests.next(), if !self.requests.is_empty() => answer.into(),
                Some(event) = self.events.next(), if !self.events.is_empty() => event.into(),
                message = socket.recv(), if self.requests.len() < REQUESTS => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => match self.take(text.as_str()) {
                            Some(answer) => answer.into(),
                            None => continue,
                        },
                        // A ping is answered below this.
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        return;
                    }
                    Message::Ping(Bytes::new())
                }
            };
            let sent = tokio::select! {
                () = end.cancelled() => return,
                sent = timeout(SILENCE, socket.send(message)) => sent,
            };
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Takes a request: its answer, unless that comes later.
    fn take(&mut self, body: &str) -> Option<String> {
        let asked = match Asked::of(body) {
            Ok(asked) => asked,
            Err(answer) => return Some(answer),
        };
        match (&*asked.method, asked.id) {
            (SUBSCRIBE, Some(_)) => Some(self.subscribe(&asked)),
            (UNSUBSCRIBE, Some(_)) => Some(self.unsubscribe(&asked)),
            _ => {
                let (shared, caller, body) = (self.shared.clone(), self.caller, body.to_owned());
                let answer = async move { carry_out(&shared, caller, &body).await.1 };
                self.requests.push(answer.boxed());
                None
            }
        }
    }

    fn subscribe(&mut self, asked: &Asked<'_>) -> String {
        let Some(id) = asked.id else { return String::new() };
        if let Err(answer) = parsed::<Nothing>(asked) {
            return answer;
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS {
            let text = format!("a connection has {SUBSCRIPTIONS} subscriptions at most; end one");
            return failure(asked.id, TOO_MANY, &text);
        }
        self.last += 1;
        let subscription = self.last;
        let events = following(self.shared.remote.clone());
        let (events, handle) = abortable(events.map(move |told| notification(subscription, &told)));
        self.events.push(events.boxed());
        self.subscriptions.insert(subscription, handle);
        success(id, &json!(subscription))
    }

    fn unsubscribe(&mut self, asked: &Asked<'_>) -> String {
        let Some(id) = asked.id else { return String::new() };
        match parsed::<Unsubscribe>(asked) {
            Ok(Unsubscribe { subscription }) => {
                let found = self.subscriptions.remove(&subscription);
                let ended = found.map(|handle| handle.abort()).is_some();
                success(id, &json!(ended))
            }
            Err(answer) => answer,
        }
    }
}

/// By name or in their order; none at all is an empty object.
fn parsed<'a, P: Deserialize<'a>>(asked: &Asked<'a>) -> Result<P, String> {
    let text = asked.params.map_or("{}", |params| params.get());
    serde_json::from_str(text)
        .map_err(|error| failure(asked.id, INVALID, &format!("the parameters: {error}")))
}

fn notification(subscription: u64, told: &Told) -> String {
    let params = json!({ "subscription": subscription, "result": told });
    json!({ "jsonrpc": "2.0", "method": "outrigger_subscription", "params": params }).to_string()
}
