//! Real web tokens, a real key set, a real certificate.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger::GatewayError;
use outrigger::security::{
    AuthenticationManager as _, GrantedAuthority, Handle, TlsConfiguration,
    TlsConfigurationSource as _,
};
use outrigger_testkit::e2e;
use outrigger_testkit::oauth::{KeySet, Signer, claims, expired};
use outrigger_testkit::quorum_programs::Language;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{IDENTITY, Setting};

const INTERFACE: &str = "security";
const HOUR: Duration = Duration::from_secs(3600);

fn validation(keys: &KeySet) -> Value {
    json!({ "tokenValidation": { "jws": { "endpoint": keys.url() } } })
}

/// What a token was refused with.
async fn refused(handle: &Handle, header: &str) -> String {
    match handle.authenticate(header.as_bytes()).await.unwrap_err() {
        GatewayError::Refused { code, message, .. } => format!("{code:?}: {message}"),
        other => panic!("{other:?}"),
    }
}

fn granted(service: &str, method: &str, raw: &str) -> GrantedAuthority {
    GrantedAuthority { service: service.into(), method: method.into(), raw: raw.into() }
}

async fn judges_tokens(language: Language) {
    let (es, rs) = (Signer::es256("es"), Signer::rs256("rs"));
    let keys = KeySet::start(&[&es, &rs]).await;
    let Some(setting) = Setting::new(INTERFACE, language, &validation(&keys)) else { return };
    let (host, handle) = setting.start::<Handle>().await;
    assert!(handle.is_enabled().await.unwrap());
    assert!(matches!(handle.get().await.unwrap_err(), GatewayError::Unimplemented { .. }));

    let scope = "rpc://eth_* rpc://admin.nodeInfo rpc://net rpc://_call rpc:// rpc://plugin@helloworld_* p2p://qlight psi://PS1?x=1";
    let good = claims(IDENTITY, scope, HOUR);
    let expected = [
        granted("eth", "*", "rpc://eth_*"),
        granted("admin", "nodeInfo", "rpc://admin.nodeInfo"),
        granted("net", "*", "rpc://net"),
        granted("*", "call", "rpc://_call"),
        granted("*", "*", "rpc://"),
        // As GoQuorum's security plugin has it: a user, and a host.
        granted("helloworld", "*", "rpc://plugin@helloworld_*"),
        granted("", "", "p2p://qlight"),
        granted("", "", "psi://PS1?x=1"),
    ];
    for signer in [&es, &rs] {
        let header = signer.bearer(&good);
        let token = handle.authenticate(header.as_bytes()).await.unwrap();
        assert_eq!(token.raw_token, header.as_bytes());
        let left = token.expires_at.unwrap().duration_since(SystemTime::now()).unwrap();
        assert!(left <= HOUR && left > HOUR / 2, "{left:?}");
        assert_eq!(token.authorities, expected);
    }
    let mut list = good.clone();
    list["scope"] = json!(["rpc://eth_call"]);
    let token = handle.authenticate(es.bearer(&list).as_bytes()).await.unwrap();
    assert_eq!(token.authorities, [granted("eth", "call", "rpc://eth_call")]);

    let mut issued_elsewhere = good.clone();
    issued_elsewhere["iss"] = json!("http://example.com/");
    let mut endless = good.clone();
    endless["exp"].take();
    let unsigned = es.bearer(&good);
    let unsigned = unsigned.rsplit_once('.').unwrap().0;
    for (header, code) in [
        (es.bearer(&expired(good.clone())), "PermissionDenied: "),
        (es.bearer(&claims("another-node", scope, HOUR)), "PermissionDenied: "),
        (es.bearer(&issued_elsewhere), "PermissionDenied: "),
        (es.bearer(&endless), "PermissionDenied: "),
        // A key that says it is the one in the set, and one that nobody knows.
        (Signer::es256("es").bearer(&good), "PermissionDenied: "),
        (Signer::rs256("unknown").bearer(&good), "PermissionDenied: "),
        (format!("{unsigned}."), "PermissionDenied: "),
        ("Bearer x".to_owned(), "PermissionDenied: "),
        (
            "Basic eDp5".to_owned(),
            "InvalidArgument: invalid token type [Basic], expected BEARER token",
        ),
        ("x".to_owned(), "InvalidArgument: invalid token format"),
        (String::new(), "InvalidArgument: invalid token format"),
    ] {
        let seen = refused(&handle, &header).await;
        assert!(seen.starts_with(code), "{header}: {seen}");
    }

    // The authorisation server has other keys; and the config, another server.
    keys.rotate(&[&rs]);
    assert!(refused(&handle, &es.bearer(&good)).await.starts_with("PermissionDenied: "));
    let other = KeySet::start(&[&es]).await;
    setting.configure(&validation(&other));
    host.reload(INTERFACE).await.unwrap();
    handle.authenticate(es.bearer(&good).as_bytes()).await.unwrap();
    assert!(refused(&handle, &rs.bearer(&good)).await.starts_with("PermissionDenied: "));
    assert!(other.asked() >= 2);
    setting.stop(host).await;
}

/// A TLS server with what the plugin handed out talks with a client that
/// trusts the certificate.
async fn serves(tls: &TlsConfiguration) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(&tls.certificate_pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&tls.key_pem).unwrap();
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (near, far) = tokio::io::duplex(1 << 14);
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let connector = TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from("localhost").unwrap();
    let (accepted, connected) = tokio::join!(acceptor.accept(near), connector.connect(name, far));
    let (mut accepted, mut connected) = (accepted.unwrap(), connected.unwrap());
    accepted.write_all(b"hello").await.unwrap();
    accepted.flush().await.unwrap();
    let mut heard = [0; 5];
    connected.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
}

/// Writes a certificate and its key.
pub(crate) fn write_certificate(directory: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

async fn hands_out_certificates(language: Language) {
    let Some(setting) = Setting::new(INTERFACE, language, &json!({})) else { return };
    let files = setting.kit.path().to_owned();
    let config = |suites: Value| {
        json!({ "tls": {
            "certFile": files.join("cert.pem"),
            "keyFile": files.join("key.pem"),
            "advanced": suites,
        } })
    };
    setting.configure(&config(json!({})));
    let error = setting.refusal().await;
    assert!(error.contains("cert file [") && error.contains("does not exist"), "{error}");

    write_certificate(&files);
    let (host, handle) = setting.start::<Handle>().await;
    assert!(!handle.is_enabled().await.unwrap(), "no tokens are validated");
    let first = handle.get().await.unwrap().unwrap();
    assert_eq!(first.cipher_suites, [0xc030, 0xc02c, 0xc014, 0xc00a], "GoQuorum's default");
    serves(&first).await;

    // Exchanged files need no reload; another list of suites does.
    write_certificate(&files);
    let second = handle.get().await.unwrap().unwrap();
    assert_ne!(second.certificate_pem, first.certificate_pem);
    serves(&second).await;
    let suites = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    setting.configure(&config(json!({ "cipherSuites": suites })));
    host.reload(INTERFACE).await.unwrap();
    assert_eq!(handle.get().await.unwrap().unwrap().cipher_suites, [0xc02b]);

    std::fs::remove_file(files.join("key.pem")).unwrap();
    let error = handle.get().await.unwrap_err();
    assert!(matches!(error, GatewayError::Refused { .. }), "{error:?}");
    setting.stop(host).await;
}

async fn refuses_configs(language: Language) {
    let Some(setting) = Setting::new(INTERFACE, language, &json!({})) else { return };
    for (config, text) in [
        (json!({}), "block must be configured"),
        (json!({ "tokenValidation": {} }), "missing introspect/jws configuration"),
    ] {
        setting.configure(&config);
        let error = setting.refusal().await;
        assert!(error.contains(text), "{error}");
    }
    setting.kit.assert_clean();
}

async fn needs_an_identity(language: Language) {
    let config = json!({ "tokenValidation": { "jws": { "endpoint": "http://127.0.0.1:1/" } } });
    let Some(setting) = Setting::new(INTERFACE, language, &config) else { return };
    let nobody = setting.builder().identity("").register().unwrap().start().await;
    let error = nobody.unwrap_err().to_string();
    assert!(error.contains("missing geth node name"), "{error}");
    setting.kit.assert_clean();
}

async fn lets_nobody_in_without_keys(language: Language) {
    let nobody = json!({ "tokenValidation": { "jws": { "endpoint": "http://127.0.0.1:1/" } } });
    let Some(setting) = Setting::new(INTERFACE, language, &nobody) else { return };
    let (host, handle) = setting.start::<Handle>().await;
    assert!(handle.is_enabled().await.unwrap());
    let header = Signer::es256("one").bearer(&claims(IDENTITY, "rpc://", HOUR));
    let seen = refused(&handle, &header).await;
    assert!(seen.starts_with("PermissionDenied: "), "{seen}");
    setting.stop(host).await;
}

e2e! {
    async fn a_go_security_plugin_whose_key_set_is_away_lets_nobody_in() {
        lets_nobody_in_without_keys(Language::Go).await;
    }

    async fn a_java_security_plugin_whose_key_set_is_away_lets_nobody_in() {
        lets_nobody_in_without_keys(Language::Java).await;
    }

    async fn a_go_security_plugin_judges_real_tokens_by_a_real_key_set() {
        judges_tokens(Language::Go).await;
    }

    async fn a_java_security_plugin_judges_real_tokens_by_a_real_key_set() {
        judges_tokens(Language::Java).await;
    }

    async fn a_go_security_plugin_s_certificate_serves_under_rustls() {
        hands_out_certificates(Language::Go).await;
    }

    async fn a_java_security_plugin_s_certificate_serves_under_rustls() {
        hands_out_certificates(Language::Java).await;
    }

    async fn a_go_security_plugin_makes_a_certificate_where_there_is_none() {
        let Some(setting) = Setting::new(INTERFACE, Language::Go, &json!({})) else { return };
        let files = setting.kit.path().to_owned();
        let file = |name: &str| files.join(name);
        let tls = json!({ "auto": true, "certFile": file("made.pem"), "keyFile": file("made.key") });
        setting.configure(&json!({ "tls": tls }));
        let (host, handle) = setting.start::<Handle>().await;
        let made = handle.get().await.unwrap().unwrap();
        serves(&made).await;
        assert_eq!(handle.get().await.unwrap().unwrap(), made, "it is made once");
        setting.stop(host).await;
    }

    async fn a_go_security_plugin_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Go).await;
    }

    async fn a_java_security_plugin_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Java).await;
    }
    async fn a_go_security_plugin_that_judges_tokens_needs_the_node_s_identity() {
        needs_an_identity(Language::Go).await;
    }

    async fn a_java_security_plugin_that_judges_tokens_needs_the_node_s_identity() {
        needs_an_identity(Language::Java).await;
    }
}
