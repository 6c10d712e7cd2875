//! Over TCP: who is let in, health and metrics.

use std::io::ErrorKind;
use std::net::TcpListener;

use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;

use crate::running::Running;

const TCP: [&str; 2] = ["--admin", "127.0.0.1:0"];

e2e! {
    async fn without_a_token_only_health_and_metrics_are_answered() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        for path in ["/livez", "/readyz", "/startupz", "/metrics"] {
            assert_eq!(host.ask("GET", path, &[], "").0, 200, "{path}");
        }
        for (method, path) in [("POST", "/"), ("GET", "/events"), ("GET", "/logs/helloworld")] {
            let (status, text) = host.ask(method, path, &[], "{}");
            assert!(status == 401 && text.contains("admin.token"), "{path}: {status} {text}");
        }
        let wrong = "0".repeat(64);
        assert_eq!(host.call(&wrong, "outrigger_status", json!({})).0, 401);
        host.ends();
        kit.assert_clean();
    }

    async fn a_token_that_may_look_cannot_act() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let (full, look) = (host.token("admin.token"), host.token("admin.read-only.token"));
        let (status, answer) = host.call(&look, "outrigger_status", json!({}));
        assert_eq!((status, &answer["result"][0]["state"]), (200, &json!("ready")));
        let one = json!({ "instance": "helloworld" });
        for method in ["outrigger_reload", "outrigger_stop", "outrigger_start"] {
            let (status, answer) = host.call(&look, method, one.clone());
            assert_eq!(status, 403, "{method}: {answer}");
        }
        let (_, answer) = host.call(&full, "outrigger_reload", one);
        assert_eq!(answer["result"], 2);
        host.ends();
    }

    async fn a_page_of_another_origin_and_a_name_that_leads_here_are_refused() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let token = format!("Authorization: Bearer {}", host.token("admin.token"));
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "outrigger_stop",
            "params": { "instance": "helloworld" } }).to_string();
        for header in ["Origin: http://evil.example", "Origin: null", "Host: evil.example"] {
            assert_eq!(host.ask("POST", "/", &[&token, header], &body).0, 403, "{header}");
            assert_eq!(host.ask("GET", "/metrics", &[header], "").0, 403, "{header}");
        }
        let (_, answer) = host.call(&host.token("admin.token"), "outrigger_status", json!({}));
        assert_eq!(answer["result"][0]["state"], "ready", "nobody stopped it");
        host.ends();
    }

    async fn what_cannot_be_understood_is_an_error_and_nothing_more() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        let full = host.token("admin.token");
        let token = format!("Authorization: Bearer {full}");
        for body in ["", "[]", "{", "{\"method\": 7}", "\u{0}", "null"] {
            assert_eq!(host.ask("POST", "/", &[&token], body).0, 400, "{body:?}");
        }
        assert_eq!(host.ask("POST", "/", &[&token], &"x".repeat(2_200_000)).0, 413);
        let (_, answer) = host.call(&full, "outrigger_absent", json!({}));
        assert_eq!(answer["error"]["code"], -32_601);
        for params in [json!({}), json!({ "instance": 7 }), json!({ "instance": "a", "x": 1 })] {
            let (_, answer) = host.call(&full, "outrigger_reload", params);
            assert_eq!(answer["error"]["code"], -32_602, "{answer}");
        }
        let (_, answer) = host.call(&full, "outrigger_stop", json!({ "instance": "../x" }));
        assert_eq!(answer["error"]["code"], -32_001, "{answer}");
        // By position too, as JSON-RPC has it.
        let (_, answer) = host.call(&full, "outrigger_crashes", json!(["helloworld"]));
        assert_eq!(answer["result"], json!([]));
        let (_, answer) = host.call(&full, "rpc.discover", json!([]));
        assert_eq!(answer["result"]["methods"][0]["name"], "outrigger_status");
        assert_eq!(host.ask("GET", "/absent", &[&token], "").0, 404);
        host.ends();
    }

    async fn readiness_says_which_plugin_is_ill_and_why() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("optional", "exit-before-handshake 5");
        kit.set("/providers/optional/required", json!(false));
        let host = Running::on(&kit, &TCP);
        let (status, text) = host.ask("GET", "/readyz", &[], "");
        assert!(status == 200 && text.contains("optional") && text.contains("exit code 5"), "{text}");
        assert!(host.outrigger(&["stop", "helloworld"]).status.success());
        let (status, text) = host.ask("GET", "/readyz", &[], "");
        assert!(status == 503 && text.contains("plugin `helloworld` is stopped"), "{text}");
        assert_eq!(host.ask("GET", "/livez", &[], "").0, 200);
        assert!(host.outrigger(&["start", "helloworld"]).status.success());
        eventually("it is ready", || host.ask("GET", "/readyz", &[], "").0 == 200).await;
        host.ends();
    }

    async fn metrics_show_each_plugin_in_prometheus_text() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &TCP);
        assert!(host.outrigger(&["reload", "helloworld"]).status.success());
        let (_, text) = host.ask("GET", "/metrics", &[], "");
        for line in [
            "outrigger_plugin_up{plugin=\"helloworld\"} 1",
            "outrigger_plugin_state{plugin=\"helloworld\",state=\"ready\"} 1",
            "outrigger_plugin_state{plugin=\"helloworld\",state=\"failed\"} 0",
            "outrigger_plugin_generation{plugin=\"helloworld\"} 2",
            "# TYPE outrigger_plugin_up gauge",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        host.ends();
    }

    async fn a_port_of_metrics_that_is_not_the_plugin_s_own_is_not_asked() {
        let anothers = TcpListener::bind("127.0.0.1:0").unwrap();
        anothers.set_nonblocking(true).unwrap();
        let port = anothers.local_addr().unwrap().port();
        let kit = Kit::with(&format!("own-metrics-anothers {port}"));
        let log = kit.path().join("log");
        let host = Running::logged(&kit, &TCP, &log);
        eventually("it is told", || {
            let log = std::fs::read_to_string(&log).unwrap();
            log.contains("not it alone listens") && log.contains(&port.to_string())
        })
        .await;
        assert_eq!(anothers.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        host.ends();
    }

    async fn a_plugin_s_own_metrics_are_shown_with_its_name_however_it_has_them() {
        let mut kit = Kit::with("own-metrics");
        kit.add_fixture("other", "own-metrics-port");
        kit.add_fixture("measured", "own-metrics-opentelemetry");
        kit.add_fixture("none", "ok");
        let host = Running::on(&kit, &TCP);
        let shown = || host.ask("GET", "/metrics", &[], "").1;
        eventually("all are shown", || {
            let text = shown();
            ["helloworld", "other", "measured"].iter().all(|plugin| {
                let line = format!("fixture_jobs_total{{plugin=\"{plugin}\",kind=\"a\"}} 3");
                text.lines().any(|found| found == line)
            })
        }).await;
        let text = shown();
        assert_eq!(text.matches("# TYPE fixture_jobs_total counter").count(), 1, "{text}");
        assert!(!text.contains("outrigger_plugin_up{plugin=\"helloworld\"} 7"), "{text}");
        assert!(!text.contains("outrigger_plugin_up 7"), "{text}");
        assert!(!text.contains("outrigger_plugin_up{plugin=\"measured\"} 7"), "{text}");
        for line in [
            "# TYPE fixture_load_ratio gauge",
            r#"fixture_load_ratio{plugin="measured",kind="a"} 0.5"#,
            "# HELP fixture_took_seconds How long a job took.",
            "# TYPE fixture_took_seconds histogram",
            r#"fixture_took_seconds_bucket{plugin="measured",path="a\"b\\c",le="0.5"} 1"#,
            r#"fixture_took_seconds_bucket{plugin="measured",path="a\"b\\c",le="2"} 2"#,
            r#"fixture_took_seconds_bucket{plugin="measured",path="a\"b\\c",le="+Inf"} 3"#,
            r#"fixture_took_seconds_sum{plugin="measured",path="a\"b\\c"} 8.25"#,
            r#"fixture_took_seconds_count{plugin="measured",path="a\"b\\c"} 3"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(host.outrigger(&["stop", "other"]).status.success());
        eventually("it is shown no more", || !shown().contains("plugin=\"other\",kind")).await;
        host.ends();
    }
}
