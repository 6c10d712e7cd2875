//! The main connection: HTTP/2, calls beside streams, sizes.

use bytes::Bytes;
use outrigger_proto::probe::Payload;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, While as _, answer, require};
use crate::plugin::streams::{Broker, Reading, stdio};
use crate::wire::{channel, ping};

cases! {
    "5.1" "any-authority" Must [Calls]
        "calls are answered whatever their `:authority`" => any_authority;
    "5.3" "second-connection" Must [Calls]
        "a second connection at the same address is served beside the first" => second;
    "5.3" "connection-after-the-first" Must [Calls]
        "a connection is served when the first has gone" => after_the_first;
    "5.7" "message-of-4-mib" Should [Probe]
        "a message of 4 MiB is taken, and answered with as much" => four_mib;
    "5.10" "answers-uncompressed" Must [Calls]
        "answers are not compressed" => uncompressed;
    "5.12" "streams-in-any-order" Must [Calls]
        "both permanent streams may be opened in any order, and calls are answered" => any_order;
    "5.14" "calls-beside-streams" Must [Calls]
        "32 calls at once are answered while both permanent streams are open" => beside_streams;
    "5.14" "calls-beside-a-long-call" Must [Probe]
        "a call is answered while another one runs" => beside_a_call;
}

async fn any_authority(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    for authority in ["unused", "localhost", "plugin.invalid:4711"] {
        let io = session.started.secured_io().await?;
        let channel = channel(io, authority).await.during("HTTP/2")?;
        ping(&channel).await.during(&format!("a call to `{authority}`"))?;
    }
    Ok(())
}

async fn second(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let second = session.started.connect().await?;
    ping(&second).await.during("a call on the second connection")?;
    session.ping("on the first connection, beside the second").await
}

async fn after_the_first(bench: &Bench) -> Outcome {
    let Session { started, channel } = bench.session().await?;
    drop(channel);
    let second = started.connect().await?;
    ping(&second).await.during("a call on the second connection")
}

async fn four_mib(bench: &Bench) -> Outcome {
    /// With the field's head, what most servers take by default.
    const BYTES: usize = 4 * 1024 * 1024 - 16;
    let session = bench.session().await?;
    let data = Bytes::from(vec![0x5a; BYTES]);
    let echo = answer("Probe/Echo", session.probe().echo(Payload { data: data.clone() })).await?;
    require!(echo.data == data, "{} bytes came back of {BYTES}", echo.data.len());
    Ok(())
}

async fn uncompressed(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let request = outrigger_proto::health::HealthCheckRequest { service: "plugin".into() };
    let mut client =
        outrigger_proto::health::health_client::HealthClient::new(session.channel.clone());
    let headers = match client.check(request).await {
        Ok(response) => response.metadata().clone(),
        Err(status) => status.metadata().clone(),
    };
    let encoding = headers.get("grpc-encoding").map(|value| format!("{value:?}"));
    let plain = encoding.as_deref().is_none_or(|encoding| encoding == "\"identity\"");
    require!(plain, "grpc-encoding: {encoding:?}");
    Ok(())
}

async fn any_order(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (_broker, _stdio) = (Broker::open(&session.channel), stdio(&session.channel));
    session.ping("after the broker's stream, then stdio's").await?;
    let session = bench.session().await?;
    let (_stdio, _broker) = (stdio(&session.channel), Broker::open(&session.channel));
    session.ping("after stdio's stream, then the broker's").await
}

async fn beside_streams(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (_broker, _stdio) = (Broker::open(&session.channel), stdio(&session.channel));
    let mut calls = JoinSet::new();
    for _ in 0..32 {
        let channel = session.channel.clone();
        calls.spawn(async move { ping(&channel).await });
    }
    for answered in calls.join_all().await {
        answered.during("one of 32 calls at once")?;
    }
    Ok(())
}

async fn beside_a_call(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (broker, stdio) = (Broker::open(&session.channel), stdio(&session.channel));
    let mut client = session.probe();
    let once = Payload { data: Bytes::from_static(b"first") };
    let messages = tokio_stream::once(once).chain(tokio_stream::pending());
    let long = Reading::open(async move { client.echo_stream(messages).await });
    let first = long.wait_for(crate::wire::ANSWER, |seen| seen.messages.first().cloned()).await;
    require!(first.is_some(), "Probe/EchoStream gave no first message back");
    let data = Bytes::from_static(b"beside");
    let echo = answer("Probe/Echo", session.probe().echo(Payload { data: data.clone() })).await?;
    require!(echo.data == data, "Probe/Echo gave {:?} back", echo.data);
    drop((broker, stdio));
    Ok(())
}
