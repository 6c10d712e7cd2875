//! Over a WebSocket: the same methods, and events.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::running::Running;

const TCP: [&str; 2] = ["--admin", "127.0.0.1:0"];

/// For anything that a host does at once.
const SOON: Duration = Duration::from_secs(10);

/// A client of a host's WebSocket.
struct Client<S>(WebSocketStream<S>);

/// Opens one with these headers; an answer that is no upgrade is its status.
async fn open<S>(
    stream: S,
    host: &str,
    headers: &[(&str, &str)],
) -> Result<(Client<S>, Response), u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("ws://{host}/ws").into_client_request().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match client_async(request, stream).await {
        Ok((socket, response)) => Ok((Client(socket), response)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn tcp(
    host: &Running,
    headers: &[(&str, &str)],
) -> Result<(Client<TcpStream>, Response), u16> {
    let address = host.address();
    open(TcpStream::connect(&address).await.unwrap(), &address, headers).await
}

async fn with_token(host: &Running, name: &str) -> Client<TcpStream> {
    let bearer = format!("Bearer {}", host.token(name));
    tcp(host, &[("Authorization", &bearer)]).await.unwrap().0
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn ask(&mut self, id: u64, method: &str, params: Value) {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.0.send(request.to_string().into()).await.unwrap();
    }

    /// The next message, which there must be.
    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(SOON, self.0.next()).await.expect("a message");
            if let Message::Text(text) = message.unwrap().unwrap() {
                return serde_json::from_str(text.as_str()).unwrap();
            }
        }
    }

    /// Asks, and gives the answer and what was notified before it.
    async fn call(&mut self, id: u64, method: &str, params: Value) -> (Value, Vec<Value>) {
        self.ask(id, method, params).await;
        let mut notified = Vec::new();
        loop {
            let mut message = self.next().await;
            if message["id"] == id {
                return (message, notified);
            }
            assert_eq!(message["method"], "outrigger_subscription", "{message}");
            notified.push(message["params"].take());
        }
    }

    /// Whether the other side ends it without a further answer.
    async fn ends(mut self) -> bool {
        let rest = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Ping(_))) => {}
                    None | Some(Err(_) | Ok(Message::Close(_))) => return true,
                    Some(Ok(_)) => return false,
                }
            }
        };
        tokio::time::timeout(SOON, rest).await.unwrap_or(false)
    }
}

e2e! {
    async fn one_websocket_carries_every_method_and_what_happens() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let mut client = with_token(&host, "admin.token").await;
        let (status, _) = client.call(1, "outrigger_status", json!({})).await;
        assert_eq!(status["result"][0]["state"], "ready");
        let (subscribed, _) = client.call(2, "outrigger_subscribe", json!([])).await;
        assert_eq!(subscribed["result"], 1);
        let first = client.next().await;
        let now = &first["params"]["result"];
        assert_eq!((&now["event"], &now["data"][0]["generation"]), (&json!("status"), &json!(1)));
        let one = json!({ "instance": "helloworld", "reason": "a test" });
        let (reloaded, mut seen) = client.call(3, "outrigger_reload", one.clone()).await;
        assert_eq!(reloaded["result"], 2);
        while seen.last().is_none_or(|last| last["result"]["data"]["kind"] != "reloaded") {
            seen.push(client.next().await["params"].take());
        }
        let kinds: Vec<&str> = seen
            .iter()
            .map(|event| event["result"]["data"]["kind"].as_str().unwrap())
            .filter(|kind| !["gone", "state"].contains(kind))
            .collect();
        assert_eq!(kinds, ["reloading", "started", "ready", "reloaded"]);
        let last = &seen.last().unwrap()["result"]["data"];
        assert_eq!((&last["from"], &last["generation"]), (&json!(1), &json!(2)));
        assert!(last["seconds"].as_f64().unwrap() > 0.0);
        let unsubscribe = json!({ "subscription": 1 });
        let (ended, _) = client.call(4, "outrigger_unsubscribe", unsubscribe.clone()).await;
        assert_eq!(ended["result"], true);
        let (again, seen) = client.call(5, "outrigger_unsubscribe", unsubscribe).await;
        assert_eq!((&again["result"], seen.len()), (&json!(false), 0));
        let (_, seen) = client.call(6, "outrigger_reload", one).await;
        assert!(seen.is_empty(), "{seen:?}");
        let (unknown, _) = client.call(7, "outrigger_absent", json!({})).await;
        assert_eq!(unknown["error"]["code"], -32_601);
        let (invalid, _) = client.call(8, "outrigger_subscribe", json!({ "x": 1 })).await;
        assert_eq!(invalid["error"]["code"], -32_602);
        client.0.send("{".into()).await.unwrap();
        assert_eq!(client.next().await["error"]["code"], -32_700);
        host.ends();
        assert!(client.ends().await, "it ends with its host");
        kit.assert_clean();
    }

    async fn a_websocket_is_let_in_like_any_other_request() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let wrong = format!("Bearer {}", "0".repeat(64));
        assert_eq!(tcp(&host, &[]).await.err(), Some(401));
        assert_eq!(tcp(&host, &[("Authorization", &wrong)]).await.err(), Some(401));
        let bearer = format!("Bearer {}", host.token("admin.token"));
        let from = |origin| [("Authorization", bearer.as_str()), ("Origin", origin)];
        assert_eq!(tcp(&host, &from("http://evil.example")).await.err(), Some(403));
        let own = format!("http://{}", host.address());
        assert!(tcp(&host, &from(&own)).await.is_ok());
        // As a page does it.
        let page = format!("outrigger, outrigger.token.{}", host.token("admin.read-only.token"));
        let (mut client, response) = tcp(&host, &[("Sec-WebSocket-Protocol", &page)]).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "outrigger");
        let (subscribed, _) = client.call(1, "outrigger_subscribe", json!({})).await;
        assert_eq!(subscribed["result"], 1);
        let one = json!({ "instance": "helloworld" });
        let (refused, _) = client.call(2, "outrigger_stop", one).await;
        assert_eq!(refused["error"]["code"], -32_003, "{refused}");
        // Whoever can open the socket needs none.
        let socket = UnixStream::connect(host.socket()).await.unwrap();
        let (mut client, _) = open(socket, "localhost", &[]).await.unwrap();
        let (status, _) = client.call(1, "outrigger_status", json!({})).await;
        assert_eq!(status["result"][0]["state"], "ready");
        host.ends();
    }

    async fn a_connection_has_bounds() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let mut client = with_token(&host, "admin.token").await;
        for id in 1..=8 {
            let (subscribed, _) = client.call(id, "outrigger_subscribe", json!({})).await;
            assert_eq!(subscribed["result"], id);
        }
        let (refused, _) = client.call(9, "outrigger_subscribe", json!({})).await;
        assert_eq!(refused["error"]["code"], -32_004, "{refused}");
        client.call(10, "outrigger_unsubscribe", json!({ "subscription": 3 })).await;
        let (subscribed, _) = client.call(11, "outrigger_subscribe", json!({})).await;
        assert_eq!(subscribed["result"], 9);
        let mut long = with_token(&host, "admin.token").await;
        // It may be refused before it has been sent whole.
        let _sent = long.0.send("x".repeat(2 * 1024 * 1024 + 1).into()).await;
        assert!(long.ends().await);
        let mut binary = with_token(&host, "admin.token").await;
        binary.0.send(Message::Binary(vec![0; 8].into())).await.unwrap();
        assert!(binary.ends().await);
        host.ends();
    }

    async fn two_hundred_subscribers_that_never_read_cost_little_and_delay_nobody() {
        let kit = Kit::with("ok");
        // It has much to say, so that answers about it are long.
        let fixture = artifacts::fixture_plugin();
        let lines = "i=0; while [ $i -lt 1000 ]; do echo \"line $i of many\" >&2; i=$((i+1)); done";
        let script = format!("#!/bin/sh\n{lines}\nexec '{}' ok\n", fixture.display());
        let files = [("run", script.as_bytes(), 0o755)];
        kit.pack("fixture-helloworld", &files, json!({ "entrypoint": "run" }));
        let host = Running::on(&kit, &TCP);
        kit.pack_fixture("fixture-helloworld", "ok");
        let full = host.token("admin.token");
        let memory = || resident(host.0.pid());
        let before = memory();
        let mut deaf = Vec::new();
        for n in 0..200 {
            // Of twenty the sockets are full too.
            deaf.push(deafened(&host, &full, if n < 20 { 60 } else { 0 }).await);
        }
        let mut reader = with_token(&host, "admin.token").await;
        reader.ask(1, "outrigger_subscribe", json!({})).await;
        let reading = tokio::spawn(async move {
            let (mut statuses, mut events) = (0, 0);
            loop {
                let message = reader.next().await;
                let told = &message["params"]["result"];
                statuses += usize::from(told["event"] == "status");
                events += usize::from(told["event"] == "event");
                if told["data"]["kind"] == "reloaded" && told["data"]["generation"] == 51 {
                    return (statuses, events);
                }
            }
        });
        let mut longest = Duration::ZERO;
        for generation in 2..=51 {
            let began = tokio::time::Instant::now();
            let one = json!({ "instance": "helloworld" });
            let (_, answer) = host.call(&full, "outrigger_reload", one);
            longest = longest.max(began.elapsed());
            assert_eq!(answer["result"], generation);
        }
        let (statuses, events) = reading.await.unwrap();
        assert_eq!(statuses, 1, "whoever reads misses nothing");
        assert!(events > 256, "{events}");
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        let grown = memory().saturating_sub(before);
        assert!(grown < 48 * 1024 * 1024, "200 of them cost {grown} bytes");
        // One that reads again is told what is, in place of what it missed.
        let mut late = deaf.swap_remove(10);
        let mut statuses = 0;
        loop {
            let message = late.next().await;
            let told = &message["params"]["result"];
            if told["event"] == "status" {
                statuses += 1;
                if told["data"][0]["generation"] == 51 {
                    break;
                }
            }
        }
        assert_eq!(statuses, 2);
        drop((late, deaf));
        host.ends();
        kit.assert_clean();
    }
}

/// A subscriber that does not read, and has asked for this many long answers.
async fn deafened(host: &Running, token: &str, answers: u64) -> Client<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let address = host.address();
    let stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let bearer = format!("Bearer {token}");
    let (mut client, _) = open(stream, &address, &[("Authorization", &bearer)]).await.unwrap();
    client.call(0, "outrigger_subscribe", json!({})).await;
    for id in 1..=answers {
        let params = json!({ "instance": "helloworld", "lines": 1_000 });
        client.ask(id, "outrigger_logs", params).await;
    }
    client
}

/// Bytes of memory that a process has in use.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
