//! The broker, when the plugin dials the host.

use std::time::Duration;

use outrigger_proto::plugin::ConnInfo;

use super::cases;
use crate::identity::{Identity, SERVER_NAME};
use crate::plugin::answer::{is_of_host, serve};
use crate::plugin::bench::Bench;
use crate::plugin::brokering::{Brokering, Dialled, QUESTION};
use crate::plugin::outcome::{Outcome, Shortfall, answer, require, within};
use crate::tls::{ALPN, Accepted, Acceptor};

cases! {
    "4.8" "dial-back-alpn" Must [Tls Broker Probe]
        "as a client it offers the protocol `h2` by ALPN" => alpn;
    "4.9" "dial-back-server-name" Should [Tls Broker Probe]
        "as a client it sends the server name `localhost`" => server_name;
    "4.18" "dial-back-certificate" Must [Tls Broker Probe]
        "as a client it presents the certificate of its line" => certificate;
    "4.18" "dial-back-checks-host" Must [Tls Broker Probe]
        "as a client it calls no server with another certificate than the host's" => checks_host;
    "6.12" "late-announcement-awaited" Must [Broker Probe]
        "an id is dialled that is announced a second after it was told" => late;
    "6.12" "unannounced-id-given-up" Must [Broker Probe]
        "dialling an id that is never announced fails in limited time" => unannounced;
    "6.13" "early-announcement-kept" Must [Broker Probe]
        "an id is dialled that was announced a second before it was told" => early;
    "6.14" "announcement-used-once" Must [Broker Probe]
        "a second dial of the same id waits for another announcement" => once;
    "6.17" "strange-network-refused" Must [Broker Probe]
        "an announcement of another network than `unix` and `tcp` is not dialled" => strange;
    "6.18" "dial-ends-with-stream" Should [Broker Probe]
        "a dial that waits fails at once when the broker's stream ends" => stream_ended;
    "6.20" "dial-back-plain" Must [Broker Probe]
        "without TLS it dials without TLS" => plain;
    "6.25" "dial-back-large-answer" Should [Broker Probe]
        "as a client it takes an answer of 5 MiB" => large;
    "11.5" "dial-back-unasked-certificate" Must [Tls Broker Probe]
        "it bears a host that asks for no client certificate, as old hosts do not" => unasked;
}

/// For what comes late, but in time.
const LATE: Duration = Duration::from_secs(1);

/// go-plugin gives up after 5 s.
const GIVEN_UP: Duration = Duration::from_secs(12);

async fn shown(bench: &Bench) -> Outcome<(Brokering, Accepted)> {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    let Dialled { shown, .. } = brokering.called_back(1, &listener).await?;
    let shown = shown.ok_or_else(|| Shortfall::not_applicable("it does no AutoMTLS"))?;
    Ok((brokering, shown))
}

async fn alpn(bench: &Bench) -> Outcome {
    let selected = shown(bench).await?.1.alpn;
    require!(selected.as_deref() == Some(ALPN), "it did not");
    Ok(())
}

async fn server_name(bench: &Bench) -> Outcome {
    let name = shown(bench).await?.1.name;
    require!(name.as_deref() == Some(SERVER_NAME), "it sent {name:?}");
    Ok(())
}

async fn certificate(bench: &Bench) -> Outcome {
    let (brokering, shown) = shown(bench).await?;
    let presented = shown.chain.first().map(|certificate| certificate.to_vec());
    require!(presented.is_some(), "it presents none");
    let announced = brokering.session.started.line.certificate();
    require!(presented == announced, "it presents another one");
    Ok(())
}

async fn checks_host(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    let other = Acceptor { identity: Identity::generate()?, asks: true };
    let serving = async {
        // Refused, or served for as long as the call lasts.
        let served = listener.serve(Some(&other)).await;
        std::future::pending::<()>().await;
        drop(served);
    };
    let called = tokio::select! {
        called = tokio::time::timeout(GIVEN_UP, brokering.call_host(1)) => called,
        () = serving => return Ok(()),
    };
    require!(!matches!(called, Ok(Ok(_))), "a server with another certificate was called");
    Ok(())
}

async fn late(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.listen(1)?;
    let announcing = async {
        // Time for the dial to begin.
        tokio::time::sleep(LATE).await;
        brokering.broker.send(listener.announcement(1)).await
    };
    let (announced, called) = tokio::join!(announcing, brokering.called_back(1, &listener));
    announced?;
    called.map(drop)
}

async fn unannounced(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let called = within(GIVEN_UP, "dialling id 77", brokering.call_host(77)).await?;
    require!(called.is_err(), "Probe/CallHost answered {called:?}");
    brokering.session.ping("after the dial").await
}

async fn early(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    // Nobody asks for it meanwhile.
    tokio::time::sleep(LATE).await;
    brokering.called_back(1, &listener).await.map(drop)
}

async fn once(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    brokering.called_back(1, &listener).await?;
    let acceptor = brokering.acceptor();
    let again = async {
        let served = listener.serve(acceptor.as_ref()).await;
        std::future::pending::<()>().await;
        drop(served);
    };
    let called = tokio::select! {
        called = tokio::time::timeout(GIVEN_UP, brokering.call_host(1)) => called,
        () = again => return Ok(()),
    };
    require!(!matches!(called, Ok(Ok(_))), "the first announcement was dialled again");
    Ok(())
}

async fn strange(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.listen(1)?;
    let announcement = ConnInfo { network: "pigeon".into(), ..listener.announcement(1) };
    brokering.broker.send(announcement).await?;
    let called = within(GIVEN_UP, "dialling a strange network", brokering.call_host(1)).await?;
    require!(called.is_err(), "Probe/CallHost answered");
    brokering.session.ping("after the dial").await
}

async fn stream_ended(bench: &Bench) -> Outcome {
    /// Far less than a dial waits for an announcement.
    const AT_ONCE: Duration = Duration::from_secs(3);
    let Brokering { session, broker } = Brokering::start(bench).await?;
    let request = outrigger_proto::probe::CallHostRequest {
        broker_id: 77,
        data: bytes::Bytes::from_static(QUESTION),
    };
    let mut probe = session.probe();
    let mut calling = std::pin::pin!(probe.call_host(request));
    let begun = tokio::time::timeout(Duration::from_millis(300), &mut calling).await;
    if begun.is_ok() {
        return Err(Shortfall::not_applicable("it does not wait for an announcement"));
    }
    let _ended = broker.half_close();
    let called = within(AT_ONCE, "a dial, once the stream had ended", calling).await?;
    require!(called.is_err(), "Probe/CallHost answered");
    Ok(())
}

async fn plain(bench: &Bench) -> Outcome {
    let brokering = Brokering::launch(bench.launch_plain()).await?;
    let listener = brokering.announce(1).await?;
    brokering.called_back(1, &listener).await.map(drop)
}

async fn large(bench: &Bench) -> Outcome {
    const PADDING: usize = 5 * 1024 * 1024;
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    let acceptor = brokering.acceptor();
    let serving = async {
        let io = listener.accept().await?;
        let io = match &acceptor {
            None => io,
            Some(acceptor) => acceptor.accept(io).await.map_err(Shortfall::seen)?.io,
        };
        Ok::<_, Shortfall>(serve(io, PADDING))
    };
    let (served, called) = tokio::join!(serving, answer("Probe/CallHost", brokering.call_host(1)));
    let _serving = served?;
    let length = called?.data.len();
    require!(length > PADDING, "{length} bytes came back");
    Ok(())
}

async fn unasked(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let listener = brokering.announce(1).await?;
    let acceptor = brokering.acceptor().map(|acceptor| Acceptor { asks: false, ..acceptor });
    let (called, served) = tokio::join!(
        answer("Probe/CallHost", brokering.call_host(1)),
        listener.serve(acceptor.as_ref())
    );
    let _serving = served?;
    is_of_host(&called?.data, QUESTION)
}
