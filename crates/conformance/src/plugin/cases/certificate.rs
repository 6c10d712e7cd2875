//! The certificate that a plugin announces and presents.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::cases;
use crate::identity::SERVER_NAME;
use crate::plugin::bench::Bench;
use crate::plugin::outcome::{Outcome, Shortfall, require};

cases! {
    "4.10" "certificate-names-localhost" Must [Tls]
        "`localhost` is among its certificate's alternative names" => names;
    "4.11" "certificate-for-both-roles" Must [Tls]
        "its extended key usage is absent, or holds both clientAuth and serverAuth" => usage;
    "4.12" "certificate-valid-now" Must [Tls]
        "its certificate is valid now" => valid;
    "4.12" "certificate-backdated" Should [Tls]
        "its certificate is valid from some seconds ago" => backdated;
    "4.13" "certificate-as-announced" Must [Tls]
        "what it presents is what its line announced, byte for byte and alone" => announced;
    "4.19" "certificate-of-this-process" Should [Tls]
        "each process has a certificate and a key of its own" => own;
    "4.25" "certificate-small" Should [Tls]
        "its certificate has at most 4 KiB" => small;
}

/// Of the line, in DER.
async fn certificate(bench: &Bench) -> Outcome<Vec<u8>> {
    let line = bench.launch_tls()?.start().await?.line;
    line.certificate().ok_or_else(|| Shortfall::seen("this time no certificate was printed"))
}

fn parse(der: &[u8]) -> Outcome<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(error) => Err(Shortfall::seen(format!("it is no certificate: {error}"))),
    }
}

async fn names(bench: &Bench) -> Outcome {
    let der = certificate(bench).await?;
    let certificate = parse(&der)?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<&GeneralName<'_>> =
        names.iter().flat_map(|names| names.value.general_names.iter()).collect();
    let named = |name: &&GeneralName<'_>| matches!(name, GeneralName::DNSName(SERVER_NAME));
    require!(names.iter().any(named), "its alternative names are {names:?}");
    Ok(())
}

async fn usage(bench: &Bench) -> Outcome {
    let der = certificate(bench).await?;
    let certificate = parse(&der)?;
    let Some(usage) = certificate.extended_key_usage().ok().flatten() else { return Ok(()) };
    let usage = usage.value;
    let both = usage.any || usage.client_auth && usage.server_auth;
    let (client, server) = (usage.client_auth, usage.server_auth);
    require!(both, "clientAuth: {client}, serverAuth: {server}");
    Ok(())
}

/// From when, and until when: seconds from now.
async fn validity(bench: &Bench) -> Outcome<(i64, i64)> {
    let der = certificate(bench).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let validity = parse(&der)?.validity().clone();
    Ok((validity.not_before.timestamp() - now, validity.not_after.timestamp() - now))
}

async fn valid(bench: &Bench) -> Outcome {
    let (from, until) = validity(bench).await?;
    require!(from <= 0, "it is valid in {from} s");
    require!(until > 0, "it was valid until {} s ago", -until);
    Ok(())
}

async fn backdated(bench: &Bench) -> Outcome {
    /// What clocks of virtual machines are apart.
    const SOME: i64 = 5;
    let (from, _) = validity(bench).await?;
    require!(from <= -SOME, "it is valid from {} s ago", -from);
    Ok(())
}

async fn announced(bench: &Bench) -> Outcome {
    let started = bench.launch_tls()?.start().await?;
    let chain = started.secured(&started.client()).await?.chain;
    let presented = chain.first().map(|certificate| certificate.as_ref());
    let announced = started.line.certificate();
    require!(presented == announced.as_deref(), "it presents another one");
    require!(chain.len() == 1, "it presents {} certificates", chain.len());
    Ok(())
}

async fn own(bench: &Bench) -> Outcome {
    let (one, other) = (certificate(bench).await?, certificate(bench).await?);
    require!(one != other, "two processes had the same certificate");
    let same_key = parse(&one)?.public_key().raw == parse(&other)?.public_key().raw;
    require!(!same_key, "two processes had the same key");
    Ok(())
}

async fn small(bench: &Bench) -> Outcome {
    let size = certificate(bench).await?.len();
    require!(size <= 4096, "it has {size} bytes");
    Ok(())
}
