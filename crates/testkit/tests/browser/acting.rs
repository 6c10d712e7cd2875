//! What is done from the page.

use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;

use crate::driven::play_well;
use crate::site::Site;

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

e2e! {
    async fn a_reload_is_confirmed_and_says_which_generation_serves() {
        let mut site = Site::new().await.with_calls();
        if let Some(seen) = play_well(&mut site, "reload").await {
            assert_eq!(seen["result"], json!({ "tone": "good", "text": "Generation 2 serves." }));
        }
        site.ends().await;
    }

    async fn a_dry_run_says_what_it_found_and_changes_nothing() {
        let mut site = Site::new().await;
        if let Some(seen) = play_well(&mut site, "dry-run").await {
            let found = text(&seen["result"]["text"]);
            assert!(found.starts_with("A reload would succeed."), "{found}");
            assert!(found.contains("fixture-helloworld 1.0.0"), "{found}");
            assert!(text(&seen["facts"]).contains("Generation\n1"), "{seen}");
        }
        site.ends().await;
    }

    async fn a_reload_that_fails_says_why_and_what_served_goes_on() {
        let mut site = Site::new().await;
        if let Some(seen) = play_well(&mut site, "rollback").await {
            for failed in [&seen["tried"], &seen["result"]] {
                assert_eq!(failed["tone"], "bad");
                assert!(text(&failed["text"]).contains("exit code 9"), "{failed}");
            }
            assert!(text(&seen["events"]).contains("exit code 9"), "{seen}");
            assert_eq!(seen["state"], "ready");
            assert!(text(&seen["facts"]).contains("Generation\n1"), "{seen}");
        }
        site.ends().await;
    }

    async fn a_generation_that_dies_on_probation_is_shown_to_be_rolled_back() {
        let mut site = Site::new().await;
        if let Some(seen) = play_well(&mut site, "probation").await {
            assert_eq!(seen["result"], json!({ "tone": "good", "text": "Generation 2 serves." }));
            assert!(text(&seen["events"]).contains("exit code 3"), "{seen}");
        }
        site.ends().await;
    }

    async fn a_plugin_is_stopped_and_started() {
        let mut site = Site::new().await;
        if let Some(seen) = play_well(&mut site, "stop").await {
            assert_eq!(seen["stopped"]["text"], "It is stopped.");
            assert_eq!(seen["offered"], json!(["Dry run", "Start"]));
            assert_eq!(seen["started"]["text"], "Generation 2 serves.");
        }
        site.ends().await;
    }

    async fn everything_is_reached_by_keys() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("other", "ok");
        let mut site = Site::on(kit).await;
        if let Some(seen) = play_well(&mut site, "keyboard").await {
            assert_eq!(seen["filtered"], 1);
            assert_eq!((&seen["focused"], &seen["outline"]), (&json!("other"), &json!("solid")));
            assert_eq!(seen["heading"], "detail-name");
            assert_eq!(seen["back"], "helloworld", "the focus is where it was");
            assert!(seen["keys"].as_u64().unwrap() > 8, "{seen}");
            assert_eq!(seen["theme"], "light");
        }
        site.ends().await;
    }
}
