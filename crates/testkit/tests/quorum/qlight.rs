//! The QLight token manager.

use std::time::Duration;

use outrigger::GatewayError;
use outrigger::manager::messages::StopAll;
use outrigger::qlight::{Handle, TokenManager as _};
use outrigger_quorum::token_holder::TokenHolder;
use outrigger_testkit::e2e;
use serde_json::json;

use crate::{start, stop};

e2e! {
    async fn a_token_refresh_sends_token_and_private_state() {
        let (kit, host, handle) = start::<Handle>(json!({ "anticipation": 1_500 })).await;
        assert_eq!(handle.refresh_anticipation().await.unwrap(), Duration::from_millis(1_500));
        assert_eq!(handle.token_refresh("bearer x", "PS1").await.unwrap(), "bearer x+PS1");
        let called = kit.calls("qlighttokenmanager");
        assert_eq!(called[2].1, json!({ "currentToken": "bearer x", "psi": "PS1" }));
        stop(&kit, host).await;
    }

    async fn a_holder_keeps_a_token_fresh_by_the_plugin_across_a_reload_and_its_death() {
        let (kit, host, handle) = start::<Handle>(json!({ "anticipation": 1_500 })).await;
        let holder = TokenHolder::start(Some(handle), "PS1", "opaque").unwrap();
        let mut published = holder.subscribe();
        assert_eq!(holder.current_token().await.as_str(), "opaque+PS1");
        published.changed().await.unwrap();
        assert_eq!(published.borrow().as_str(), "opaque+PS1");

        host.reload("qlighttokenmanager").await.unwrap();
        holder.reloaded().await.unwrap();
        holder.set_current_token("other").unwrap();
        assert_eq!(holder.current_token().await.as_str(), "other+PS1");

        host.manager().send(StopAll).await.unwrap();
        holder.set_current_token("kept").unwrap();
        assert_eq!(holder.current_token().await.as_str(), "kept", "nobody can refresh it");
        stop(&kit, host).await;
    }

    async fn a_token_manager_s_bad_answers_and_failures_are_told_apart() {
        let config = json!({ "anticipation": -1, "answer": "refresh" });
        let (kit, host, handle) = start::<Handle>(config).await;
        let error = handle.refresh_anticipation().await.unwrap_err();
        assert!(error.to_string().starts_with("refresh token: "), "{error}");
        assert!(error.to_string().contains("a refresh anticipation of -1 ms"), "{error}");
        let error = handle.token_refresh("", "PS1").await.unwrap_err();
        let GatewayError::RefreshToken(within) = &error else { panic!("{error:?}") };
        assert!(matches!(**within, GatewayError::Refused { .. }), "{error:?}");
        assert!(error.to_string().starts_with("refresh token: "), "{error}");
        assert!(error.to_string().contains("the endpoint does not answer"), "{error}");
        stop(&kit, host).await;
    }
}
