//! TLS on the main connection: who is let in, and how.

use rustls::{SignatureScheme, SupportedProtocolVersion};
use tokio::io::AsyncWriteExt as _;

use super::cases;
use crate::identity::Identity;
use crate::plugin::bench::{Bench, Security, Started};
use crate::plugin::outcome::{Outcome, Shortfall, While as _, require};
use crate::tls::{ALPN, Asked, Client, Secured};
use crate::wire::{channel, ping};

cases! {
    "4.1" "plaintext-without-automtls" Must []
        "without `PLUGIN_CLIENT_CERT` it serves HTTP/2 without TLS" => plaintext;
    "4.1" "plaintext-refused" Must [Tls]
        "under AutoMTLS nobody is served without TLS" => plaintext_refused;
    "4.2" "automtls-served" Must []
        "with `PLUGIN_CLIENT_CERT` it prints a certificate, and serves TLS" => served;
    "4.4" "unreadable-host-certificate-refused" Should [Tls]
        "with a `PLUGIN_CLIENT_CERT` that holds no certificate: no line, and an end" => unreadable;
    "4.5" "client-without-certificate-refused" Must [Tls]
        "a client that presents no certificate is not served" => nobody;
    "4.5" "other-client-refused" Must [Tls]
        "a client that presents another certificate than the host's is not served" => other;
    "4.7" "tls-1-3" Should [Tls] "TLS 1.3 is spoken" => tls13;
    "4.7" "tls-1-2" Should [Tls] "TLS 1.2 is spoken" => tls12;
    "4.8" "alpn-h2" Must [Tls] "the protocol `h2` is selected by ALPN" => alpn;
    "4.15" "p521-host-served" Should [Tls]
        "a host whose certificate is on P-521, as a Go host's is, is served" => p521;
    "4.16" "no-excluding-authorities" Must [Tls]
        "the list of authorities is empty, or names the host certificate's issuer" => authorities;
    "4.17" "p521-signatures-offered" Should [Tls]
        "`ecdsa_secp521r1_sha512` is offered, as Go hosts need it" => schemes;
    "4.20" "other-pem-blocks-skipped" Should [Tls]
        "PEM blocks of another kind beside the host's certificate are skipped" => other_blocks;
    "4.20" "each-host-certificate-trusted" Should [Tls]
        "of several certificates in `PLUGIN_CLIENT_CERT` each is let in" => several;
    "4.22" "slow-peer-blocks-nobody" Must [Tls Calls]
        "peers that connect and shake no hands keep nobody out" => slow;
}

async fn plaintext(bench: &Bench) -> Outcome {
    bench.launch_plain().session().await.map(drop)
}

async fn plaintext_refused(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    let served = match channel(started.dial().await?, "localhost").await {
        Ok(channel) => ping(&channel).await.is_ok(),
        Err(_) => false,
    };
    require!(!served, "a call without TLS was answered");
    Ok(())
}

async fn served(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    require!(started.line.certificate().is_some(), "no certificate: {:?}", started.line.shown());
    let channel = started.connect().await?;
    ping(&channel).await.during("a call over TLS")
}

async fn unreadable(bench: &Bench) -> Outcome {
    const SOON: std::time::Duration = std::time::Duration::from_secs(10);
    let process = bench.launch_tls()?.set("PLUGIN_CLIENT_CERT", "no certificate");
    let process = process.refused(SOON).await?;
    let ended = process.ended(SOON).await;
    require!(ended.is_some(), "it printed no line, and runs on");
    Ok(())
}

async fn nobody(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    require!(!serves(&started, &Client::new(None)).await?, "its call was answered");
    Ok(())
}

async fn other(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    let other = Client::new(Some(Identity::generate()?));
    require!(!serves(&started, &other).await?, "its call was answered");
    Ok(())
}

/// Whether a client gets an answer.
async fn serves(started: &Started, client: &Client) -> Outcome<bool> {
    let Ok(secured) = client.connect(started.dial().await?).await else { return Ok(false) };
    // Under TLS 1.3 the refusal comes only now.
    let Ok(channel) = channel(secured.io, "localhost").await else { return Ok(false) };
    Ok(ping(&channel).await.is_ok())
}

async fn tls13(bench: &Bench) -> Outcome {
    const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
    speaks(bench, VERSIONS).await
}

async fn tls12(bench: &Bench) -> Outcome {
    const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
    speaks(bench, VERSIONS).await
}

async fn speaks(bench: &Bench, versions: &'static [&'static SupportedProtocolVersion]) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    let secured = started.secured(&Client { versions, ..started.client() }).await?;
    answers(secured).await
}

/// A call over it is answered.
async fn answers(secured: Secured) -> Outcome {
    let channel = channel(secured.io, "localhost").await.during("HTTP/2")?;
    ping(&channel).await.during("a call over TLS")
}

async fn alpn(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    let selected = started.secured(&started.client()).await?.alpn;
    let text = selected.as_deref().map(String::from_utf8_lossy);
    require!(selected.as_deref() == Some(ALPN), "it selected {text:?}");
    Ok(())
}

async fn p521(bench: &Bench) -> Outcome {
    let launch = bench.launch_as(Security::AutoMtls(Identity::p521()?));
    let started = launch.start().await?;
    answers(started.secured(&started.client()).await?).await
}

async fn asked(bench: &Bench, identity: Identity) -> Outcome<Asked> {
    let started = bench.launch_as(Security::AutoMtls(identity)).start().await?;
    let asked = started.secured(&started.client()).await?.asked;
    asked.ok_or_else(|| Shortfall::seen("no client certificate was asked for"))
}

async fn authorities(bench: &Bench) -> Outcome {
    let identity = Identity::generate()?;
    let issuer = identity.issuer().during("the kit's own certificate")?;
    let listed = asked(bench, identity).await?.authorities;
    let count = listed.len();
    require!(count == 0 || listed.contains(&issuer), "{count} others, and the host's not");
    Ok(())
}

async fn schemes(bench: &Bench) -> Outcome {
    let schemes = asked(bench, Identity::generate()?).await?.schemes;
    let offered = schemes.contains(&SignatureScheme::ECDSA_NISTP521_SHA512);
    require!(offered, "{schemes:?}");
    Ok(())
}

async fn other_blocks(bench: &Bench) -> Outcome {
    let identity = Identity::generate()?;
    let pem = format!(
        "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n{}",
        identity.pem()
    );
    let launch = bench.launch_as(Security::AutoMtls(identity)).set("PLUGIN_CLIENT_CERT", pem);
    launch.session().await.map(drop)
}

async fn several(bench: &Bench) -> Outcome {
    let identities = [Identity::generate()?, Identity::generate()?];
    let pem = format!("{}{}", identities[0].pem(), identities[1].pem());
    let started = bench.launch_tls()?.set("PLUGIN_CLIENT_CERT", pem).start().await?;
    for (place, identity) in ["first", "second"].into_iter().zip(identities) {
        let served = serves(&started, &Client::new(Some(identity))).await?;
        require!(served, "the {place} of two is not let in");
    }
    Ok(())
}

async fn slow(bench: &Bench) -> Outcome {
    /// A record that says it has more than ever comes.
    const BEGINNING: &[u8] = &[0x16, 3, 1, 2, 0, 1];
    let started = bench.launch_tls()?.start().await?;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(started.dial().await?);
    }
    let mut half = started.dial().await?;
    half.write_all(BEGINNING).await?;
    let channel = started.connect().await?;
    ping(&channel).await.during("a call while five others shake no hands")
}
