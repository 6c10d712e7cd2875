//! `outrigger run --rpc` with all four interfaces: the lines of the book, and
//! what an operator and an attacker would try.

use std::process::Command;
use std::sync::Arc;

use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use outrigger_testkit::hosted::Hosted;
use outrigger_testkit::quorum::QuorumKit;
use outrigger_testkit::{artifacts, e2e, harness};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

const TOKEN: &str = "bearer of all";

/// Four interfaces, and a certificate for the server.
struct Site {
    kit: QuorumKit,
}

impl Site {
    fn new() -> Self {
        let mut kit = QuorumKit::new();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (kit.kit.path().join("rpc.pem"), kit.kit.path().join("rpc.key"));
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let token = json!({ "expires": 4_000_000_000_u64, "authorities": [
            ["plugin@helloworld", "*", ""], ["plugin@account", "*", ""], ["admin", "*", ""],
        ] });
        let little = json!({ "expires": 4_000_000_000_u64, "authorities": [["net", "*", ""]] });
        kit.add("helloworld", json!({}));
        kit.add("account", json!({}));
        kit.add("qlighttokenmanager", json!({}));
        let config = json!({
            "tls": { "certificate": certificate, "key": key },
            "tokens": { TOKEN: token, "bearer of little": little },
        });
        kit.add("security", config);
        Self { kit }
    }

    fn served(&self) -> Running {
        Running::on(
            &self.kit,
            &["--rpc", "127.0.0.1:0", "--rpc.api", "admin,plugin@helloworld,plugin@account"],
        )
    }
}

struct Running {
    host: Hosted,
    url: String,
}

impl Running {
    fn on(kit: &QuorumKit, arguments: &[&str]) -> Self {
        let url = kit.kit.settings_url();
        let first = ["--plugins.skipverify", "--plugins", &url];
        Self::of(Hosted::run(&[first.as_slice(), arguments].concat()))
    }

    fn of(host: Hosted) -> Self {
        let url = host.ready["rpc"].as_str().unwrap_or_default().replace("127.0.0.1", "localhost");
        Self { host, url }
    }

    fn stop(self, site: &Site) {
        self.host.stop();
        site.kit.kit.assert_clean();
    }
}

/// The blocks of a page, by their language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    page.split(&start).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// Whether an answer is the expected one, where `…` stands for anything.
fn fits(expected: &Value, seen: &Value) -> bool {
    match (expected, seen) {
        (Value::Object(expected), Value::Object(seen)) => {
            let fits = |(key, value): (&String, &Value)| {
                seen.get(key).is_some_and(|other| fits(value, other))
            };
            expected.len() == seen.len() && expected.iter().all(fits)
        }
        (Value::String(expected), Value::String(seen)) => match expected.split_once('…') {
            Some((start, _)) => seen.starts_with(start),
            None => expected == seen,
        },
        _ => expected == seen,
    }
}

async fn ws(site: &Site, url: &str, token: Option<&str>) -> jsonrpsee::ws_client::WsClient {
    let pem = std::fs::read(site.kit.kit.path().join("rpc.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::pem::PemObject::pem_slice_iter(&pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
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
    if let Some(token) = token {
        headers.insert("authorization", token.parse().unwrap());
    }
    let builder = WsClientBuilder::default().set_headers(headers);
    builder.build_with_stream(url.replace("https", "ws"), stream).await.unwrap()
}

fn code(outcome: Result<Value, Error>) -> (i32, String) {
    match outcome {
        Err(Error::Call(error)) => (error.code(), error.message().to_owned()),
        other => panic!("no error: {other:?}"),
    }
}

e2e! {
    async fn the_curl_lines_of_the_book_give_the_answers_of_the_book() {
        let page = artifacts::repository().join("docs/quorum.md");
        let page = std::fs::read_to_string(page).unwrap();
        let commands: Vec<_> =
            blocks(&page, "sh").into_iter().filter(|it| it.starts_with("curl ")).collect();
        let answers = blocks(&page, "json");
        assert!(commands.len() == answers.len() && commands.len() >= 6, "{commands:?}");
        let site = Site::new();
        let running = site.served();
        for (command, answer) in commands.iter().zip(answers) {
            let output = Command::new("sh")
                .args(["-c", command])
                .env("RPC", &running.url)
                .env("TOKEN", TOKEN)
                .current_dir(site.kit.kit.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{command}: {output:?}");
            let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
            let expected: Value = serde_json::from_str(answer).unwrap();
            assert!(fits(&expected, &seen), "{command}\nexpected {expected}\nseen {seen}");
        }
        running.stop(&site);
    }

    async fn the_same_calls_go_over_a_websocket_that_was_authenticated_once() {
        let site = Site::new();
        let running = site.served();
        let client = ws(&site, &running.url, Some(TOKEN)).await;
        let greeting: String =
            client.request("plugin@helloworld_greeting", rpc_params!["Quorum"]).await.unwrap();
        assert_eq!(greeting, "Hello Quorum!");
        let made: Value = client
            .request("plugin@account_newAccount", rpc_params![json!({ "b": 1.0, "a": "<" })])
            .await
            .unwrap();
        assert!(made["address"].as_str().unwrap().starts_with("0x"), "{made}");
        let (_, config) = site.kit.calls("account").pop().unwrap();
        assert_eq!(config["config"], r#"{"a":"\u003c","b":1}"#, "as GoQuorum writes it");
        let info: Value = client.request("admin_nodeInfo", rpc_params![]).await.unwrap();
        assert_eq!(info["plugins"]["account"]["name"], "quorum");
        assert!(info["plugins"]["account"]["executable"][0].as_str().unwrap().ends_with("/run"));
        let judged = site.kit.calls("security").into_iter();
        let judged = judged.filter(|(_, with)| with["token"] == TOKEN).count();
        assert_eq!(judged, 1);
        drop(client);

        let nobody = ws(&site, &running.url, None).await;
        let refused = nobody.request("plugin@helloworld_greeting", rpc_params!["x"]).await;
        assert_eq!(code(refused), (-32_001, "missing access token".into()));
        let little = ws(&site, &running.url, Some("bearer of little")).await;
        let refused = little.request("plugin@helloworld_greeting", rpc_params!["x"]).await;
        let denied = "plugin@helloworld_greeting - access denied";
        assert_eq!(code(refused), (-32_001, denied.into()));
        drop((nobody, little));
        running.stop(&site);
    }

    async fn wrong_parameters_are_refused_in_goquorum_s_words_and_never_shown() {
        let site = Site::new();
        let running = site.served();
        let client = ws(&site, &running.url, Some(TOKEN)).await;
        let key = "plugin@account_importRawKey";
        let secret = "zz".repeat(32);
        for (outcome, expected) in [
            (client.request(key, rpc_params![]).await, (-32_602, "missing value for required argument 0")),
            (client.request(key, rpc_params!["aaaaaa"]).await, (-32_602, "missing value for required argument 1")),
            (client.request(key, rpc_params![7, json!({})]).await, (-32_602, "invalid argument 0")),
            (
                client.request(key, rpc_params!["aaaaaa", json!({})]).await,
                (-32_000, "invalid length, need 256 bits"),
            ),
            (
                client.request(key, rpc_params![&secret, json!({})]).await,
                (-32_000, "invalid hex character 'z' in private key"),
            ),
        ] {
            assert_eq!(code(outcome), (expected.0, expected.1.to_owned()));
        }
        for method in ["plugin@security_authenticate", "plugin@qlighttokenmanager_tokenRefresh"] {
            let refused: Result<Value, _> = client.request(method, rpc_params![]).await;
            assert_eq!(code(refused).0, -32_001, "nothing grants {method}");
        }
        // The token grants all of the namespace, which has the making of accounts alone.
        for method in ["sign", "unlockAndSign", "accounts", "open"] {
            let method = format!("plugin@account_{method}");
            let absent: Result<Value, _> = client.request(&method, rpc_params![]).await;
            assert_eq!(code(absent).0, -32_601, "{method}");
        }
        drop(client);
        running.stop(&site);
    }

    async fn when_the_security_plugin_dies_nobody_is_let_in_until_it_is_back() {
        let site = Site::new();
        let running = site.served();
        let client = ws(&site, &running.url, Some(TOKEN)).await;
        let greet = || client.request::<String, _>("plugin@helloworld_greeting", rpc_params!["x"]);
        assert_eq!(greet().await.unwrap(), "Hello x!");
        let starts = || {
            site.kit.calls("security").iter().filter(|(method, _)| method == "Init").count()
        };
        assert_eq!(starts(), 1);
        let below = outrigger_testkit::census::descendants_of(running.host.pid());
        for process in below.iter().filter(|it| it.command.contains("outrigger-quorum-plugin")) {
            // All four: each interface is a process of its own.
            kill_process(Pid::from_raw(process.pid).unwrap(), Signal::KILL).unwrap();
        }
        harness::eventually("the security plugin is back", || starts() == 2).await;
        let served = async {
            while greet().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), served).await.unwrap();
        let judged = site.kit.calls("security").into_iter();
        assert!(judged.filter(|(_, with)| with["token"] == TOKEN).count() >= 2, "judged anew");
        drop(client);
        running.stop(&site);
    }

    async fn what_settings_add_and_drop_is_served_guarded_and_gone_at_once() {
        let mut kit = QuorumKit::with("helloworld", json!({}));
        let mut running = Running::on(&kit, &["--rpc", "127.0.0.1:0"]);
        let url = running.url.replace("http", "ws");
        let client = WsClientBuilder::default().build(url).await.unwrap();
        let greet = || client.request::<Value, _>("plugin@helloworld_greeting", rpc_params!["x"]);
        let make = || client.request::<Value, _>("plugin@account_newAccount", rpc_params![json!({})]);
        assert_eq!(greet().await.unwrap(), "Hello x!");
        assert_eq!(code(make().await).0, -32_601, "no account plugin yet");

        kit.add("account", json!({}));
        running.host.hang_up();
        assert!(make().await.unwrap()["address"].is_string());
        kit.add("security", json!({ "tokens": {} }));
        running.host.hang_up();
        let refused = greet().await;
        assert_eq!(code(refused), (-32_001, "missing access token".into()));
        kit.kit.set("/providers/security", Value::Null);
        running.host.hang_up();
        assert_eq!(code(greet().await).0, -32_001, "nobody is let in by dropping the guard");
        drop(client);
        running.host.stop();
        kit.kit.assert_clean();
    }

    async fn multitenancy_needs_the_security_plugin() {
        let kit = QuorumKit::with("helloworld", json!({}));
        let output = Command::new(artifacts::command())
            .args(["run", "--plugins.skipverify", "--rpc", "127.0.0.1:0", "--multitenancy"])
            .args(["--plugins", &kit.kit.settings_url()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("multitenancy requires RPC Security Plugin to be configured"), "{error}");
        assert!(kit.calls("helloworld").is_empty(), "nothing was started");
    }

    async fn a_security_plugin_whose_tls_is_broken_keeps_the_server_from_listening() {
        let mut site = Site::new();
        std::fs::write(site.kit.kit.path().join("rpc.key"), "no key").unwrap();
        site.kit.kit.set("/providers/security/required", json!(true));
        let output = Command::new(artifacts::command())
            .args(["run", "--plugins.skipverify", "--rpc", "127.0.0.1:0"])
            .args(["--plugins", &site.kit.kit.settings_url()])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("the TLS key of the security plugin is not PEM"), "{error}");
        site.kit.kit.assert_clean();
    }

    async fn secrets_are_in_no_answer_and_in_no_log() {
        let mut site = Site::new();
        let marker = "hunter2-marker";
        site.kit.kit.set("/providers/helloworld/config/greeting", json!("Hello"));
        site.kit.kit.set("/providers/account/config/keys", json!(["46".repeat(32)]));
        let log = std::fs::File::create(site.kit.kit.path().join("log")).unwrap();
        let mut command = Command::new(artifacts::command());
        command
            .args(["run", "--json", "--plugins.skipverify", "--rpc", "127.0.0.1:0"])
            .args(["--rpc.api", "admin,plugin@account", "--plugins", &site.kit.kit.settings_url()])
            .env("OUTRIGGER_LOG", "trace")
            .stderr(log);
        let running = Running::of(Hosted::start(command));
        let token = format!("bearer {marker}");
        let client = ws(&site, &running.url, Some(&token)).await;
        let refused: Result<Value, _> = client.request("admin_nodeInfo", rpc_params![]).await;
        assert_eq!(code(refused), (-32_001, "invalid access token".into()));
        let good = ws(&site, &running.url, Some(TOKEN)).await;
        let key = "51".repeat(32);
        let made: Value =
            good.request("plugin@account_importRawKey", rpc_params![&key, json!({})]).await.unwrap();
        let info: Value = good.request("admin_nodeInfo", rpc_params![]).await.unwrap();
        drop((client, good));
        running.stop(&site);
        let log = std::fs::read_to_string(site.kit.kit.path().join("log")).unwrap();
        for secret in [marker, TOKEN, key.as_str(), "46".repeat(32).as_str()] {
            assert!(!made.to_string().contains(secret) && !info.to_string().contains(secret));
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in the log");
        }
    }
}
