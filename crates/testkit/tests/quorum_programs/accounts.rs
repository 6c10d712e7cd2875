//! Accounts with real keys.

use std::time::Duration;

use alloy_primitives::{B256, Signature as EthSignature, keccak256};
use outrigger::GatewayError;
use outrigger::account::{AccountService as _, Address, Handle, Signature};
use outrigger_testkit::e2e;
use outrigger_testkit::quorum_programs::Language;
use serde_json::json;

use crate::Setting;

/// The key and the address of EIP-155's example.
const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const ADDRESS: &str = "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";

const HOUR: Duration = Duration::from_secs(3600);

fn signer(signature: Signature, hash: B256) -> Address {
    let signature = EthSignature::from_raw_array(&signature.0).unwrap();
    Address(signature.recover_address_from_prehash(&hash).unwrap().0.0)
}

/// Asks until the plugin has locked what it unlocked for a while.
async fn locked_again(handle: &Handle) {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let locked = async {
        while !handle.status().await.unwrap().starts_with("0 unlocked") {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), locked).await.unwrap();
}

async fn keeps_keys(language: Language) {
    let Some(setting) = Setting::new("account", language, &json!({})) else { return };
    let directory = setting.kit.path().join("keys");
    let url = format!("file://{}", directory.display());
    setting.configure(&json!({ "accountDirectory": url }));
    let (host, handle) = setting.start::<Handle>().await;
    let hash = keccak256(b"what is signed");
    handle.open("").await.unwrap();
    assert_eq!(handle.status().await.unwrap(), "0 unlocked account(s): []");
    assert!(handle.accounts().await.unwrap().is_empty());

    let made = handle.new_account(br#"{"secretName":"made"}"#).await.unwrap();
    assert_eq!(made.url.to_string(), format!("{url}/made.key"));
    let imported = handle.import_raw_key(KEY, br#"{"secretName":"taken"}"#).await.unwrap();
    assert_eq!(imported.address.to_string(), ADDRESS);
    assert_eq!(handle.accounts().await.unwrap(), [made.clone(), imported.clone()]);
    assert!(handle.contains(made.address).await.unwrap());
    assert!(!handle.contains(Address([9; 20])).await.unwrap());

    for address in [made.address, imported.address] {
        let locked = handle.sign(address, hash.as_slice()).await.unwrap_err().to_string();
        assert!(locked.contains("account locked"), "{locked}");
        let once = handle.unlock_and_sign(address, hash.as_slice(), "ignored").await.unwrap();
        assert_eq!(signer(once, hash), address);
        // Which V a signature has is a matter of luck; of eight hashes some have either.
        handle.timed_unlock(address, "ignored", HOUR).await.unwrap();
        let status = handle.status().await.unwrap();
        assert_eq!(status, format!("1 unlocked account(s): [{address}]"));
        for number in 0..8_u8 {
            let hash = keccak256([number]);
            let signature = handle.sign(address, hash.as_slice()).await.unwrap();
            assert_eq!(signer(signature, hash), address);
        }
        handle.lock(address).await.unwrap();
        handle.sign(address, hash.as_slice()).await.unwrap_err();
    }
    handle.timed_unlock(made.address, "", Duration::from_millis(200)).await.unwrap();
    handle.sign(made.address, hash.as_slice()).await.unwrap();
    locked_again(&handle).await;
    handle.sign(made.address, hash.as_slice()).await.unwrap_err();

    refusals(&handle).await;

    // What is in the config's file is effective, and the keys were kept.
    setting.configure(&json!({ "accountDirectory": url, "unlock": [ADDRESS] }));
    host.reload("account").await.unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!(status, format!("1 unlocked account(s): [{ADDRESS}]"));
    let signature = handle.sign(imported.address, hash.as_slice()).await.unwrap();
    assert_eq!(signer(signature, hash), imported.address);
    assert_eq!(handle.accounts().await.unwrap(), [made, imported]);
    handle.close().await.unwrap();
    setting.stop(host).await;
}

/// What the plugin refuses, with the codes of the Vault plugin.
async fn refusals(handle: &Handle) {
    let hash = [7; 32];
    let unknown = Address([9; 20]);
    let short = handle.unlock_and_sign(ADDRESS.parse().unwrap(), &hash[..31], "").await;
    let cases = [
        (handle.new_account(b"{}").await.map(drop), "InvalidArgument", "secretName"),
        (handle.new_account(b"[]").await.map(drop), "InvalidArgument", "JSON"),
        (
            handle.new_account(br#"{"secretName":"../x"}"#).await.map(drop),
            "InvalidArgument",
            "plain",
        ),
        (
            handle.new_account(br#"{"secretName":"made"}"#).await.map(drop),
            "Internal",
            "there already",
        ),
        (handle.unlock_and_sign(unknown, &hash, "").await.map(drop), "Internal", "is not here"),
        (handle.timed_unlock(unknown, "", HOUR).await, "Internal", "is not here"),
        (short.map(drop), "InvalidArgument", "31"),
    ];
    for (result, code, text) in cases {
        let error = result.unwrap_err();
        let GatewayError::Refused { code: seen, message, .. } = &error else { panic!("{error:?}") };
        assert_eq!(format!("{seen:?}"), code, "{error}");
        assert!(message.contains(text), "{error}");
    }
    let error = handle.import_raw_key("aaaaaa", b"{}").await.unwrap_err();
    assert_eq!(error.to_string(), "invalid length, need 256 bits");
}

async fn refuses_configs(language: Language) {
    let Some(setting) = Setting::new("account", language, &json!({ "unlock": [ADDRESS] })) else {
        return;
    };
    let error = setting.refusal().await;
    assert!(error.contains("there is no account"), "{error}");
    setting.configure(&json!({ "accountDirectory": "/relative/to/nothing" }));
    let error = setting.refusal().await;
    assert!(error.contains("must be an absolute file:// URL"), "{error}");
    setting.kit.assert_clean();
}

e2e! {
    async fn go_accounts_sign_with_real_keys_and_are_kept_over_a_reload() {
        keeps_keys(Language::Go).await;
    }

    async fn java_accounts_sign_with_real_keys_and_are_kept_over_a_reload() {
        keeps_keys(Language::Java).await;
    }

    async fn a_go_account_plugin_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Go).await;
    }

    async fn a_java_account_plugin_s_refusal_of_its_config_stops_the_start() {
        refuses_configs(Language::Java).await;
    }
}
