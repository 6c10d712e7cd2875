//! Hello world.

use std::path::Path;

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger_testkit::e2e;
use outrigger_testkit::quorum_programs::Language;
use serde_json::json;

use crate::Setting;

async fn greets(language: Language, english: &str, spanish: &str) {
    let config = json!({ "language": "en" });
    let Some(setting) = Setting::new("helloworld", language, &config) else { return };
    let (host, handle) = setting.start::<Handle>().await;
    assert_eq!(handle.greeting("x").await.unwrap(), english);
    setting.configure(&json!({ "language": "es" }));
    host.reload("helloworld").await.unwrap();
    assert_eq!(handle.greeting("x").await.unwrap(), spanish, "the same handle");
    setting.stop(host).await;
}

async fn outlives_a_refusal(language: Language, greeting: &str) {
    let config = json!({ "language": "es" });
    let Some(setting) = Setting::new("helloworld", language, &config) else { return };
    let (host, handle) = setting.start::<Handle>().await;
    setting.configure(&json!({ "language": "xx" }));
    let error = host.reload("helloworld").await.unwrap_err().to_string();
    assert!(error.contains("unsupported language"), "{error}");
    assert_eq!(handle.greeting("x").await.unwrap(), greeting, "nothing was lost");
    setting.stop(host).await;
}

e2e! {
    async fn go_hello_world_takes_another_language_at_its_reload() {
        greets(Language::Go, "Hello x!", "Hola x!").await;
    }

    async fn java_hello_world_takes_another_language_at_its_reload() {
        greets(Language::Java, "Hello x", "Hola x").await;
    }

    async fn go_hello_world_that_refuses_a_config_leaves_the_one_before_it_serving() {
        outlives_a_refusal(Language::Go, "Hola x!").await;
    }

    async fn java_hello_world_that_refuses_a_config_leaves_the_one_before_it_serving() {
        outlives_a_refusal(Language::Java, "Hola x").await;
    }

    async fn a_java_plugin_without_controller_is_ended_by_signals_and_leaves_nothing() {
        let config = json!({ "language": "en" });
        let Some(setting) = Setting::new("helloworld", Language::Java, &config) else { return };
        let (host, handle) = setting.start::<Handle>().await;
        assert_eq!(handle.greeting("x").await.unwrap(), "Hello x");
        let pid = host.watch("helloworld").unwrap().borrow().pid.unwrap();
        // A request to shut down has nobody to take it, so nothing waits for it.
        setting.stop(host).await;
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
