//! Many plugins, narrow screens, themes.

use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;

use crate::driven::play_well;
use crate::site::Site;

/// Instances, of which so many are processes; the others name a distribution that
/// is not there.
const MANY: usize = 200;
const REAL: usize = 3;

/// A first paint has a bound where it is measured; here it must come at all.
const PATIENCE_MS: f64 = 5_000.0;

/// For filtering and sorting two hundred rows, on a busy machine.
const AT_ONCE_MS: f64 = 500.0;

fn crowd() -> Kit {
    let mut kit = Kit::new();
    kit.pack_fixture("fixture", "ok");
    let provider = |number: usize| {
        let real = number < REAL;
        let name = if real { "fixture" } else { "absent" };
        let definition = json!({
            "name": name, "version": outrigger_testkit::kit::VERSION, "interface": "helloworld",
            "required": real, "config": { "language": "en" },
        });
        (format!("plugin-{number:03}"), definition)
    };
    let providers: serde_json::Map<_, _> = (0..MANY).map(provider).collect();
    kit.set("/providers", providers.into());
    kit
}

e2e! {
    async fn two_hundred_plugins_are_painted_filtered_sorted_and_kept_up_to_date() {
        let mut site = Site::on(crowd()).await;
        if let Some(seen) = play_well(&mut site, "many").await {
            let figure = |name: &str| seen[name].as_f64().unwrap();
            let (first, all) = (figure("first_paint_ms"), figure("plugins_painted_ms"));
            println!("first paint {first:.0} ms, all plugins {all:.0} ms");
            assert!(first > 0.0 && first <= all && all < PATIENCE_MS, "{seen}");
            assert_eq!((&seen["plugins"], &seen["squares"]), (&json!(MANY), &json!(MANY)));
            assert_eq!((&seen["filtered"], &seen["top"]), (&json!(10), &json!("plugin-000")));
            assert!(figure("filtering") < AT_ONCE_MS && figure("sorting") < AT_ONCE_MS, "{seen}");
            // A plugin that changes its state moves, and no other row is touched.
            assert!(figure("made") < 20.0, "rows were made anew: {seen}");
        }
        site.ends().await;
    }

    async fn a_narrow_screen_has_nothing_beyond_its_edge() {
        let mut kit = Kit::with("ok");
        let long = "a-plugin-with-a-name-that-is-longer-than-the-screen-is-wide";
        kit.add_fixture(long, "exit-before-handshake 9");
        kit.set(&format!("/providers/{long}/required"), json!(false));
        let mut site = Site::on(kit).await;
        if let Some(seen) = play_well(&mut site, "narrow").await {
            assert_eq!((&seen["list"], &seen["detail"]), (&json!(0), &json!(0)));
            assert_eq!((&seen["name"], &seen["dialog"]), (&json!(long), &json!(true)));
        }
        site.ends().await;
    }

    async fn it_is_dark_or_light_as_the_system_has_it_or_somebody_chose() {
        let mut site = Site::new().await;
        if let Some(seen) = play_well(&mut site, "themes").await {
            assert_ne!(seen["shown"][0], seen["shown"][1]);
            assert_eq!((&seen["own"], &seen["kept"]), (&seen["shown"][0], &seen["shown"][0]));
            assert!(seen["pictures"][0].as_u64().unwrap() > 5_000, "{seen}");
        }
        site.ends().await;
    }
}
