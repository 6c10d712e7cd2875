//! What the dashboard is made of: its files, what a token allows, samples.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::{Value, json};

use crate::running::Running;

const TCP: [&str; 2] = ["--admin", "127.0.0.1:0"];

/// The head of an answer, and the names of the first events.
fn events(host: &Running, path: &str, wanted: usize) -> (String, Vec<(String, Value)>) {
    let mut stream = TcpStream::connect(host.address()).unwrap();
    // A sample comes every two seconds.
    stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    let (address, token) = (host.address(), host.token("admin.read-only.token"));
    let head =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let (mut found, mut name) = (Vec::new(), String::new());
    while found.len() < wanted {
        let line = lines.next().unwrap();
        if let Some(event) = line.strip_prefix("event: ") {
            event.clone_into(&mut name);
        } else if let Some(data) = line.strip_prefix("data: ") {
            found.push((name.clone(), serde_json::from_str(data).unwrap()));
        }
    }
    (head.join("\n"), found)
}

e2e! {
    async fn the_page_is_everybody_s_and_may_load_nothing_from_elsewhere() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let (status, text) = host.ask("GET", "/", &[], "");
        assert!(status == 200 && text.starts_with("<!doctype html>"), "{status} {text}");
        for path in ["/assets/main.js", "/assets/base.css", "/assets/favicon.svg"] {
            assert_eq!(host.ask("GET", path, &[], "").0, 200, "{path}");
        }
        for path in ["/access", "/assets/absent.js", "/assets/%2e%2e/events", "/events?samples=true"] {
            assert_eq!(host.ask("GET", path, &[], "").0, 401, "{path}");
        }
        // Heads are looked at as they are sent.
        let head = host.head("/");
        let policy = "content-security-policy: default-src 'none'; script-src 'self'; \
            style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
            form-action 'none'; frame-ancestors 'none'";
        assert!(head.contains(policy), "{head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        assert!(host.head("/assets/main.js").contains("text/javascript"), "a module has its type");
        for header in ["Origin: http://evil.example", "Host: evil.example"] {
            assert_eq!(host.ask("GET", "/", &[header], "").0, 403, "{header}");
        }
        host.ends();
    }

    async fn a_token_says_what_it_allows() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        for (file, access) in [("admin.token", "full"), ("admin.read-only.token", "read-only")] {
            let header = format!("Authorization: Bearer {}", host.token(file));
            let (status, text) = host.ask("GET", "/access", &[&header], "");
            let said: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((status, &said["access"]), (200, &json!(access)));
        }
        host.ends();
    }

    async fn samples_come_to_those_who_ask_for_them() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let (_, found) = events(&host, "/events?samples=true", 3);
        let names: Vec<&str> = found.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["status", "sample", "sample"]);
        let sample = &found[2].1["instances"]["helloworld"];
        assert_eq!((&sample["callsPerSecond"], &sample["inFlight"]), (&json!(0.0), &json!(0)));
        assert_eq!((&sample["errorShare"], &sample["p99Ms"]), (&Value::Null, &Value::Null));
        // Long enough for a sample, which does not come.
        assert!(host.outrigger(&["reload", "helloworld"]).status.success());
        let (_, found) = events(&host, "/events", 1);
        assert_eq!(found[0].0, "status");
        let status = &found[0].1[0];
        let since = status["servingSince"].as_str().unwrap();
        assert!(since >= status["stateSince"].as_str().unwrap() || status["generation"] == 2);
        host.ends();
    }

    async fn the_history_has_samples_and_what_happened() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let token = host.token("admin.read-only.token");
        let history = |params: Value| host.call(&token, "outrigger_history", params).1;
        eventually("there is a sample", || {
            let all = history(json!({}));
            !all["result"]["instances"]["helloworld"]["inFlight"].as_array().unwrap().is_empty()
        })
        .await;
        assert!(host.outrigger(&["reload", "helloworld"]).status.success());
        let one = history(json!({ "instance": "helloworld" }));
        let (result, own) = (&one["result"], &one["result"]["instances"]["helloworld"]);
        assert_eq!(result["everyMs"], 2_000);
        for column in ["callsPerSecond", "errorShare", "p50Ms", "p99Ms", "inFlight"] {
            let samples = own[column].as_array().unwrap().len();
            assert_eq!(samples, result["at"].as_array().unwrap().len(), "{column}");
        }
        let events = own["events"].as_array().unwrap();
        assert_eq!((&events[0]["kind"], &events[0]["state"]), (&json!("state"), &json!("ready")));
        let ready = events.iter().any(|event| event["kind"] == "ready" && event["generation"] == 2);
        assert!(ready && events.iter().all(|event| event["at"].is_string()), "{events:?}");
        let absent = history(json!({ "instance": "absent" }));
        assert_eq!(absent["error"]["code"], -32_001);
        host.ends();
    }
}
