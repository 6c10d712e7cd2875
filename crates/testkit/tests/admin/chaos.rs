//! Chaos, over the API and by the command.

use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;

use crate::running::Running;

e2e! {
    async fn the_command_disturbs_a_plugin_of_a_host_that_allows_it() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &["--admin", "127.0.0.1:0", "--allow-chaos"]);
        let said = |arguments: &[&str]| {
            let output = host.outrigger(arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(said(&["chaos", "helloworld", "kill"]), "helloworld: it was killed\n");
        let generation = || host.json(&["status", "--json"])[0]["generation"].clone();
        eventually("it is back", || generation() == 2).await;
        said(&["chaos", "helloworld", "slow", "--milliseconds", "5", "--seconds", "2"]);
        said(&["chaos", "helloworld", "errors", "--share", "0.1", "--reason", "a test"]);
        said(&["chaos", "helloworld", "freeze", "--seconds", "0.1"]);
        assert_eq!(said(&["chaos", "helloworld", "none"]), "helloworld: it is left alone\n");
        let full = host.token("admin.token");
        let chaos = |params| host.call(&full, "outrigger_chaos", params).1["error"].clone();
        let one = |kind: &str| json!({ "instance": "helloworld", "kind": kind });
        for (key, value) in [("share", json!(0.5)), ("seconds", json!(-1)), ("x", json!(1))] {
            let mut params = one("slow");
            params[key] = value;
            assert_eq!(chaos(params)["code"], -32_602, "{key}");
        }
        assert_eq!(chaos(one("melt"))["code"], -32_602);
        let mut long = one("freeze");
        long["seconds"] = json!(61);
        let error = chaos(long);
        assert_eq!(error["code"], -32_000, "{error}");
        assert!(error["message"].as_str().unwrap().contains("60s at most"), "{error}");
        let look = host.token("admin.read-only.token");
        let (status, answer) = host.call(&look, "outrigger_chaos", one("kill"));
        assert_eq!((status, &answer["error"]["code"]), (403, &json!(-32_003)));
        assert_eq!(generation(), 2);
        host.ends();
        kit.assert_clean();
    }

    async fn a_host_that_was_not_started_for_it_refuses_and_says_how_to() {
        let kit = Kit::with("ok");
        let host = Running::on(&kit, &["--admin", "127.0.0.1:0"]);
        let params = json!({ "instance": "helloworld", "kind": "kill" });
        let (_, answer) = host.call(&host.token("admin.token"), "outrigger_chaos", params);
        assert_eq!(answer["error"]["code"], -32_005, "{answer}");
        let output = host.outrigger(&["chaos", "helloworld", "kill"]);
        assert_eq!(output.status.code(), Some(4));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("--allow-chaos"), "{text}");
        assert_eq!(host.json(&["status", "--json"])[0]["generation"], 1);
        host.ends();
    }
}
