//! `outrigger run` as an operator of GoQuorum's runs it: one settings file with
//! all four interfaces, zips signed by the command, real tokens, a real
//! certificate, calls by curl and over a WebSocket.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use outrigger_testkit::hosted::Hosted;
use outrigger_testkit::kit::{Kit, VERSION};
use outrigger_testkit::oauth::{KeySet, Signer, claims, expired};
use outrigger_testkit::quorum_programs::{Language, Names, Program};
use outrigger_testkit::{artifacts, e2e};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::IDENTITY;
use crate::security::write_certificate;

const HOUR: Duration = Duration::from_secs(3600);
/// Of `plugin@helloworld` what is before the `@` would be read as a user.
const SCOPE: &str = "rpc://_greeting rpc://_newAccount rpc://_importRawKey rpc://admin_*";

fn outrigger(arguments: &[&str], directory: &Path) {
    let mut command = Command::new(artifacts::command());
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The four plugins, signed, with what they ask on loopback.
struct Site {
    kit: Kit,
    keys: KeySet,
    signer: Signer,
}

impl Site {
    async fn new(language: Language) -> Option<Self> {
        let programs = Program::all(language)?;
        let mut kit = Kit::new();
        let signer = Signer::es256("one");
        let keys = KeySet::start(&[&signer]).await;
        for (number, program) in programs.iter().enumerate() {
            let zip = program.pack(&kit.base_dir(), Names::New);
            let sign = ["sign", zip.to_str().unwrap(), "--key", "key.asc", "--generate", "tests"];
            outrigger(&sign[..if number == 0 { 6 } else { 4 }], kit.path());
            let definition = json!({ "name": program.package, "version": VERSION });
            kit.set(&format!("/providers/{}", program.interface), definition);
        }
        std::fs::rename(kit.path().join("key.asc.pub"), kit.base_dir().join("gpg.key")).unwrap();
        write_certificate(kit.path());
        let file = |name: &str| kit.path().join(name);
        let security = json!({
            "tls": { "certFile": file("cert.pem"), "keyFile": file("key.pem") },
            "tokenValidation": { "jws": { "endpoint": keys.url() } },
        });
        let directory = format!("file://{}", file("keys").display());
        std::fs::write(file("hello.json"), r#"{"language":"en"}"#).unwrap();
        let hello = format!("file://{}", file("hello.json").display());
        let tokens = json!({ "URL": "http://127.0.0.1:1/", "Method": "POST" });
        kit.set("/providers/security/config", security);
        kit.set("/providers/account/config", json!({ "accountDirectory": directory }));
        kit.set("/providers/helloworld/config", json!(hello));
        kit.set("/providers/qlighttokenmanager/config", tokens);
        Some(Self { kit, keys, signer })
    }

    fn run(&self) -> Running {
        let host = Hosted::run(&[
            "--plugins.localverify",
            "--identity",
            IDENTITY,
            "--rpc",
            "127.0.0.1:0",
            "--rpc.api",
            "admin,plugin@helloworld,plugin@account",
            "--plugins",
            &self.kit.settings_url(),
        ]);
        let url = host.ready["rpc"].as_str().unwrap().replace("127.0.0.1", "localhost");
        Running { host, url }
    }

    /// One call by curl, with a header or without.
    fn call(
        &self,
        url: &str,
        authorization: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let mut curl = Command::new("curl");
        curl.args(["-s", "--cacert", "cert.pem", "-H", "Content-Type: application/json"]);
        if let Some(token) = authorization {
            curl.args(["-H", &format!("Authorization: {token}")]);
        }
        let output =
            curl.args(["-d", &body.to_string(), url]).current_dir(self.kit.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    async fn ws(&self, url: &str, token: &str) -> WsClient {
        let pem = std::fs::read(self.kit.path().join("cert.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = url.trim_start_matches("https://");
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", token.parse().unwrap());
        let builder = WsClientBuilder::default().set_headers(headers);
        builder.build_with_stream(url.replace("https", "wss"), stream).await.unwrap()
    }
}

struct Running {
    host: Hosted,
    url: String,
}

impl Running {
    fn stop(self, kit: &Kit) {
        self.host.stop();
        kit.assert_clean();
    }
}

async fn serves_a_node(language: Language, greeting: [&str; 2]) {
    let Some(site) = Site::new(language).await else { return };
    let running = site.run();
    let good = site.signer.bearer(&claims(IDENTITY, SCOPE, HOUR));
    let call = |token: Option<&str>, method: &str, parameters: Value| {
        site.call(&running.url, token, method, parameters)
    };
    let greeted = call(Some(&good), "plugin@helloworld_greeting", json!(["Quorum"]));
    assert_eq!(greeted["result"], greeting[0], "{greeted}");
    let made = call(Some(&good), "plugin@account_newAccount", json!([{ "secretName": "one" }]));
    let made = &made["result"];
    assert!(made["address"].as_str().unwrap().starts_with("0x"), "{made}");
    let url = format!("file://{}", site.kit.path().join("keys/one.key").display());
    assert_eq!(made["url"], json!(url), "{made}");
    let key = "46".repeat(32);
    let imported =
        call(Some(&good), "plugin@account_importRawKey", json!([key, { "secretName": "two" }]));
    let address = "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";
    assert_eq!(imported["result"]["address"], address, "{imported}");

    // What a reload reads anew is effective; who was connected stays connected.
    let client = site.ws(&running.url, &good).await;
    let greet = || client.request::<String, _>("plugin@helloworld_greeting", rpc_params!["Quorum"]);
    assert_eq!(greet().await.unwrap(), greeting[0]);
    std::fs::write(site.kit.path().join("hello.json"), r#"{"language":"es"}"#).unwrap();
    let reloaded = call(Some(&good), "admin_reloadPlugin", json!(["HelloWorld"]));
    assert_eq!(reloaded["result"], true, "{reloaded}");
    assert_eq!(greet().await.unwrap(), greeting[1]);
    drop(client);

    let refusal = |token: Option<&str>| {
        let refused = call(token, "plugin@helloworld_greeting", json!(["x"]));
        let error = &refused["error"];
        assert_eq!(error["code"], -32_001, "{refused}");
        error["message"].as_str().unwrap().to_owned()
    };
    let bearer = |claims: &Value| site.signer.bearer(claims);
    assert_eq!(refusal(None), "missing access token");
    for token in [
        bearer(&expired(claims(IDENTITY, SCOPE, HOUR))),
        bearer(&claims("another-node", SCOPE, HOUR)),
        Signer::es256("one").bearer(&claims(IDENTITY, SCOPE, HOUR)),
    ] {
        assert_eq!(refusal(Some(&token)), "invalid access token");
    }
    let little = bearer(&claims(IDENTITY, "rpc://eth_*", HOUR));
    assert_eq!(refusal(Some(&little)), "plugin@helloworld_greeting - access denied");
    let client = site.ws(&running.url, &little).await;
    let refused = client.request::<String, _>("plugin@helloworld_greeting", rpc_params!["x"]).await;
    assert!(matches!(&refused, Err(Error::Call(error)) if error.code() == -32_001), "{refused:?}");
    drop(client);
    assert!(site.keys.asked() > 0);
    running.stop(&site.kit);
}

e2e! {
    async fn outrigger_run_serves_a_node_on_four_go_plugins_with_real_tokens() {
        serves_a_node(Language::Go, ["Hello Quorum!", "Hola Quorum!"]).await;
    }

    async fn outrigger_run_serves_a_node_on_four_java_plugins_with_real_tokens() {
        serves_a_node(Language::Java, ["Hello Quorum", "Hola Quorum"]).await;
    }
}
