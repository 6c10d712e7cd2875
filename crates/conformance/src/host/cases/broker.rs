//! Section 6: the broker; what of section 4 is about brokered connections.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::host::case::{HostCase, table};
use crate::host::certificate::first_in;
use crate::host::fact::{Dialled, Fact};
use crate::host::plan::{Broker, Stream};
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, with};
use crate::report::Verdict;

use super::connection::{idle, missing};

const START_STREAM: &str = "/plugin.GRPCBroker/StartStream";
const SHUTDOWN: &str = "/plugin.GRPCController/Shutdown";

/// The host may end the broker's stream right before it asks for the end.
const RIGHT_BEFORE: Duration = Duration::from_millis(500);

pub(super) const CASES: &[HostCase] = table! {
    "6.3" "request-side-of-the-broker-stays-open" Must Any,
    "the request side of StartStream stays open while the plugin is used" => idle(), stays_open;

    "6.4" "broker-stream-is-opened-once" Must Any,
    "StartStream is called at most once" => Trial::default(), |seen| {
        seen.started()?;
        match seen.calls(START_STREAM) {
            0 => Err(Verdict::not_applicable("the host opens no StartStream")),
            1 => Ok(()),
            more => Err(Verdict::fail(format!("it is called {more} times"))),
        }
    };

    "6.5" "missing-broker-is-borne" Must NoBroker,
    "a plugin without a broker is hosted" => missing(&["plugin.GRPCBroker"]), Seen::hosted;

    "6.5" "failed-broker-is-borne" Must NoBroker,
    "a plugin whose StartStream fails with UNAVAILABLE is hosted"
        => with(|plan| plan.broker_stream = Stream::Fail), Seen::hosted;

    "6.9" "announced-service-listens" Must CallHost,
    "what the host announces is served at that address" => Trial::default(), |seen| {
        let dialled = dialled(seen)?;
        dialled.error.clone().map_or(Ok(()), |error| Err(Verdict::fail(error)))
    };

    "6.10" "announcements-are-whole" Must CallHost,
    "an announcement has id, network and address, and no knock" => Trial::default(), whole;

    "6.12" "late-announcement-is-waited-for" Must Offer,
    "an announcement that comes half a second after its id is used" => offers(Broker::Late),
        Seen::hosted;

    "6.12" "waiting-for-an-announcement-is-limited" Must Offer,
    "an id that is never announced is an error after some seconds" => offers(Broker::Silent),
        Seen::refused;

    "6.17" "announced-network-must-be-known" Must Offer,
    "an announcement of the network `udp` is refused" => offers(Broker::Udp), Seen::refused;

    "6.19" "announced-service-takes-more-connections" Must CallHost,
    "the plugin can connect to what the host announced more than once" => Trial::default(),
        |seen| expect(dialled(seen)?.again, "the second connection failed");

    "6.23" "announced-sockets-are-removed" Must CallHost,
    "sockets that the host announced are removed in the end" => Trial::default(), |seen| {
        let left = seen.left.announced();
        let names: Vec<_> = left.iter().map(|path| path.to_string_lossy()).collect();
        expect(left.is_empty(), &format!("{} was left", names.join(", ")))
    };

    "4.8" "brokered-server-selects-h2" Must CallHost,
    "the host selects the ALPN protocol `h2` where it is the server" => Trial::default(),
        |seen| expect(tls(seen)?.selected_h2, "it selects nothing");

    "4.16" "brokered-server-names-no-other-authority" Must CallHost,
    "the host names no authorities where it is the server, or the plugin's" => Trial::default(),
        |seen| {
        let tls = tls(seen)?;
        let fits = !tls.asked_for_certificate || tls.takes_authority;
        expect(fits, "it names authorities, and the plugin's is not among them")
    };

    "4.17" "brokered-server-verifies-p-521" Must CallHost,
    "the host offers ecdsa_secp521r1_sha512 where it is the server" => Trial::default(), |seen| {
        let tls = tls(seen)?;
        expect(!tls.asked_for_certificate || tls.verifies_p521, "it does not offer it")
    };

    "4.18" "brokered-server-presents-the-exchanged-certificate" Must CallHost,
    "the host presents the certificate of PLUGIN_CLIENT_CERT where it is the server"
        => Trial::default(),
        |seen| expect(tls(seen)?.presents_exchanged, "it presents another one, or a chain");

    "4.18" "brokered-server-demands-a-certificate" Must CallHost,
    "the host serves nobody without a certificate" => Trial::default(), |seen| {
        let tls = tls(seen)?;
        expect(tls.asked_for_certificate, "it asks for no certificate")?;
        expect(!tls.open_to_strangers, "it answered somebody without a certificate")
    };

    "4.18" "brokered-client-presents-the-exchanged-certificate" Must Offer,
    "the host presents the certificate of PLUGIN_CLIENT_CERT where it dials" => Trial::default(),
        presented;
};

fn offers(broker: Broker) -> Trial {
    with(|plan| plan.broker = broker)
}

fn expect(holds: bool, seen: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Verdict::fail(seen)) }
}

/// What the fixture found when it dialled.
fn dialled(seen: &Seen) -> Result<&Dialled, Verdict> {
    let dialled = seen.facts().find_map(|(_, fact)| match fact {
        Fact::Dialled(dialled) => Some(dialled),
        _ => None,
    });
    dialled.ok_or_else(|| seen.failed("the host announced nothing"))
}

/// The same, under TLS.
fn tls(seen: &Seen) -> Result<&Dialled, Verdict> {
    seen.certificate()?;
    dialled(seen)
}

fn whole(seen: &Seen) -> Outcome {
    if seen.multiplex {
        return Err(Verdict::not_applicable("the host multiplexes (--mux)"));
    }
    let mut announced = seen.facts().filter_map(|(_, fact)| match fact {
        Fact::Announced { id, network, address, knock } => Some((id, network, address, knock)),
        _ => None,
    });
    let known = |network: &str| matches!(network, "unix" | "tcp");
    let absolute =
        |network: &str, address: &str| network != "unix" || Path::new(address).is_absolute();
    let wrong = announced.find(|(_, network, address, knock)| {
        **knock || !known(network) || address.is_empty() || !absolute(network, address)
    });
    wrong.map_or(Ok(()), |(id, network, address, knock)| {
        Err(Verdict::fail(format!("{id} {network:?} {address:?}, knock {knock}")))
    })
}

fn presented(seen: &Seen) -> Outcome {
    let exchanged = first_in(seen.certificate()?).map(|der| STANDARD.encode(der));
    let presented = seen.facts().find_map(|(_, fact)| match fact {
        Fact::BrokerTls(tls) => Some(&tls.certificates),
        _ => None,
    });
    let Some(presented) = presented else {
        return Err(seen.failed("the host did not connect to what was announced"));
    };
    let same = presented.len() == 1 && presented.first() == exchanged.as_ref();
    expect(same, &format!("it presents {} certificates, or another", presented.len()))
}

fn stays_open(seen: &Seen) -> Outcome {
    seen.started()?;
    if seen.called(START_STREAM).is_none() {
        return Err(Verdict::not_applicable("the host opens no StartStream"));
    }
    let ended = seen.find(|fact| match fact {
        Fact::BrokerEnded { half_closed: true } => Some(()),
        _ => None,
    });
    let shutdown = seen.called(SHUTDOWN).unwrap_or(seen.end.after);
    match ended {
        Some((at, ())) if at + RIGHT_BEFORE < shutdown => {
            let early = (shutdown - at).as_secs_f64();
            Err(Verdict::fail(format!("it was ended {early:.1} s before the plugin was stopped")))
        }
        _ => Ok(()),
    }
}
