//! What the page shows, as it comes about.

use outrigger_testkit::e2e;
use serde_json::json;

use crate::driven::{play, play_well};
use crate::site::Site;

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

e2e! {
    async fn the_page_shows_a_plugin_and_its_calls_and_asks_nobody_else() {
        let mut site = Site::new().await.with_calls();
        if let Some(seen) = play_well(&mut site, "load").await {
            assert_eq!(seen["headline"], "The plugin serves");
            assert!(text(&seen["p99"]).ends_with('s'), "{seen}");
            assert!(text(&seen["uptime"]).ends_with(" s"), "{seen}");
            assert_eq!(seen["sandbox"], "compat");
            let phases = json!(["verify", "unpack", "launch", "handshake", "initialise"]);
            assert_eq!(seen["phases"], phases);
            let facts = text(&seen["facts"]);
            assert!(facts.contains("mutual TLS") && facts.contains("Generation\n1"), "{facts}");
        }
        site.ends().await;
    }

    async fn a_death_is_seen_as_it_happens_with_its_report() {
        let mut site = Site::new().await.with_calls();
        if let Some(seen) = play_well(&mut site, "kill").await {
            assert!(text(&seen["events"]).contains("generation 1"), "{seen}");
            assert!(text(&seen["report"]).contains("signal 9"), "{seen}");
            assert_eq!(seen["failures"], "1");
        }
        site.ends().await;
    }

    async fn a_log_is_followed_live_and_markup_in_it_stays_text() {
        let mut site = Site::that_logs().await;
        if let Some(seen) = play_well(&mut site, "logs").await {
            assert_eq!(seen["line"], "<img src=x onerror=globalThis.made=1><b>bold</b>");
            assert_eq!((&seen["markup"], &seen["made"]), (&json!(0), &json!(null)));
            assert_eq!(seen["paused"], "paused, 1 new");
            assert_eq!(seen["visible"], 0, "no line is an error");
        }
        site.ends().await;
    }

    async fn a_token_is_asked_for_and_a_wrong_one_refused_and_one_that_looks_cannot_act() {
        let mut site = Site::new().await;
        if let Some(seen) = play(&mut site, "token").await {
            assert_eq!(seen["rows"], 0, "nothing is shown before");
            assert!(text(&seen["said"]).contains("refused"), "{seen}");
            assert_eq!((&seen["looking"], &seen["opened"]), (&json!(0), &json!(0)));
            assert_eq!(seen["acting"], 3);
            assert_eq!(seen["stored"], json!([1, 0]), "it is kept for the tab alone");
        }
        site.ends().await;
    }

    async fn the_page_survives_its_host_and_asks_for_the_next_one_s_token() {
        let mut site = Site::new().await;
        if let Some(seen) = play(&mut site, "restart").await {
            assert!(text(&seen["notice"]).starts_with("Disconnected, trying again"), "{seen}");
            assert_eq!(seen["kept"], 1, "what was known is still shown");
            assert!(text(&seen["why"]).contains("started again"), "{seen}");
            assert_eq!((&seen["rows"], &seen["noticed"]), (&json!(2), &json!(0)));
        }
        site.ends().await;
    }
}
