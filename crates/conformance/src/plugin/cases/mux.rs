//! The multiplexed broker.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::probe::Payload;

use super::cases;
use crate::plugin::answer::{ask, is_of_host};
use crate::plugin::bench::Bench;
use crate::plugin::brokering::QUESTION;
use crate::plugin::muxed::{Muxed, VARIABLE};
use crate::plugin::outcome::{Outcome, Shortfall, While as _, answer, require, within};
use crate::wire::{ANSWER, ping};
use crate::yamux::{Event, Session};

cases! {
    "7.1" "mux-not-when-false" Must [Calls]
        "with `false` in `PLUGIN_MULTIPLEX_GRPC` it speaks HTTP/2, not yamux" => when_false;
    "7.2" "mux-field" Must []
        "asked to multiplex it prints `true` or `false` as field 7, or none" => field;
    "7.4" "mux-main-connection" Must [Mux]
        "calls are answered on the first stream of one raw connection" => main_connection;
    "7.7" "mux-window-kept" Must [Mux Probe]
        "it sends no more on a stream than it was granted" => window;
    "7.8" "mux-ping-answered" Must [Mux]
        "a ping of yamux is answered with its value" => yamux_ping;
    "7.9" "mux-tls-inside" Must [Mux Tls]
        "TLS is inside of each stream, with the certificate of the line" => tls_inside;
    "7.10" "mux-knocks-first" Must [Mux Broker Probe]
        "it knocks for the host's id, and opens no stream before it is let in" => knocks_first;
    "7.11" "mux-unanswered-knock-given-up" Must [Mux Broker Probe]
        "dialling fails in limited time when its knock is not answered" => unanswered;
    "7.12" "mux-refused-knock" Must [Mux Broker Probe]
        "dialling fails, and no stream is opened, when its knock is refused" => refused;
    "7.12" "mux-late-answer-unused" Must [Mux Broker Probe]
        "no stream is opened when its knock is answered too late" => late;
    "7.13" "mux-one-knock-at-a-time" Must [Mux Broker Probe]
        "it knocks for one id at a time, until that stream is open" => one_at_a_time;
    "7.17" "mux-knock-acknowledged" Must [Mux Broker Probe]
        "a knock for an id that it offers is acknowledged" => acknowledged;
    "7.18" "mux-unknown-knock-refused" Should [Mux Broker]
        "a knock for an id that it does not offer is answered with an error" => unknown;
    "7.19" "mux-knocked-stream" Must [Mux Broker Probe]
        "the stream after an acknowledged knock reaches that id's service" => knocked_stream;
    "7.19" "mux-unknocked-stream" Must [Mux]
        "a stream without a knock reaches the main server" => unknocked_stream;
    "7.21" "mux-stream-acknowledged" Must [Mux]
        "a stream is acknowledged before anything is sent on it" => stream_acknowledged;
    "7.22" "mux-unused-permission-dropped" Should [Mux Broker Probe]
        "a permission that nobody used for 6 s is gone: the next stream is the main server's" => dropped;
    "7.23" "mux-no-addresses" Must [Mux Broker Probe]
        "it announces no address" => no_addresses;
}

/// For what is not to happen.
const A_WHILE: Duration = Duration::from_millis(500);

/// go-plugin gives up after 5 s.
const GIVEN_UP: Duration = Duration::from_secs(12);

/// A host's id, which the plugin has none like.
const ID: u32 = 40;

async fn muxed(bench: &Bench) -> Outcome<Muxed> {
    Muxed::start(bench.launch()?).await
}

async fn when_false(bench: &Bench) -> Outcome {
    bench.launch()?.set(VARIABLE, "false").session().await.map(drop)
}

async fn field(bench: &Bench) -> Outcome {
    let line = bench.launch()?.set(VARIABLE, "true").start().await?.line;
    let field = line.field(7);
    let known = line.fields.len() < 7 || matches!(field, "true" | "false");
    require!(known, "field 7 is `{field}`");
    Ok(())
}

async fn main_connection(bench: &Bench) -> Outcome {
    muxed(bench).await.map(drop)
}

async fn window(bench: &Bench) -> Outcome {
    const BYTES: usize = 2 * 1024 * 1024;
    let muxed = muxed(bench).await?;
    let data = Bytes::from(vec![0x5a; BYTES]);
    let echo = answer("Probe/Echo", muxed.probe().echo(Payload { data })).await?;
    require!(echo.data.len() == BYTES, "{} bytes came back of {BYTES}", echo.data.len());
    require!(!muxed.yamux.did(Event::Excess(1), Duration::ZERO).await, "it sent more");
    Ok(())
}

async fn yamux_ping(bench: &Bench) -> Outcome {
    const VALUE: u32 = 0x2a17;
    let muxed = muxed(bench).await?;
    muxed.yamux.ping(VALUE).await;
    require!(muxed.yamux.did(Event::Pong(VALUE), ANSWER).await, "no answer within {ANSWER:?}");
    Ok(())
}

async fn tls_inside(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.set(VARIABLE, "true").start().await?;
    let yamux = Session::client(started.dial().await?);
    let (_, io) = yamux.open().await;
    let secured = started.client().connect(io).await.during("TLS inside of the first stream")?;
    let presented = secured.chain.first().map(|certificate| certificate.to_vec());
    require!(presented == started.line.certificate(), "it presents another certificate");
    Ok(())
}

async fn knocks_first(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let hosting = async {
        let knocks = muxed.knocks(1, ANSWER).await;
        require!(knocks == [ID], "it knocked for {knocks:?}");
        let early = muxed.yamux.accept(A_WHILE).await;
        require!(early.is_none(), "it opened a stream before it was let in");
        muxed.answer(ID, "").await?;
        let (stream, serving) = muxed.serve_next().await?;
        require!(stream % 2 == 0, "it opened stream {stream}, whose numbers are the host's");
        Ok(serving)
    };
    let (called, hosted) = tokio::join!(answer("Probe/CallHost", muxed.call_host(ID)), hosting);
    let _serving = hosted?;
    is_of_host(&called?.data, QUESTION)
}

async fn unanswered(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let called = within(GIVEN_UP, "dialling without an answer", muxed.call_host(ID)).await?;
    require!(called.is_err(), "Probe/CallHost answered");
    ping(&muxed.channel).await.during("a call after the dial")
}

async fn refused(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let hosting = async {
        let knocks = muxed.knocks(1, ANSWER).await;
        require!(knocks == [ID], "it knocked for {knocks:?}");
        muxed.answer(ID, "nobody is at home").await
    };
    let called = within(GIVEN_UP, "dialling, refused", muxed.call_host(ID));
    let (called, hosted) = tokio::join!(called, hosting);
    hosted?;
    require!(called?.is_err(), "Probe/CallHost answered");
    let opened = muxed.yamux.accept(A_WHILE).await;
    require!(opened.is_none(), "it opened a stream all the same");
    Ok(())
}

async fn late(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let called = within(GIVEN_UP, "dialling without an answer", muxed.call_host(ID)).await?;
    require!(called.is_err(), "Probe/CallHost answered");
    muxed.answer(ID, "").await?;
    let opened = muxed.yamux.accept(A_WHILE).await;
    require!(opened.is_none(), "it opened a stream");
    Ok(())
}

async fn one_at_a_time(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let hosting = async {
        let mut servings = Vec::new();
        for count in 1..=2 {
            let knocks = muxed.knocks(count, ANSWER).await;
            require!(knocks.len() == count, "it knocked for {knocks:?}");
            let more = muxed.knocks(count + 1, A_WHILE).await;
            require!(more.len() == count, "it knocked for {more:?}, with one stream open");
            let id = knocks.last().copied().unwrap_or_default();
            muxed.answer(id, "").await?;
            servings.push(muxed.serve_next().await?);
        }
        Ok(servings)
    };
    let (first, second, hosted) = tokio::join!(
        answer("Probe/CallHost", muxed.call_host(ID)),
        answer("Probe/CallHost", muxed.call_host(ID + 1)),
        hosting
    );
    let _servings = hosted?;
    is_of_host(&first?.data, QUESTION)?;
    is_of_host(&second?.data, QUESTION)
}

async fn acknowledged(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let id = muxed.offer().await?;
    let knock = muxed.knock(id, ANSWER).await?;
    let knock = knock.ok_or_else(|| Shortfall::seen(format!("no answer to a knock for {id}")))?;
    require!(knock.knock && knock.error.is_empty(), "{knock:?}");
    Ok(())
}

async fn unknown(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let knock = muxed.knock(77, ANSWER).await?;
    require!(knock.is_some(), "no answer within {ANSWER:?}");
    let refused = knock.is_some_and(|knock| !knock.error.is_empty());
    require!(refused, "it was acknowledged without an error");
    Ok(())
}

async fn knocked_stream(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    for _ in 0..2 {
        let id = muxed.offer().await?;
        muxed.let_in(id).await?;
        ask(muxed.connect().await?, b"on a stream of its own").await?;
    }
    ping(&muxed.channel).await.during("a call on the first stream, after them")
}

async fn unknocked_stream(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let second = muxed.connect().await?;
    ping(&second).await.during("a call on a second stream")
}

async fn stream_acknowledged(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let (id, _io) = muxed.yamux.open().await;
    let taken = |events: &[Event]| {
        let taken =
            |event: &&Event| matches!(event, Event::Acknowledged(i) | Event::Reset(i) if *i == id);
        events.iter().find(taken).cloned()
    };
    let taken = muxed.yamux.wait_for(ANSWER, taken).await;
    require!(taken.is_some(), "neither acknowledged nor reset within {ANSWER:?}");
    Ok(())
}

async fn dropped(bench: &Bench) -> Outcome {
    const UNUSED: Duration = Duration::from_secs(6);
    let muxed = muxed(bench).await?;
    let id = muxed.offer().await?;
    muxed.let_in(id).await?;
    // Nobody comes meanwhile.
    tokio::time::sleep(UNUSED).await;
    let channel = muxed.connect().await?;
    let reached = crate::wire::check_health(&channel, "plugin").await;
    require!(reached.is_ok(), "the next stream did not reach the main server");
    Ok(())
}

async fn no_addresses(bench: &Bench) -> Outcome {
    let muxed = muxed(bench).await?;
    let id = muxed.offer().await?;
    let with_address = |message: &ConnInfo| !message.address.is_empty();
    let announced = muxed.broker.incoming.wait_for(A_WHILE, |received| {
        received.messages.iter().find(|message| with_address(message)).cloned()
    });
    let announced = announced.await;
    require!(announced.is_none(), "for id {id}: {announced:?}");
    Ok(())
}
