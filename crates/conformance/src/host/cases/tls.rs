//! Section 4: TLS and AutoMTLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::host::case::{HostCase, table};
use crate::host::certificate::{Properties, first_in, wrong_form};
use crate::host::fact::Speaks;
use crate::host::plan::Presents;
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, with};
use crate::report::Verdict;

/// A certificate that was dated back this little is still fine; less is a risk.
const BACKDATED: i64 = 1;

const LARGEST: usize = 4096;

pub(super) const CASES: &[HostCase] = table! {
    "4.1" "tls-is-spoken-as-announced" Must Any,
    "with PLUGIN_CLIENT_CERT the connection begins with TLS, without it with HTTP/2"
        => Trial::default(), as_announced;

    "4.6" "another-certificate-is-refused" Must Tls,
    "a server that presents another certificate than the announced one is refused"
        => presents(Presents::Another), refused;

    "4.6" "certificate-without-its-key-is-refused" Must Tls,
    "a server that presents the announced certificate without holding its key is refused"
        => presents(Presents::Replayed), refused;

    "4.7" "tls-1-2-is-spoken" Should Tls,
    "a plugin that speaks TLS 1.2 alone is hosted" => with(|plan| plan.tls.only = Some(12)), hosted;

    "4.7" "tls-1-3-is-spoken" Should Tls,
    "a plugin that speaks TLS 1.3 alone is hosted" => with(|plan| plan.tls.only = Some(13)), hosted;

    "4.8" "h2-is-offered" Must Tls,
    "the host offers the ALPN protocol `h2`" => Trial::default(), |seen| {
        let offered = &seen.tls()?.alpn;
        expect(offered.iter().any(|name| name == "h2"), || format!("it offers {offered:?}"))
    };

    "4.9" "server-name-is-localhost" Must Tls,
    "the host sends the server name `localhost`" => Trial::default(), |seen| {
        let name = &seen.tls()?.server_name;
        expect(name.as_deref() == Some("localhost"), || format!("it sends {name:?}"))
    };

    "4.10" "certificate-names-localhost" Must Tls,
    "the host's certificate has the DNS name `localhost` among its alternative names"
        => Trial::default(), |seen| {
        let names = properties(seen)?.names;
        expect(names.iter().any(|name| name == "localhost"), || format!("it has {names:?}"))
    };

    "4.11" "certificate-serves-both-roles" Must Tls,
    "the certificate's extended key usage is absent, or holds clientAuth and serverAuth"
        => Trial::default(), |seen| {
        let Properties { client, server, .. } = properties(seen)?;
        expect(client && server, || format!("clientAuth {client}, serverAuth {server}"))
    };

    "4.12" "certificate-is-valid-now" Must Tls,
    "the certificate is valid now" => Trial::default(), |seen| {
        let Properties { age, left, .. } = properties(seen)?;
        expect(age >= 0 && left > 0, || format!("since {age} s, for {left} s"))
    };

    "4.12" "certificate-is-dated-back" Should Tls,
    "the certificate is dated some seconds back" => Trial::default(), |seen| {
        let age = properties(seen)?.age;
        expect(age >= BACKDATED, || format!("it is valid since {age} s"))
    };

    "4.13" "exchanged-certificate-is-presented" Must Tls,
    "the host presents exactly the certificate of PLUGIN_CLIENT_CERT, and no chain"
        => Trial::default(), presented;

    "4.14" "p-521-is-verified" Must Tls,
    "a plugin whose certificate is like go-plugin's own, on P-521, is hosted"
        => presents(Presents::LikeGo), hosted;

    "4.21" "certificate-is-one-pem-block" Must Tls,
    "PLUGIN_CLIENT_CERT is one PEM block with LF line ends" => Trial::default(), |seen| {
        wrong_form(seen.certificate()?).map_or(Ok(()), |wrong| Err(Verdict::fail(wrong)))
    };

    "4.23" "certificate-is-pinned" Should Tls,
    "a certificate that the announced one's key signed is refused"
        => presents(Presents::Signed), refused;

    "4.25" "certificate-is-small" Should Tls,
    "the certificate has less than 4 KiB" => Trial::default(), |seen| {
        let size = properties(seen)?.size;
        expect(size < LARGEST, || format!("it has {size} bytes"))
    };
};

fn presents(presents: Presents) -> Trial {
    with(|plan| plan.tls.presents = presents)
}

fn expect(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Verdict::fail(seen())) }
}

fn as_announced(seen: &Seen) -> Outcome {
    let tls = seen.certificate().is_ok();
    match (tls, seen.speaks()?) {
        (true, Speaks::Tls) | (false, Speaks::Http2) => Ok(()),
        // Yamux is in the clear; its streams hold the rest.
        (_, Speaks::Yamux) if seen.multiplex => Ok(()),
        (_, spoken) => Err(Verdict::fail(format!("it begins with {spoken:?}"))),
    }
}

/// The host spoke TLS, so that it had something to refuse.
fn refused(seen: &Seen) -> Outcome {
    seen.spoke_tls()?;
    seen.refused()
}

fn hosted(seen: &Seen) -> Outcome {
    seen.spoke_tls()?;
    seen.hosted()
}

fn properties(seen: &Seen) -> Result<Properties, Verdict> {
    let der = first_in(seen.certificate()?);
    let der = der.ok_or_else(|| Verdict::fail("PLUGIN_CLIENT_CERT holds no certificate"))?;
    Properties::of(&der)
        .map_err(|error| Verdict::fail(format!("PLUGIN_CLIENT_CERT cannot be read: {error}")))
}

fn presented(seen: &Seen) -> Outcome {
    let presented = &seen.tls()?.certificates;
    let exchanged = first_in(seen.certificate()?).map(|der| STANDARD.encode(der));
    match &presented[..] {
        [] => Err(Verdict::fail("it presents no certificate")),
        [only] if Some(only) == exchanged.as_ref() => Ok(()),
        [_] => Err(Verdict::fail("it presents another certificate")),
        chain => Err(Verdict::fail(format!("it presents {} certificates", chain.len()))),
    }
}
