//! How a plugin ends: asked, signalled, twice.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::probe::Payload;
use rustix::process::Signal;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, Shortfall, require, status_text, within};
use crate::plugin::streams::{Broker, Reading, stdio};
use crate::process::Ended;
use crate::wire::ANSWER;

cases! {
    "5.24" "shutdown-with-streams-open" Must [Controller]
        "it ends within 2 s of `Shutdown`, with both permanent streams open" => streams_open;
    "5.24" "shutdown-asked-twice" Must [Controller]
        "it ends within 2 s when `Shutdown` comes twice at once" => twice;
    "5.25" "shutdown-answered" Should [Controller]
        "`Shutdown` is answered before the connection is broken off" => answered;
    "9.4" "shutdown-with-a-call-under-way" Must [Controller Probe]
        "it ends within 2 s of `Shutdown`, with a call of the application under way" => call_open;
    "9.5" "shutdown-status-0" Should [Controller]
        "after `Shutdown` its status is 0" => status;
    "9.6" "sigint-ignored" Must [Calls]
        "SIGINT does not end it" => sigint;
    "9.7" "sigterm-ends" Should [Calls]
        "SIGTERM ends it within 2 s" => sigterm;
    "9.14" "socket-removed" Should [Unix Controller]
        "after `Shutdown` its socket is gone" => socket_removed;
}

/// What hosts grant before they kill.
const GRACE: Duration = Duration::from_secs(2);

/// For a signal that is to change nothing.
const A_WHILE: Duration = Duration::from_millis(500);

async fn shutdown(channel: &Channel) -> Result<Response<Empty>, Status> {
    GrpcControllerClient::new(channel.clone()).shutdown(Empty {}).await
}

/// Asks for the end and waits for it, as long as a host does.
async fn ends(session: &Session) -> Outcome<Ended> {
    let (_, ended) = tokio::join!(shutdown(&session.channel), session.started.process.ended(GRACE));
    in_time(ended)
}

async fn streams_open(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (_broker, _stdio) = (Broker::open(&session.channel), stdio(&session.channel));
    session.ping("beside both streams").await?;
    ends(&session).await.map(drop)
}

async fn twice(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (_, _, ended) = tokio::join!(
        shutdown(&session.channel),
        shutdown(&session.channel),
        session.started.process.ended(GRACE)
    );
    in_time(ended).map(drop)
}

async fn answered(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    match within(ANSWER, "an answer to Shutdown", shutdown(&session.channel)).await? {
        Ok(_) => Ok(()),
        Err(status) => Err(Shortfall::seen(status_text(&status))),
    }
}

async fn call_open(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let mut client = session.probe();
    let once = Payload { data: Bytes::from_static(b"first") };
    let messages = tokio_stream::once(once).chain(tokio_stream::pending());
    let long = Reading::open(async move { client.echo_stream(messages).await });
    let first = long.wait_for(ANSWER, |seen| seen.messages.first().cloned()).await;
    require!(first.is_some(), "Probe/EchoStream gave no first message back");
    ends(&session).await.map(drop)
}

async fn status(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (_, ended) =
        tokio::join!(shutdown(&session.channel), session.started.process.ended(ANSWER));
    require!(ended == Some(Ended::Exit(0)), "it {}", text(ended));
    Ok(())
}

async fn sigint(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    session.started.process.signal(Signal::INT);
    let ended = session.started.process.ended(A_WHILE).await;
    require!(ended.is_none(), "it {}", text(ended));
    session.ping("after SIGINT").await
}

async fn sigterm(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    session.started.process.signal(Signal::TERM);
    in_time(session.started.process.ended(GRACE).await).map(drop)
}

async fn socket_removed(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let socket = bench.socket(&session.started)?;
    let (_, ended) =
        tokio::join!(shutdown(&session.channel), session.started.process.ended(ANSWER));
    if ended.is_none() {
        return Err(Shortfall::not_applicable("it did not end"));
    }
    require!(!socket.exists(), "{} is still there", socket.display());
    Ok(())
}

fn in_time(ended: Option<Ended>) -> Outcome<Ended> {
    ended.ok_or_else(|| Shortfall::seen(format!("it still runs {GRACE:?} later")))
}

fn text(ended: Option<Ended>) -> String {
    ended.map_or("runs on".into(), |ended| ended.to_string())
}
