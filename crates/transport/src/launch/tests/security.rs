//! AutoMTLS, given TLS, none, and what does not fit together.

use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};

use super::*;

/// Texts of a certificate and its key.
struct Pem {
    certificate: String,
    key: String,
}

/// An authority, and certificates of its for these names.
fn authority(names: &[&str]) -> (String, Vec<Pem>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let issued = names.iter().map(|name| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![(*name).to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        Pem { certificate, key: key.serialize_pem() }
    });
    let issued = issued.collect();
    (root, issued)
}

/// The TLS of a host and of a plugin that is called `name`.
fn given(name: &str) -> (GivenTls, GivenTls) {
    let (root, issued) = authority(&["host", name]);
    let mut both = issued.iter().map(|pem| {
        let given = GivenTls::from_pem(&pem.certificate, &pem.key, &root).unwrap();
        given.server_name(name).unwrap()
    });
    (both.next().unwrap(), both.next().unwrap())
}

#[tokio::test]
async fn given_tls_secures_the_connection_and_the_plugin_stops_gracefully() {
    let (host, plugin) = given("plugin.internal");
    let script = Scripted { given: Some(plugin.peer()), ..Scripted::default() };
    let own = host.certificate();
    let started = start(&script, |spec| spec.security = Security::Given(host)).await;
    let (connection, _directory) = started.unwrap();
    assert_eq!(connection.info().certificate, Some(own), "its end is watched");
    assert_eq!(connection.health(PATIENCE).await, Health::Serving);
    assert_eq!(script.variable("PLUGIN_CLIENT_CERT"), None);
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
}

#[tokio::test]
async fn a_plugin_of_another_name_or_authority_is_refused_under_given_tls() {
    let (host, _) = given("plugin.internal");
    let (_, stranger) = given("plugin.internal");
    let script = Scripted { given: Some(stranger.peer()), ..Scripted::default() };
    let error = start(&script, |spec| spec.security = Security::Given(host)).await.unwrap_err();
    assert!(error.to_string().contains("the TLS handshake failed"), "{error}");

    let (host, plugin) = given("plugin.internal");
    let host = host.server_name("another.internal").unwrap();
    let script = Scripted { given: Some(plugin.peer()), ..Scripted::default() };
    let error = start(&script, |spec| spec.security = Security::Given(host)).await.unwrap_err();
    assert!(error.to_string().contains("the TLS handshake failed"), "{error}");
}

#[tokio::test]
async fn plaintext_is_spoken_when_asked_for_and_called_dangerous_at_each_start() {
    let lines = Lines::capture();
    let script = Scripted::default();
    for starts in 1..=2 {
        let started = start(&script, |spec| spec.security = Security::Plaintext).await;
        let (connection, _directory) = started.unwrap();
        assert_eq!(connection.health(PATIENCE).await, Health::Serving);
        assert_eq!(script.variable("PLUGIN_CLIENT_CERT"), None);
        assert_eq!(lines.count("WARN dangerous: "), starts);
        assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_asked_for_is_an_error_and_no_crash() {
    let (host, _) = given("localhost");
    for security in [Security::Plaintext, Security::Given(host)] {
        let script = Scripted { unasked: true, ..Scripted::default() };
        let error = start(&script, |spec| spec.security = security).await.unwrap_err();
        assert!(matches!(error, LaunchError::UnaskedCertificate { .. }), "{error}");
        assert!(error.is_permanent());
    }
}

#[tokio::test]
async fn tls_on_one_side_alone_fails_the_start() {
    let (host, plugin) = given("localhost");
    // AutoMTLS asked for, and the plugin's own TLS wins.
    let script = Scripted { given: Some(plugin.peer()), ..Scripted::default() };
    let error = start(&script, |_| {}).await.unwrap_err();
    assert!(matches!(error, LaunchError::NoCertificate { .. }), "{error}");
    // Only the plugin speaks TLS.
    let error = start(&script, |spec| spec.security = Security::Plaintext).await.unwrap_err();
    assert!(matches!(error, LaunchError::Connect { .. }), "{error}");
    // Only the host does.
    let script = Scripted::default();
    let error = start(&script, |spec| spec.security = Security::Given(host)).await.unwrap_err();
    assert!(matches!(error, LaunchError::Connect { .. }), "{error}");
}

#[test]
fn what_is_no_pem_or_no_name_is_refused_by_what_it_is() {
    let (root, issued) = authority(&["host"]);
    let Pem { certificate, key } = &issued[0];
    let refused = |certificate: &str, key: &str, roots: &str| {
        GivenTls::from_pem(certificate, key, roots).unwrap_err().to_string()
    };
    assert!(refused("", key, &root).contains("text of the certificate"));
    assert!(refused(certificate, "nonsense", &root).contains("text of the key"));
    assert!(refused(certificate, key, key).contains("text of the roots"));
    let given = GivenTls::from_pem(certificate, key, &root).unwrap();
    assert!(given.server_name("not a name").unwrap_err().to_string().contains("`not a name`"));
}
