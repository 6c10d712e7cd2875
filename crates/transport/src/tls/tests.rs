//! Real handshakes in memory: who is let in and who is not.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

fn der(identity: &Identity) -> CertificateDer<'static> {
    CertificateDer::from(identity.der().to_vec())
}

/// Handshakes as `host` (which pins `pinned_server`) with a plugin that is
/// `plugin` (which pins `pinned_client`) and gives both outcomes.
async fn handshake(
    host: &Identity,
    pinned_server: &Identity,
    plugin: &Identity,
    pinned_client: &Identity,
) -> (Result<(), String>, Result<(), String>) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let PeerTls { client, server_name, .. } =
        PeerTls::pinned(host, vec![der(pinned_server)]).unwrap();
    let server = PeerTls::pinned(plugin, vec![der(pinned_client)]).unwrap().server;
    let connect = TlsConnector::from(client).connect(server_name, near);
    let accept = TlsAcceptor::from(server).accept(far);
    let (connected, accepted) = tokio::join!(connect, accept);
    if let Ok(stream) = &connected {
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    }
    (connected.map(drop).map_err(|e| e.to_string()), accepted.map(drop).map_err(|e| e.to_string()))
}

#[tokio::test]
async fn two_sides_that_know_each_other_s_certificate_meet() {
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let (connected, accepted) = handshake(&host, &plugin, &plugin, &host).await;
    assert_eq!((connected, accepted), (Ok(()), Ok(())));
}

/// The pin is exact: a clock that was set, or a host that runs for years, changes
/// nothing.
#[tokio::test]
async fn a_pinned_certificate_is_good_whatever_its_dates_say() {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let now = std::time::SystemTime::now();
    let over = Identity::valid(now - 800 * day, now - 400 * day).unwrap();
    let ahead = Identity::valid(now + 400 * day, now + 800 * day).unwrap();
    for (host, plugin) in [(&over, &ahead), (&ahead, &over)] {
        let (connected, accepted) = handshake(host, plugin, plugin, host).await;
        assert_eq!((connected, accepted), (Ok(()), Ok(())));
    }
}

#[tokio::test]
async fn a_plugin_with_another_certificate_is_refused() {
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let impostor = Identity::generate().unwrap();
    let (connected, _) = handshake(&host, &plugin, &impostor, &host).await;
    let error = connected.unwrap_err();
    assert!(error.contains("IdentityMismatch"), "{error}");
}

#[tokio::test]
async fn a_client_with_another_certificate_is_refused() {
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let stranger = Identity::generate().unwrap();
    let (_, accepted) = handshake(&stranger, &plugin, &plugin, &host).await;
    let error = accepted.unwrap_err();
    assert!(error.contains("IdentityMismatch"), "{error}");
}

/// The certificate is public, so presenting it proves nothing: the signature
/// by its key must be checked too.
#[tokio::test]
async fn a_replayed_certificate_without_its_key_is_refused() {
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let thief = Identity::generate().unwrap();
    let provider = provider();
    let stolen = rustls::sign::CertifiedKey::new(
        plugin.chain(),
        provider.key_provider.load_private_key(thief.key()).unwrap(),
    );
    let server = PeerTls::pinned(&plugin, vec![der(&host)]).unwrap().server;
    let mut server = Arc::unwrap_or_clone(server);
    server.cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(stolen));
    let (near, far) = tokio::io::duplex(64 * 1024);
    let client = PeerTls::pinned(&host, vec![der(&plugin)]).unwrap();
    let connect = TlsConnector::from(client.client).connect(client.server_name, near);
    let accept = TlsAcceptor::from(Arc::new(server)).accept(far);
    let (connected, _) = tokio::join!(connect, accept);
    let error = connected.unwrap_err().to_string();
    assert!(error.contains("BadSignature"), "{error}");
}

#[test]
fn our_certificate_is_a_p_256_leaf_for_localhost() {
    let identity = Identity::generate().unwrap();
    let pem = identity.pem();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("-----\n"), "{pem}");
    assert!(!pem.contains('\r'));
    // The object identifier of P-256 and the DNS name, as they stand in DER.
    let contains = |needle: &[u8]| identity.der().windows(needle.len()).any(|w| w == needle);
    assert!(contains(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]));
    assert!(contains(b"\x82\x09localhost"));
}
