//! The account interface.

use std::time::Duration;

use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_consensus::{Transaction as _, TxLegacy, TypedTransaction};
use alloy_primitives::{Address as EthAddress, B256, Signature as EthSignature, hex, keccak256};
use k256::ecdsa::SigningKey;
use outrigger::account::{AccountActor, AccountService as _, Accounts, Address, Handle};
use outrigger::{GatewayError, actix};
use outrigger_quorum::wallet::Backend;
use outrigger_testkit::e2e;
use serde_json::{Value, json};

use crate::{start, stop};

const KEY: &str = "4646464646464646464646464646464646464646464646464646464646464646";
const OTHER: &str = "4747474747474747474747474747474747474747474747474747474747474747";

fn address(key: &str) -> Address {
    let key = SigningKey::from_slice(&hex::decode(key).unwrap()).unwrap();
    Address(EthAddress::from_private_key(&key).0.0)
}

fn config() -> Value {
    json!({ "keys": [KEY, OTHER] })
}

/// Who signed a hash.
fn recovered(signature: [u8; 65], hash: B256) -> Address {
    let signature = EthSignature::from_raw_array(&signature).unwrap();
    Address(signature.recover_address_from_prehash(&hash).unwrap().0.0)
}

e2e! {
    async fn a_wallet_signs_as_a_node_does_with_the_plugin_s_key_across_a_reload() {
        let (kit, host, handle) = start::<Handle>(config()).await;
        let backend = Backend::new(handle);
        let wallet = backend.wallet();
        let account = EthAddress::from(address(KEY).0);
        let transaction = || TypedTransaction::Legacy(TxLegacy {
            nonce: 9,
            gas_price: 20_000_000_000,
            gas_limit: 21_000,
            to: EthAddress::repeat_byte(0x35).into(),
            ..TxLegacy::default()
        });
        let locked = wallet.sign_transaction(account, transaction(), Some(1)).await.unwrap_err();
        assert!(locked.to_string().contains("account locked"), "{locked}");
        let signed = wallet
            .sign_transaction_with_passphrase(account, "hunter2", transaction(), Some(1))
            .await
            .unwrap();
        assert_eq!(signed.recover_signer().unwrap(), account);
        assert_eq!(signed.chain_id(), Some(1));

        host.reload("account").await.unwrap();
        backend.timed_unlock(account, "hunter2", Duration::from_secs(60)).await.unwrap();
        // Deterministic signatures: the same from another process.
        let again = wallet.sign_transaction(account, transaction(), Some(1)).await.unwrap();
        assert_eq!(again, signed);
        let text = wallet.sign_text(account, b"Hello World").await.unwrap();
        assert_eq!(text.recover_address_from_msg("Hello World").unwrap(), account);
        let mine = TxLegacy { nonce: 1, gas_limit: 21_000, ..TxLegacy::default() };
        let private = wallet.sign_private_transaction(account, mine).await.unwrap();
        assert!(matches!(private.v(), 37 | 38), "{}", private.v());
        stop(&kit, host).await;
    }

    async fn every_method_of_the_account_interface_sends_its_message_and_maps_the_answer() {
        let (kit, host, handle) = start::<Handle>(config()).await;
        let (one, two) = (address(KEY), address(OTHER));
        assert_eq!(handle.status().await.unwrap(), "0 unlocked account(s): []");
        handle.open("open sesame").await.unwrap();
        let listed: Vec<Address> =
            handle.accounts().await.unwrap().iter().map(|account| account.address).collect();
        assert_eq!(listed, [one, two], "in the plugin's order");
        assert!(handle.contains(one).await.unwrap());
        assert!(!handle.contains(Address([9; 20])).await.unwrap());
        let hash = keccak256(b"what is signed");
        let locked = handle.sign(one, hash.as_slice()).await.unwrap_err();
        assert!(locked.to_string().contains("account locked"), "{locked}");
        let signed = handle.unlock_and_sign(two, hash.as_slice(), "hunter2").await.unwrap();
        assert_eq!(recovered(signed.0, hash), two);
        handle.timed_unlock(one, "hunter2", Duration::from_nanos(1)).await.unwrap();
        let signed = handle.sign(one, hash.as_slice()).await.unwrap();
        assert_eq!(recovered(signed.0, hash), one);
        handle.lock(one).await.unwrap();
        handle.sign(one, hash.as_slice()).await.unwrap_err();
        let made = handle.new_account(br#"{"secretName":"x"}"#).await.unwrap();
        assert_eq!(made.url.scheme, "memory");
        let imported = handle.import_raw_key(&"51".repeat(32), b"{}").await.unwrap();
        assert_eq!(imported.address, address(&"51".repeat(32)));
        assert_eq!(handle.accounts().await.unwrap().len(), 4);
        handle.close().await.unwrap();

        let digits = |address: Address| address.to_string()[2..].to_owned();
        let (one, two, hash) = (digits(one), digits(two), hex::encode(hash));
        let locked = json!({ "address": one, "toSign": hash });
        let expected = [
            ("Init", json!({ "identity": "test-node", "config": kit.calls("account")[0].1["config"] })),
            ("Status", json!({})),
            ("Open", json!({ "passphrase": "open sesame" })),
            ("Accounts", json!({})),
            ("Contains", json!({ "address": one })),
            ("Contains", json!({ "address": "09".repeat(20) })),
            ("Sign", locked.clone()),
            ("UnlockAndSign", json!({ "address": two, "toSign": hash, "passphrase": "hunter2" })),
            ("TimedUnlock", json!({ "address": one, "password": "hunter2", "duration": 1 })),
            ("Sign", locked.clone()),
            ("Lock", json!({ "address": one })),
            ("Sign", locked),
            ("NewAccount", json!({ "config": r#"{"secretName":"x"}"# })),
            ("ImportRawKey", json!({ "config": "{}" })),
            ("Accounts", json!({})),
            ("Close", json!({})),
        ];
        let expected: Vec<_> =
            expected.into_iter().map(|(method, with)| (method.to_owned(), with)).collect();
        assert_eq!(kit.calls("account"), expected);
        stop(&kit, host).await;
    }

    async fn a_raw_key_that_is_none_is_refused_and_nothing_is_sent() {
        let (kit, host, handle) = start::<Handle>(config()).await;
        let error = handle.import_raw_key("aaaaaa", b"{}").await.unwrap_err();
        assert_eq!(error.to_string(), "invalid length, need 256 bits");
        assert!(error.was_not_sent());
        assert_eq!(kit.calls("account").len(), 1, "Init alone");
        stop(&kit, host).await;
    }

    async fn an_account_plugin_s_bad_answers_are_refused_with_the_reason() {
        let hash = [7; 32];
        for (answer, expected) in [
            ("signature-64", "a signature of 64 bytes, where 65 are due"),
            ("signature-empty", "a signature of 0 bytes, where 65 are due"),
            ("signature-v27", "where 0 or 1 is due"),
            ("address-19", "invalid hex address: "),
            ("account-missing", "empty response from plugin"),
            ("url-without-scheme", "protocol scheme missing"),
        ] {
            let config = json!({ "keys": [KEY, OTHER], "answer": answer });
            let (kit, host, handle) = start::<Handle>(config).await;
            let error = match answer {
                "address-19" | "account-missing" | "url-without-scheme" => {
                    handle.new_account(b"{}").await.map(drop)
                }
                _ => handle.unlock_and_sign(address(KEY), &hash, "").await.map(drop),
            };
            let error = error.unwrap_err();
            assert!(matches!(error, GatewayError::BadAnswer { .. }), "{answer}: {error:?}");
            let text = error.to_string();
            assert!(text.starts_with("plugin `account` answered `"), "{text}");
            assert!(text.contains(expected), "{answer}: {text}");
            if answer == "address-19" {
                let listed = handle.accounts().await.unwrap();
                assert_eq!(listed.len(), 2, "one of three is left out");
            }
            stop(&kit, host).await;
        }
    }

    async fn the_account_actor_makes_the_same_calls() {
        let (kit, host, handle) = start::<Handle>(config()).await;
        let accounts = tokio::task::spawn_blocking(move || {
            let system = actix::System::new();
            system.block_on(async move {
                let actor = actix::Actor::start(AccountActor::new(handle));
                actor.send(Accounts {}).await.unwrap().unwrap()
            })
        });
        assert_eq!(accounts.await.unwrap()[1].address, address(OTHER));
        stop(&kit, host).await;
    }

    async fn an_account_plugin_is_reloaded_exclusively_and_handles_stay_good() {
        let (kit, host, handle) = start::<Handle>(config()).await;
        handle.timed_unlock(address(KEY), "", Duration::from_secs(60)).await.unwrap();
        assert!(handle.status().await.unwrap().starts_with("1 unlocked"));
        host.reload("account").await.unwrap();
        assert!(handle.status().await.unwrap().starts_with("0 unlocked"), "a new process");
        let starts = kit.calls("account").iter().filter(|(method, _)| method == "Init").count();
        assert_eq!(starts, 2);
        stop(&kit, host).await;
    }
}
