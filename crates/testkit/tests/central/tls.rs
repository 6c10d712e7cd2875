//! Certificates, good, bad and pinned, and clients that show theirs.

use std::sync::Arc;

use outrigger_central::Client;
use outrigger_discovery::Central as _;
use outrigger_testkit::central::{Answer, FakeCentral};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::client::config;

fn pair() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn server(pair: &CertifiedKey<KeyPair>, clients: Option<&CertifiedKey<KeyPair>>) -> FakeCentral {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            roots.add(client.cert.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    let config = builder.with_single_cert(vec![pair.cert.der().clone()], key).unwrap();
    FakeCentral::over_tls(Arc::new(config), |_| Answer::body("the key"))
}

fn sha256(bytes: &[u8]) -> String {
    outrigger_discovery::sha256(bytes).unwrap().to_string()
}

#[test]
fn a_certificate_that_no_authority_signed_is_refused_unless_that_is_switched_off() {
    let server = server(&pair(), None);
    let error = Client::new(config(&server.url())).unwrap().public_key().unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    let mut careless = config(&server.url());
    careless.skip_tls_verify = true;
    assert_eq!(Client::new(careless).unwrap().public_key().unwrap(), b"the key");
}

#[test]
fn a_pin_of_the_certificate_or_of_its_key_is_enough_and_another_s_is_not() {
    let (own, other) = (pair(), pair());
    let server = server(&own, None);
    let with = |pin: &str| {
        let mut pinned = config(&server.url());
        // Self-signed: the pin alone is what is trusted.
        pinned.skip_tls_verify = true;
        pinned.pin = Some(pin.parse().unwrap());
        Client::new(pinned).unwrap().public_key().map_err(|error| error.to_string())
    };
    assert_eq!(with(&sha256(own.cert.der())).unwrap(), b"the key");
    let key = rcgen::PublicKeyData::subject_public_key_info(&own.signing_key);
    assert_eq!(with(&sha256(&key)).unwrap(), b"the key");
    let error = with(&sha256(other.cert.der())).unwrap_err();
    assert!(error.contains("certificate pinning failed"), "{error}");
}

#[test]
fn a_client_certificate_opens_a_private_central() {
    let (own, client) = (pair(), pair());
    let server = server(&own, Some(&client));
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("c.pem"), directory.path().join("k.pem"));
    std::fs::write(&certificate, client.cert.pem()).unwrap();
    std::fs::write(&key, client.signing_key.serialize_pem()).unwrap();
    let mut private = config(&server.url());
    private.skip_tls_verify = true;
    Client::new(private.clone()).unwrap().public_key().unwrap_err();
    private.client = Some((certificate.clone(), key.clone()));
    assert_eq!(Client::new(private.clone()).unwrap().public_key().unwrap(), b"the key");
    std::fs::write(&key, "no key").unwrap();
    let error = Client::new(private).unwrap_err().to_string();
    assert!(error.contains("k.pem") && error.contains("not PEM"), "{error}");
}
