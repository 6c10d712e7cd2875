//! The security interface.

use std::time::{Duration, UNIX_EPOCH};

use outrigger::GatewayError;
use outrigger::security::{
    AuthenticationManager as _, GrantedAuthority, Handle, TlsConfigurationSource as _,
};
use outrigger_testkit::e2e;
use serde_json::json;

use crate::{start, stop};

e2e! {
    async fn authenticate_passes_the_raw_token_on_and_maps_what_is_granted() {
        let tokens = json!({ "tokens": { "bearer \u{fc}": {
            "expires": 4_000_000_000_u64, "authorities": [["eth", "*", "rpc://eth_*"]],
        } } });
        let (kit, host, handle) = start::<Handle>(tokens).await;
        assert!(handle.is_enabled().await.unwrap());
        let token = handle.authenticate("bearer \u{fc}".as_bytes()).await.unwrap();
        assert_eq!(token.raw_token, "bearer \u{fc}".as_bytes());
        assert_eq!(token.expires_at, Some(UNIX_EPOCH + Duration::from_secs(4_000_000_000)));
        let authority = GrantedAuthority {
            service: "eth".into(),
            method: "*".into(),
            raw: "rpc://eth_*".into(),
        };
        assert_eq!(token.authorities, [authority]);
        let refused = handle.authenticate(b"bearer x").await.unwrap_err();
        assert!(matches!(refused, GatewayError::Refused { .. }), "{refused:?}");
        let called: Vec<_> = kit.calls("security").into_iter().map(|(_, with)| with).collect();
        assert_eq!(called[1], json!({ "token": "" }), "the probe");
        assert_eq!(called[2], json!({ "token": "bearer \u{fc}" }));
        stop(&kit, host).await;
    }

    async fn a_security_service_that_is_not_implemented_is_told_by_a_probe() {
        let (kit, host, handle) = start::<Handle>(json!({})).await;
        assert!(!handle.is_enabled().await.unwrap());
        for error in [
            handle.get().await.unwrap_err(),
            handle.authenticate(b"bearer x").await.unwrap_err(),
        ] {
            assert!(matches!(error, GatewayError::Unimplemented { .. }), "{error:?}");
        }
        stop(&kit, host).await;
    }

    async fn a_security_plugin_that_is_away_is_not_a_disabled_one() {
        let (kit, host, handle) = start::<Handle>(json!({ "tokens": {} })).await;
        stop(&kit, host).await;
        let error = handle.is_enabled().await.unwrap_err();
        assert!(matches!(error, GatewayError::Unavailable(_)), "{error:?}");
    }

    async fn a_tls_source_hands_out_pem_and_suites_or_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = (directory.path().join("cert"), directory.path().join("key"));
        std::fs::write(&certificate, "certificate").unwrap();
        std::fs::write(&key, "key").unwrap();
        let files = json!({ "certificate": certificate, "key": key, "suites": [0xc02c] });
        let (kit, host, handle) = start::<Handle>(json!({ "tls": files })).await;
        let tls = handle.get().await.unwrap().unwrap();
        assert_eq!(tls.certificate_pem, "certificate");
        assert_eq!(tls.key_pem, "key");
        assert_eq!(tls.cipher_suites, [0xc02c]);
        assert!(!format!("{tls:?}").contains("key\""), "{tls:?}");
        stop(&kit, host).await;

        let (kit, host, handle) = start::<Handle>(json!({ "tls": {} })).await;
        assert_eq!(handle.get().await.unwrap(), None);
        stop(&kit, host).await;

        let files = json!({ "certificate": certificate, "key": key, "suites": [70_000] });
        let (kit, host, handle) = start::<Handle>(json!({ "tls": files })).await;
        let error = handle.get().await.unwrap_err().to_string();
        assert!(error.contains("cipher suite value overflow"), "{error}");
        stop(&kit, host).await;
    }
}
