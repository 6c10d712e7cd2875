//! Real certificates, good and bad.

use std::sync::Mutex;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::*;

fn pair() -> CertifiedKey<rcgen::KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

fn configuration(suites: &[u16]) -> TlsConfiguration {
    let pair = pair();
    TlsConfiguration::new(
        pair.cert.pem().into(),
        pair.signing_key.serialize_pem().into(),
        suites.to_vec(),
    )
}

fn offered(suites: &[u16]) -> Vec<u16> {
    let config = server_config(&configuration(suites)).unwrap();
    let suites = config.crypto_provider().cipher_suites.iter();
    suites.map(|suite| suite.suite().into()).filter(|suite: &u16| *suite >= 0xc000).collect()
}

#[test]
fn a_tls_server_offers_the_suites_that_the_plugin_names_and_no_cbc() {
    assert_eq!(offered(&[]), [0xc030, 0xc02c], "GoQuorum's defaults less CBC");
    assert_eq!(offered(&[0xc02b, 0xc014, 0xc02b]), [0xc02b]);
    assert_eq!(offered(&[0x1301]), [0; 0]);
    let config = server_config(&configuration(&[0xc02b])).unwrap();
    let of_tls_1_3 =
        config.crypto_provider().cipher_suites.iter().filter(|it| it.tls13().is_some());
    assert_eq!(of_tls_1_3.count(), 3);
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
}

#[test]
fn what_cannot_be_tls_is_an_error_and_never_plain_text() {
    let error = server_config(&configuration(&[0xc014, 0x0005])).unwrap_err();
    assert!(matches!(error, TlsError::Suites(_)), "{error}");
    assert!(error.to_string().contains("c014"), "{error}");
    let (one, other) = (configuration(&[]), configuration(&[]));
    let with = |certificate: &[u8], key: &[u8]| {
        let given = TlsConfiguration::new(certificate.to_vec().into(), key.to_vec().into(), vec![]);
        server_config(&given).unwrap_err()
    };
    let mismatch = with(&one.certificate_pem, &other.key_pem);
    assert!(matches!(mismatch, TlsError::Rejected(_)), "{mismatch}");
    assert!(matches!(with(b"x", &one.key_pem), TlsError::Certificate));
    let key = with(&one.certificate_pem, b"-----BEGIN hunter2");
    assert!(matches!(key, TlsError::Key));
    assert!(!key.to_string().contains("hunter2"));
}

/// A source that answers from a list, the last answer for ever.
struct Listed(Mutex<Vec<Result<Option<TlsConfiguration>, GatewayError>>>);

impl TlsConfigurationSource for Listed {
    async fn get(&self) -> Result<Option<TlsConfiguration>, GatewayError> {
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    }
}

fn unimplemented() -> GatewayError {
    GatewayError::Unimplemented { plugin: "security".into(), method: "Get" }
}

fn broken() -> GatewayError {
    let message = "gone".into();
    GatewayError::Disconnected { plugin: "security".into(), method: "Get", message }
}

#[tokio::test]
async fn only_a_plugin_without_the_service_means_plain_text() {
    let of = |answer| async { fetch(&Listed(Mutex::new(vec![answer]))).await };
    assert!(of(Err(unimplemented())).await.unwrap().is_none());
    assert!(matches!(of(Ok(None)).await, Err(TlsError::Nothing)));
    assert!(matches!(of(Err(broken())).await, Err(TlsError::Gateway(_))));
    assert!(of(Ok(Some(configuration(&[])))).await.unwrap().is_some());
}

#[tokio::test]
async fn a_certificate_rotates_with_the_generation_and_a_failure_keeps_the_one_before() {
    let answers = vec![
        Ok(Some(configuration(&[]))),
        Err(broken()),
        Err(unimplemented()),
        Ok(Some(configuration(&[]))),
    ];
    let source = Listed(Mutex::new(answers));
    let first = Arc::new(server_config(&configuration(&[])).unwrap());
    let (current, mut seen) = watch::channel(first);
    let (changes, generations) = watch::channel(None);
    let rotation = tokio::spawn(rotate(source, generations, current));
    // The first and the fourth generation have a certificate.
    for generation in 1..=4 {
        changes.send(Some(generation)).unwrap();
        if generation == 1 || generation == 4 {
            seen.changed().await.unwrap();
            seen.borrow_and_update();
        } else {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            assert!(!seen.has_changed().unwrap(), "{generation}");
        }
    }
    drop(changes);
    rotation.await.unwrap();
}
