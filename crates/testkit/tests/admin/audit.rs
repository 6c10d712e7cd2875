//! What is written down of whatever changes something.

use std::path::Path;

use outrigger_testkit::e2e;
use outrigger_testkit::kit::Kit;
use serde_json::{Value, json};

use crate::running::Running;

/// What was written down, as `message` and its fields.
fn audited(log: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(log).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audited = lines.filter(|line| line["target"] == "outrigger::audit");
    audited.map(|mut line| line["fields"].take()).collect()
}

e2e! {
    async fn who_changed_what_and_what_came_of_it_is_written_down() {
        let kit = Kit::with("ok");
        let log = kit.path().join("log");
        let host = Running::logged(&kit, &["--admin", "127.0.0.1:0"], &log);
        let (full, look) = (host.token("admin.token"), host.token("admin.read-only.token"));
        let (stop, absent) = (json!({ "instance": "helloworld", "reason": "noon" }), json!({ "instance": "absent" }));
        let (status, refused) = host.call(&look, "outrigger_stop", stop.clone());
        assert_eq!((status, &refused["error"]["code"]), (403, &json!(-32003)));
        host.call(&full, "outrigger_stop", stop);
        host.call(&full, "outrigger_reload", absent);
        host.call(&full, "outrigger_status", json!({}));
        assert!(host.outrigger(&["start", "helloworld", "--reason", "one\nline"]).status.success());
        let told = audited(&log);
        let short: Vec<[&str; 3]> = told
            .iter()
            .map(|line| ["message", "method", "by"].map(|key| line[key].as_str().unwrap_or("-")))
            .collect();
        let expected = [
            ["refused: the token may only look", "outrigger_stop", "read-only token"],
            ["asked for", "outrigger_stop", "token"],
            ["done", "outrigger_stop", "token"],
            ["asked for", "outrigger_reload", "token"],
            ["not done", "outrigger_reload", "token"],
            ["asked for", "outrigger_start", "socket"],
            ["done", "outrigger_start", "socket"],
        ];
        assert_eq!(short, expected);
        assert_eq!(told[1]["params"], r#"{"instance":"helloworld","reason":"noon"}"#);
        assert!(told[1]["from"].as_str().unwrap().starts_with("127.0.0.1:"), "{told:?}");
        assert!(told[4]["error"].as_str().unwrap().contains("absent"), "{told:?}");
        assert_eq!((&told[5]["from"], told[5]["params"].as_str().unwrap().lines().count()), (&json!("-"), 1));
        host.ends();
    }
}
