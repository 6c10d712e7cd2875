//! Real clients over HTTP, WebSocket and TLS, and a fake security plugin.

use http::{HeaderMap, HeaderValue};
use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee::rpc_params;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::fake::Fake;
use crate::security::{Authenticator, AuthenticatorOptions, Caller};

/// Methods that say who calls, and one that fails.
fn methods() -> RpcModule<()> {
    let mut module = RpcModule::new(());
    module
        .register_method("eth_whoAmI", |_, (), extensions| {
            let caller = extensions.get::<Caller>();
            caller.map(|caller| caller.psi.clone().unwrap_or_else(|| "nobody".to_owned()))
        })
        .unwrap();
    module
        .register_method("eth_fail", |_, (), _| {
            Err::<(), _>(ErrorObjectOwned::owned(-32_000, "it failed", None::<()>))
        })
        .unwrap();
    module.register_method("net_version", |_, (), _| "1").unwrap();
    module.register_method("noseparator", |_, (), _| "1").unwrap();
    module
}

async fn start(fake: &Fake, multitenancy: bool, options: ServerOptions) -> Server {
    let authenticator = Authenticator::new(fake.clone(), AuthenticatorOptions::default());
    let layer = SecurityLayer::new(Arc::new(authenticator)).with_multitenancy(multitenancy);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, methods(), layer, options).unwrap()
}

fn granting() -> Fake {
    let fake = Fake::default();
    fake.grant("bearer eth", 600, &[("eth", "*", "psi://PS1")]);
    fake
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn http(server: &Server, pairs: &[(&'static str, &str)]) -> HttpClient {
    let builder = HttpClientBuilder::default().set_headers(headers(pairs));
    builder.build(format!("http://{}", server.address())).unwrap()
}

async fn ws(server: &Server, pairs: &[(&'static str, &str)]) -> WsClient {
    let builder = WsClientBuilder::default().set_headers(headers(pairs));
    builder.build(format!("ws://{}", server.address())).await.unwrap()
}

async fn stop(server: Server) {
    server.stop(Duration::from_secs(10)).await.unwrap();
}

/// Code and text of a refusal.
fn refusal(outcome: Result<String, Error>) -> (i32, String) {
    match outcome {
        Err(Error::Call(error)) => (error.code(), error.message().to_owned()),
        other => panic!("no refusal: {other:?}"),
    }
}

#[tokio::test]
async fn security_errors_have_a_code_of_their_own_and_others_keep_theirs() {
    let fake = granting();
    let server = start(&fake, false, ServerOptions::default()).await;
    let granted = http(&server, &[("authorization", "bearer eth")]);
    let call = |method| granted.request::<String, _>(method, rpc_params![]);
    assert_eq!(call("eth_whoAmI").await.unwrap(), "nobody");
    assert_eq!(refusal(call("eth_fail").await), (-32_000, "it failed".into()));
    let denied = (-32_001, "net_version - access denied".into());
    assert_eq!(refusal(call("net_version").await), denied);
    let alone = (-32_001, "noseparator - access denied".into());
    assert_eq!(refusal(call("noseparator").await), alone);

    let missing = http(&server, &[]).request("eth_whoAmI", rpc_params![]).await;
    assert_eq!(refusal(missing), (-32_001, "missing access token".into()));
    let empty = http(&server, &[("authorization", "")]);
    let empty = empty.request("eth_whoAmI", rpc_params![]).await;
    assert_eq!(refusal(empty), (-32_001, "missing access token".into()));
    let other = http(&server, &[("authorization", "bearer x")]);
    let refused = other.request("eth_whoAmI", rpc_params![]).await;
    assert_eq!(refusal(refused), (-32_001, "invalid access token".into()));
    fake.set_epoch(0);
    assert_eq!(refusal(call("eth_whoAmI").await), (-32_001, "internal error".into()));
    fake.set_epoch(2);
    assert_eq!(call("eth_whoAmI").await.unwrap(), "nobody");
    stop(server).await;
}

#[tokio::test]
async fn each_member_of_a_batch_is_authorised_and_one_request_is_one_judgement() {
    let fake = granting();
    let server = start(&fake, false, ServerOptions::default()).await;
    let client = http(&server, &[("authorization", "bearer eth")]);
    let mut batch = BatchRequestBuilder::new();
    for method in ["eth_whoAmI", "net_version", "eth_whoAmI", "eth_fail"] {
        batch.insert(method, rpc_params![]).unwrap();
    }
    let answers = client.batch_request::<String>(batch).await.unwrap();
    let answers: Vec<_> = answers.into_iter().map(|it| it.map_err(|error| error.code())).collect();
    let nobody = || Ok("nobody".to_owned());
    assert_eq!(answers, [nobody(), Err(-32_001), nobody(), Err(-32_000)]);
    assert_eq!((fake.asked(), fake.probed()), (1, 1));
    stop(server).await;
}

#[tokio::test]
async fn a_websocket_is_judged_once_and_again_when_the_generation_changes() {
    let fake = granting();
    let server = start(&fake, false, ServerOptions::default()).await;
    let client = ws(&server, &[("authorization", "bearer eth")]).await;
    let call = |method| client.request::<String, _>(method, rpc_params![]);
    for _ in 0..3 {
        assert_eq!(call("eth_whoAmI").await.unwrap(), "nobody");
    }
    assert_eq!(refusal(call("net_version").await).0, -32_001);
    assert_eq!(fake.asked(), 1);
    fake.set_epoch(0);
    assert_eq!(refusal(call("eth_whoAmI").await), (-32_001, "internal error".into()));
    fake.set_epoch(2);
    assert_eq!(call("eth_whoAmI").await.unwrap(), "nobody");
    assert_eq!(fake.asked(), 2);
    stop(server).await;
    client.on_disconnect().await;
}

#[tokio::test]
async fn a_websocket_whose_token_expires_is_refused_from_then_on() {
    let fake = Fake::default();
    fake.grant("bearer short", 1, &[("*", "*", "")]);
    let server = start(&fake, false, ServerOptions::default()).await;
    let client = ws(&server, &[("authorization", "bearer short")]).await;
    let expired = async {
        loop {
            let outcome = client.request::<String, _>("eth_whoAmI", rpc_params![]).await;
            if outcome.is_err() {
                return refusal(outcome);
            }
        }
    };
    let expired = tokio::time::timeout(Duration::from_secs(10), expired).await.unwrap();
    assert_eq!(expired, (-32_001, "token expired".into()));
    stop(server).await;
}

#[tokio::test]
async fn a_node_without_authentication_serves_everybody() {
    let fake = granting();
    fake.disable();
    let server = start(&fake, false, ServerOptions::default()).await;
    let client = http(&server, &[]);
    assert_eq!(client.request::<String, _>("net_version", rpc_params![]).await.unwrap(), "1");
    assert_eq!(fake.asked(), 0);
    stop(server).await;
}

#[tokio::test]
async fn with_multitenancy_a_caller_gets_the_private_state_that_its_token_grants() {
    let fake = granting();
    fake.grant("bearer none", 600, &[("eth", "*", "")]);
    fake.grant("bearer two", 600, &[("eth", "*", "psi://PS1"), ("eth", "*", "psi://PS2")]);
    let server = start(&fake, true, ServerOptions::default()).await;
    let who = |token: &'static str, psi: Option<&'static str>| {
        let mut pairs = vec![("authorization", token)];
        pairs.extend(psi.map(|psi| ("quorum-psi", psi)));
        let client = http(&server, &pairs);
        async move { client.request::<String, _>("eth_whoAmI", rpc_params![]).await }
    };
    assert_eq!(who("bearer eth", None).await.unwrap(), "PS1");
    assert_eq!(who("bearer two", Some("PS2")).await.unwrap(), "PS2");
    for (token, psi, text) in [
        ("bearer eth", Some("PS2"), "not authorized"),
        ("bearer none", None, "no private state identifiers found"),
        ("bearer two", None, "found multiple authorized private state identifiers"),
    ] {
        assert_eq!(refusal(who(token, psi).await), (-32_001, text.to_owned()));
    }
    stop(server).await;
}

#[tokio::test]
async fn over_tls_the_certificate_is_the_present_one_and_plain_text_gets_nothing() {
    let fake = granting();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let given = outrigger::security::TlsConfiguration::new(
        pair.cert.pem().into(),
        pair.signing_key.serialize_pem().into(),
        Vec::new(),
    );
    let config = Arc::new(tls::server_config(&given).unwrap());
    let (_current, current) = tokio::sync::watch::channel(config);
    let options = ServerOptions { tls: Some(current), ..ServerOptions::default() };
    let server = start(&fake, false, options).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pair.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_whoAmI"}"#;
    let answer = exchange(stream, body).await;
    assert!(answer.contains(r#""result":"nobody""#), "{answer}");
    let plain = exchange(TcpStream::connect(server.address()).await.unwrap(), body).await;
    assert!(!plain.contains("nobody"), "{plain}");
    stop(server).await;
}

/// One request with a token, and all that comes back.
async fn exchange(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    body: &str,
) -> String {
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: bearer eth\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _refused = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _cut_off = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn more_connections_than_allowed_are_closed_and_the_slots_come_back() {
    let fake = granting();
    let options = ServerOptions { connections: 1, ..ServerOptions::default() };
    let server = start(&fake, false, options).await;
    let client = ws(&server, &[("authorization", "bearer eth")]).await;
    let mut second = TcpStream::connect(server.address()).await.unwrap();
    let mut nothing = Vec::new();
    second.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty());
    drop(client);
    let again = async {
        loop {
            let client = http(&server, &[("authorization", "bearer eth")]);
            if client.request::<String, _>("eth_whoAmI", rpc_params![]).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.unwrap();
    stop(server).await;
}
