//! What can be done with a plugin; each step gives what it saw.

use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::probe_client::ProbeClient;
use outrigger_proto::probe::{
    CallHostRequest, DescribeRequest, LogRequest, OfferRequest, Payload, PrintRequest,
};
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world;
use outrigger_proto::quorum_init::plugin_initialization;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_testkit::probe::answer;
use outrigger_transport::{Broker, Connection, Health, Rpc};
use tokio_stream::StreamExt as _;

use crate::options::Options;

/// All steps.
pub(crate) const STEPS: [&str; 12] = [
    "ping",
    "greeting",
    "echo",
    "stream",
    "large",
    "calls",
    "print",
    "log",
    "describe",
    "call-host",
    "offer",
    "both-twice",
];

/// For one question after the plugin's health.
const HEALTH: Duration = Duration::from_secs(5);

/// A plugin that runs.
pub(crate) struct Session<'a> {
    pub(crate) connection: Arc<dyn Connection>,
    pub(crate) rpc: Rpc,
    pub(crate) options: &'a Options,
}

type Seen = Result<String, String>;

/// Takes one of [`STEPS`].
pub(crate) async fn take(name: &str, session: &Session<'_>) -> Seen {
    match name {
        "ping" => ping(session).await,
        "greeting" => greeting(session).await,
        "echo" => echo(session).await,
        "stream" => stream(session).await,
        "large" => large(session).await,
        "calls" => calls(session).await,
        "print" => print(session).await,
        "log" => log(session).await,
        "describe" => describe(session).await,
        "call-host" => call_host(session).await,
        "offer" => offer(session).await,
        "both-twice" => both_twice(session).await,
        _ => Err(format!("step `{name}` is not known")),
    }
}

impl Session<'_> {
    fn broker(&self) -> Result<&Broker, String> {
        self.rpc.broker().ok_or_else(|| "there is no broker".to_owned())
    }

    fn probe(&self) -> ProbeClient<Rpc> {
        let largest = self.rpc.largest_message();
        ProbeClient::new(self.rpc.clone())
            .max_decoding_message_size(largest)
            .max_encoding_message_size(largest)
    }
}

/// Any answer is life; a plugin without health may live, too.
async fn ping(session: &Session<'_>) -> Seen {
    match session.connection.health(HEALTH).await {
        Health::Unreachable => Err("no answer to a health check".to_owned()),
        health => Ok(format!("{health:?}")),
    }
}

/// GoQuorum's hello world.
async fn greeting(session: &Session<'_>) -> Seen {
    let request = plugin_initialization::Request {
        host_identity: "interop".to_owned(),
        raw_configuration: br#"{"language":"de"}"#.to_vec().into(),
    };
    let initialised = PluginInitializerClient::new(session.rpc.clone()).init(request).await;
    initialised.map_err(|status| format!("init: {status}"))?;
    let request = plugin_hello_world::Request { msg: "Rust".to_owned() };
    let largest = session.rpc.largest_message();
    let mut client =
        PluginGreetingClient::new(session.rpc.clone()).max_decoding_message_size(largest);
    Ok(client.greeting(request).await.map_err(|status| status.to_string())?.into_inner().msg)
}

fn payload(data: impl Into<Vec<u8>>) -> Payload {
    Payload { data: data.into().into() }
}

async fn asked(session: &Session<'_>, data: Vec<u8>) -> Result<Vec<u8>, String> {
    let answer = session.probe().echo(payload(data)).await;
    Ok(answer.map_err(|status| status.to_string())?.into_inner().data.to_vec())
}

async fn echo(session: &Session<'_>) -> Seen {
    let answer = asked(session, b"echo".to_vec()).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Sends as it receives: an order of its own is a failure.
async fn stream(session: &Session<'_>) -> Seen {
    const PIECES: u8 = 10;
    let (pieces, sent) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(sent);
    let gone = |_| "the stream broke".to_owned();
    pieces.send(payload([0])).await.map_err(gone)?;
    let answers = session.probe().echo_stream(requests).await;
    let mut answers = answers.map_err(|status| status.to_string())?.into_inner();
    for piece in 0..PIECES {
        let answer = answers.next().await.ok_or("the stream ended early")?;
        let answer = answer.map_err(|status| status.to_string())?.data;
        if answer[..] != [piece] {
            return Err(format!("{piece} came back as {answer:?}"));
        }
        if piece + 1 < PIECES {
            pieces.send(payload([piece + 1])).await.map_err(gone)?;
        }
    }
    drop(pieces);
    match answers.next().await {
        None => Ok(PIECES.to_string()),
        Some(more) => Err(format!("the stream did not end: {more:?}")),
    }
}

/// Goes both ways, so it needs a plugin that takes more than 4 MiB.
async fn large(session: &Session<'_>) -> Seen {
    let data = b"0123456789abcdef".repeat(session.options.large / 16);
    let answer = asked(session, data.clone()).await?;
    if answer == data { Ok(answer.len().to_string()) } else { Err("other bytes came back".into()) }
}

/// Many while nothing is printed, so no stdio stream has a header yet.
async fn calls(session: &Session<'_>) -> Seen {
    for call in 0..session.options.calls {
        asked(session, b"again".to_vec()).await.map_err(|why| format!("call {call}: {why}"))?;
    }
    Ok(session.options.calls.to_string())
}

async fn print(session: &Session<'_>) -> Seen {
    let request = PrintRequest {
        stdout: b"to stdout\n".to_vec().into(),
        stderr: b"to stderr\n".to_vec().into(),
    };
    let printed = session.probe().print(request).await;
    printed.map(|_| String::new()).map_err(|status| status.to_string())
}

async fn log(session: &Session<'_>) -> Seen {
    let request = LogRequest {
        level: "warn".to_owned(),
        message: "a record".to_owned(),
        fields: [("key".to_owned(), "value".to_owned())].into(),
    };
    let logged = session.probe().log(request).await;
    logged.map(|_| String::new()).map_err(|status| status.to_string())
}

async fn describe(session: &Session<'_>) -> Seen {
    let described = session.probe().describe(DescribeRequest {}).await;
    let described = described.map_err(|status| status.to_string())?.into_inner();
    Ok(format!(
        "version {}, mutual TLS {}, multiplexed {}",
        described.protocol_version, described.mutual_tls, described.multiplexed
    ))
}

/// Lets the plugin call a service of the host.
async fn call_host(session: &Session<'_>) -> Seen {
    let served = session.broker()?.serve(answer("host:")).await;
    let served = served.map_err(|error| error.to_string())?;
    let request = CallHostRequest { broker_id: served.id(), data: b"question".to_vec().into() };
    let called = session.probe().call_host(request).await;
    text(&called.map_err(|status| status.to_string())?.into_inner())
}

/// Calls a service of the plugin on a connection of its own.
async fn offer(session: &Session<'_>) -> Seen {
    let offered = session.probe().offer(OfferRequest { silent: false }).await;
    let id = offered.map_err(|status| status.to_string())?.into_inner().broker_id;
    let dialled = session.broker()?.dial(id).await;
    let dialled = dialled.map_err(|error| format!("dial {id}: {error}"))?;
    let answered = AnswerClient::new(dialled).ask(payload(b"question".to_vec())).await;
    text(&answered.map_err(|status| status.to_string())?.into_inner())
}

/// One direction after the other, twice: what one connection leaves behind must
/// not be in the way of the next.
async fn both_twice(session: &Session<'_>) -> Seen {
    let mut seen = String::new();
    for _ in 0..2 {
        seen = format!("{seen}{} {} ", call_host(session).await?, offer(session).await?);
    }
    Ok(seen)
}

fn text(payload: &Payload) -> Seen {
    Ok(String::from_utf8_lossy(&payload.data).into_owned())
}
