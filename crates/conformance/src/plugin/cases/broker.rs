//! The broker, when the plugin listens.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::probe::Payload;
use outrigger_proto::probe::answer_client::AnswerClient;

use super::cases;
use crate::identity::Identity;
use crate::plugin::answer::ask;
use crate::plugin::bench::Bench;
use crate::plugin::brokering::{Brokering, address};
use crate::plugin::outcome::{Outcome, Shortfall, While as _, require};
use crate::tls::Client;
use crate::wire::{ANSWER, Address, channel, dial};

cases! {
    "4.18" "brokered-client-checked" Must [Tls Broker Probe]
        "a brokered connection serves no client without the host's certificate" => client_checked;
    "4.18" "brokered-certificate-same" Must [Tls Broker Probe]
        "a brokered connection presents the certificate of the line" => certificate_same;
    "6.6" "broker-ids-of-both-sides" Must [Broker Probe]
        "the plugin's id and the host's are two, if they are the same number" => both_sides;
    "6.7" "broker-ids-count-up" Should [Broker Probe]
        "its ids are 1, 2, 3" => count_up;
    "6.7" "broker-ids-differ" Must [Broker Probe]
        "no id is used twice" => differ;
    "6.9" "broker-listens-first" Must [Broker Probe]
        "what it announces can be dialled at once" => listens_first;
    "6.10" "broker-announcement" Must [Broker Probe]
        "an announcement has id, network and address, and no knock" => announcement;
    "6.11" "broker-announces-in-time" Must [Broker Probe]
        "it announces an id within 5 s of telling it" => in_time;
    "6.19" "brokered-connections" Must [Broker Probe]
        "an announced address takes a second connection, and one after both" => connections;
    "6.20" "brokered-tls" Must [Broker Probe]
        "a brokered connection is served, with TLS if the main one has it" => tls;
    "6.20" "brokered-plaintext-refused" Must [Tls Broker Probe]
        "under AutoMTLS a brokered connection serves nobody without TLS" => plaintext_refused;
    "6.21" "brokered-socket-in-directory" Must [Unix Broker Probe]
        "a brokered socket is another one, in the directory of `PLUGIN_UNIX_SOCKET_DIR`" => in_directory;
    "6.21" "brokered-socket-group" Must [Unix Broker Probe]
        "a brokered socket has the group of `PLUGIN_UNIX_SOCKET_GROUP`, and mode 0660" => group;
    "6.23" "brokered-sockets-removed" Must [Unix Broker Probe Controller]
        "after `Shutdown` its brokered sockets are gone" => removed;
    "6.27" "broker-both-ways-at-once" Must [Broker Probe]
        "it dials while it serves, and serves while it dials" => both_ways;
}

/// How long the other side waits for an announcement.
const CLAIMED_WITHIN: Duration = Duration::from_secs(5);

async fn client_checked(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    for (who, identity) in [("no", None), ("another", Some(Identity::generate()?))] {
        let io = brokering.dial(&address).await?;
        let Ok(secured) = Client::new(identity).connect(io).await else { continue };
        require!(!is_asked(secured.io).await, "a client with {who} certificate was answered");
    }
    Ok(())
}

/// Whether the service answers anything on this connection.
async fn is_asked(io: crate::wire::BoxIo) -> bool {
    let Ok(channel) = channel(io, "localhost").await else { return false };
    let payload = Payload { data: bytes::Bytes::from_static(b"?") };
    let asking = async { AnswerClient::new(channel).ask(payload).await.is_ok() };
    tokio::time::timeout(ANSWER, asking).await.unwrap_or(false)
}

async fn certificate_same(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    let io = brokering.dial(&address).await?;
    let started = &brokering.session.started;
    let secured = started.client().connect(io).await.during("the TLS handshake")?;
    let presented = secured.chain.first().map(|certificate| certificate.to_vec());
    require!(presented == started.line.certificate(), "it presents another one");
    Ok(())
}

async fn both_sides(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (id, address) = brokering.offered().await?;
    let listener = brokering.announce(id).await?;
    brokering.called_back(id, &listener).await?;
    ask(brokering.connect(&address).await?, b"under the same number").await
}

async fn ids(bench: &Bench) -> Outcome<[u32; 3]> {
    let brokering = Brokering::start(bench).await?;
    Ok([brokering.offer().await?, brokering.offer().await?, brokering.offer().await?])
}

async fn count_up(bench: &Bench) -> Outcome {
    let ids = ids(bench).await?;
    require!(ids == [1, 2, 3], "{ids:?}");
    Ok(())
}

async fn differ(bench: &Bench) -> Outcome {
    let [one, two, three] = ids(bench).await?;
    require!(one != two && two != three && one != three, "{:?}", [one, two, three]);
    Ok(())
}

async fn listens_first(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    for _ in 0..5 {
        let (id, address) = brokering.offered().await?;
        dial(&address).await.during(&format!("dialling id {id} at {address}"))?;
    }
    Ok(())
}

async fn announcement(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let id = brokering.offer().await?;
    let announced = brokering.announced(id, ANSWER).await?;
    let whole = announced.knock.is_none() && !announced.address.is_empty();
    require!(whole, "{announced:?}");
    address(&announced).map(drop)
}

async fn in_time(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let id = brokering.offer().await?;
    brokering.announced(id, CLAIMED_WITHIN).await.map(drop)
}

async fn connections(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    let first = brokering.connect(&address).await?;
    let second = brokering.connect(&address).await?;
    ask(first, b"on the first").await?;
    ask(second, b"on the second").await?;
    ask(brokering.connect(&address).await?, b"after both").await
}

async fn tls(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    ask(brokering.connect(&address).await?, b"with TLS as the main one").await?;
    let brokering = Brokering::launch(bench.launch_plain()).await?;
    let (_, address) = brokering.offered().await?;
    ask(brokering.connect(&address).await?, b"without TLS").await
}

async fn plaintext_refused(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    let io = brokering.dial(&address).await?;
    require!(!is_asked(io).await, "a call without TLS was answered");
    Ok(())
}

async fn in_directory(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    let started = &brokering.session.started;
    require!(address != started.address, "it is the main one");
    let Address::Unix(path) = &address else {
        return Err(Shortfall::seen(format!("it is at {address}")));
    };
    let inside = path.parent() == Some(&started.sockets)
        || path.parent().and_then(|parent| parent.canonicalize().ok())
            == started.sockets.canonicalize().ok();
    require!(inside, "{address} is not in {}", started.sockets.display());
    Ok(())
}

async fn group(bench: &Bench) -> Outcome {
    let (number, _) = super::sockets::group()?;
    let launch = bench.launch()?.set("PLUGIN_UNIX_SOCKET_GROUP", number.to_string());
    let brokering = Brokering::launch(launch).await?;
    let (_, address) = brokering.offered().await?;
    let _there = brokering.dial(&address).await?;
    let Address::Unix(path) = &address else {
        return Err(Shortfall::seen(format!("it is at {address}")));
    };
    let socket = path.metadata().during("looking at it")?;
    let (gid, mode) = (socket.gid(), socket.mode() & 0o777);
    require!(gid == number, "its group is {gid}, and {number} was asked for");
    require!(mode == 0o660, "its mode is {mode:04o}");
    Ok(())
}

async fn removed(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    ask(brokering.connect(&address).await?, b"before the end").await?;
    let session = &brokering.session;
    let mut controller = GrpcControllerClient::new(session.channel.clone());
    let (_, ended) =
        tokio::join!(controller.shutdown(Empty {}), session.started.process.ended(ANSWER));
    if ended.is_none() {
        return Err(Shortfall::not_applicable("it did not end"));
    }
    let Address::Unix(path) = &address else {
        return Err(Shortfall::seen(format!("it is at {address}")));
    };
    require!(!path.exists(), "{address} is still there");
    Ok(())
}

async fn both_ways(bench: &Bench) -> Outcome {
    let brokering = Brokering::start(bench).await?;
    let (_, address) = brokering.offered().await?;
    let theirs = brokering.connect(&address).await?;
    let listener = brokering.announce(7).await?;
    let (dialled, asked) =
        tokio::join!(brokering.called_back(7, &listener), ask(theirs.clone(), b"while it dials"));
    let _dialled = dialled?;
    asked?;
    ask(theirs, b"when it has dialled").await
}
