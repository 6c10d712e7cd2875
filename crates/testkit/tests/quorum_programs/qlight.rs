//! Token managers that ask a real endpoint.

use std::time::Duration;

use outrigger::qlight::{Handle, TokenManager as _};
use outrigger::{GatewayError, Generation, PluginHost};
use outrigger_testkit::e2e;
use outrigger_testkit::loopback::Answer;
use outrigger_testkit::oauth::{Signer, claims};
use outrigger_testkit::quorum_programs::Language;
use outrigger_testkit::token_endpoint::TokenEndpoint;
use serde_json::{Value, json};

use crate::Setting;

const INTERFACE: &str = "qlighttokenmanager";
const HOUR: Duration = Duration::from_secs(3600);

fn config(endpoint: &TokenEndpoint, method: &str) -> Value {
    json!({
        "URL": endpoint.url(),
        "Method": method,
        "RefreshAnticipationInMillisecond": 500,
        "Parameters": { "client_id": "${PSI}", "scope": "p2p://qlight psi://${PSI}" },
    })
}

/// A form's fields, or an object's, arrived.
fn assert_asked(body: &str, psi: &str) {
    assert!(body.contains(&format!("psi://{psi}")), "{body}");
    assert!(body.contains("client_id") && !body.contains("${PSI}"), "{body}");
}

async fn refreshes(language: Language) {
    let endpoint = TokenEndpoint::start(Signer::es256("one"), HOUR).await;
    let Some(setting) = Setting::new(INTERFACE, language, &config(&endpoint, "POST")) else {
        return;
    };
    let (host, handle) = setting.start::<Handle>().await;
    assert_eq!(handle.refresh_anticipation().await.unwrap(), Duration::from_millis(500));

    let first = handle.token_refresh("", "PS1").await.unwrap();
    assert!(first.starts_with("bearer ey"), "{first}");
    let asked = endpoint.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!((&*asked[0].method, &*asked[0].target), ("POST", "/oauth2/token"));
    assert!(asked[0].headers.to_lowercase().contains("content-type: multipart/form-data"));
    assert_asked(&asked[0].body, "PS1");

    assert_eq!(handle.token_refresh(&first, "PS1").await.unwrap(), first, "it is still good");
    assert_eq!(endpoint.requests().len(), 1);
    let other = handle.token_refresh("bearer no.token", "PS2").await.unwrap();
    assert_ne!(other, first);
    assert_asked(&endpoint.requests()[1].body, "PS2");

    for (answer, text) in [
        (r#"{"error":"invalid_client","error_description":"who?"}"#, "invalid_client: who?"),
        ("<html>", "is not JSON"),
        ("{}", "without a token"),
    ] {
        endpoint.answer_with(Some(Answer { status: 401, body: answer.into() }));
        let error = handle.token_refresh("", "PS1").await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    endpoint.answer_with(None);

    // Another method and anticipation in the config's file; the handle stays.
    let mut other = config(&endpoint, "PATCH");
    other["RefreshAnticipationInMillisecond"] = json!(2 * HOUR.as_millis() as u64);
    setting.configure(&other);
    host.reload(INTERFACE).await.unwrap();
    assert_eq!(handle.refresh_anticipation().await.unwrap(), 2 * HOUR);
    let early = handle.token_refresh(&first, "PS3").await.unwrap();
    assert_ne!(early, first, "less than the anticipation is left of it");
    let last = endpoint.requests().pop().unwrap();
    assert!(last.headers.to_lowercase().contains("content-type: application/json"));
    let body: Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(body["client_id"], "PS3");
    setting.stop(host).await;
}

async fn says_that_nobody_is_there(language: Language) {
    let away = json!({ "URL": "http://127.0.0.1:1/", "Method": "POST" });
    let Some(setting) = Setting::new(INTERFACE, language, &away) else { return };
    let (host, handle) = setting.start::<Handle>().await;
    let error = handle.token_refresh("", "PS1").await.unwrap_err();
    let GatewayError::RefreshToken(refused) = &error else { panic!("{error:?}") };
    assert!(matches!(**refused, GatewayError::Refused { .. }), "{error:?}");
    assert!(error.to_string().starts_with("refresh token: "), "{error}");
    let good = Signer::es256("one").bearer(&claims("node", "p2p://qlight", HOUR));
    assert_eq!(handle.token_refresh(&good, "PS1").await.unwrap(), good, "nobody is asked");
    setting.stop(host).await;
}

async fn refuses_configs(language: Language) {
    let Some(setting) = Setting::new(INTERFACE, language, &json!({ "Method": "POST" })) else {
        return;
    };
    for (config, text) in [
        (json!({ "Method": "POST" }), "url must be provided"),
        (json!({ "URL": "http://127.0.0.1:1/" }), "method must be provided"),
    ] {
        setting.configure(&config);
        let error = setting.refusal().await;
        assert!(error.contains(text), "{error}");
    }
    setting.kit.assert_clean();
}

async fn shows_no_config(language: Language) {
    let Some(setting) = Setting::new(INTERFACE, language, &json!(["s3cret"])) else { return };
    let error = setting.refusal().await;
    assert!(error.contains("not the JSON that was expected"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    setting.kit.assert_clean();
}

/// Waits for another generation than this one.
async fn restarted(host: &PluginHost, first: Option<Generation>) {
    let mut watch = host.watch(INTERFACE).unwrap();
    let again = watch.wait_for(|status| status.generation.is_some() && status.generation != first);
    tokio::time::timeout(Duration::from_secs(15), again).await.unwrap().unwrap();
}

e2e! {
    async fn a_go_token_manager_asks_a_real_endpoint() {
        refreshes(Language::Go).await;
    }

    async fn a_java_token_manager_asks_a_real_endpoint() {
        refreshes(Language::Java).await;
    }

    async fn a_go_token_manager_whose_endpoint_is_away_says_so() {
        says_that_nobody_is_there(Language::Go).await;
    }

    async fn a_java_token_manager_whose_endpoint_is_away_says_so() {
        says_that_nobody_is_there(Language::Java).await;
    }

    async fn a_go_token_manager_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Go).await;
    }

    async fn a_java_token_manager_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Java).await;
    }

    async fn a_go_token_manager_shows_no_config_that_it_cannot_read() {
        shows_no_config(Language::Go).await;
    }

    async fn a_java_token_manager_shows_no_config_that_it_cannot_read() {
        shows_no_config(Language::Java).await;
    }

    async fn a_go_token_manager_that_dies_of_get_is_started_again() {
        let endpoint = TokenEndpoint::start(Signer::es256("one"), HOUR).await;
        let get = config(&endpoint, "GET");
        let Some(setting) = Setting::new(INTERFACE, Language::Go, &get) else { return };
        let (host, handle) = setting.start::<Handle>().await;
        let first = host.watch(INTERFACE).unwrap().borrow().generation;
        handle.token_refresh("", "PS1").await.unwrap_err();
        restarted(&host, first).await;
        assert_eq!(handle.refresh_anticipation().await.unwrap(), Duration::from_millis(500));
        setting.configure(&config(&endpoint, "POST"));
        host.reload(INTERFACE).await.unwrap();
        assert!(handle.token_refresh("", "PS1").await.unwrap().starts_with("bearer "));
        setting.stop(host).await;
    }

    async fn a_java_token_manager_can_get() {
        let endpoint = TokenEndpoint::start(Signer::es256("one"), HOUR).await;
        let get = config(&endpoint, "GET");
        let Some(setting) = Setting::new(INTERFACE, Language::Java, &get) else { return };
        let (host, handle) = setting.start::<Handle>().await;
        assert!(handle.token_refresh("", "PS1").await.unwrap().starts_with("bearer "));
        let asked = endpoint.requests().pop().unwrap();
        assert!(asked.target.starts_with("/oauth2/token?client_id=PS1&scope=p2p%3A%2F%2Fqlight"), "{asked:?}");
        setting.stop(host).await;
    }
}
