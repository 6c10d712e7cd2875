//! The wallet, with a real key and published vectors.

mod signer;
mod transactions;

use std::time::Duration;

use alloy_primitives::{Address, address, hex, keccak256};
use futures_util::{FutureExt as _, StreamExt as _};

use self::signer::{Signer, Spoil};
use super::{Backend, Wallet, WalletError};

/// The key of EIP-155's example.
fn signer() -> (Signer, Wallet<Signer>) {
    let signer = Signer::new([0x46; 32]);
    assert_eq!(signer.address(), ACCOUNT);
    (signer.clone(), Wallet::new(signer))
}

const ACCOUNT: Address = address!("9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");

fn account() -> String {
    format!("0x{}", hex::encode(ACCOUNT))
}

#[tokio::test]
async fn the_wallet_passes_on_what_is_the_plugin_s_and_derives_nothing() {
    let (signer, wallet) = signer();
    assert_eq!(Wallet::<Signer>::URL, "plugin://account");
    assert_eq!(wallet.status().await.unwrap(), "1 account");
    wallet.open("hunter2").await.unwrap();
    let accounts = wallet.accounts().await.unwrap();
    assert_eq!(accounts[0].address.0, ACCOUNT.0.0);
    assert_eq!(accounts[0].url.to_string(), "memory://1");
    assert!(wallet.contains(ACCOUNT).await.unwrap());
    assert!(!wallet.contains(Address::ZERO).await.unwrap());
    wallet.close().await.unwrap();
    let (one, zero) = (account(), format!("0x{}", "00".repeat(20)));
    let expected = ["status", "open hunter2", "accounts"].map(str::to_owned);
    let rest = [format!("contains {one}"), format!("contains {zero}"), "close".into()];
    assert_eq!(signer.asked(), [expected, rest].concat());

    assert_eq!(wallet.derive("m/44'/60'").unwrap_err().to_string(), "not supported");
    wallet.self_derive(&["m/44'/60'"]);
    assert!(Backend::new(signer.clone()).subscribe().next().now_or_never().is_none());
    assert!(signer.asked().is_empty());
}

#[tokio::test]
async fn data_is_hashed_and_text_prefixed_and_a_passphrase_unlocks_for_it() {
    let (signer, wallet) = signer();
    // Both hashes are published: of "abc", and of EIP-191's usual example.
    let data = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
    let text = "a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2";
    let one = account();

    let by_data = wallet.sign_data(ACCOUNT, b"abc").await.unwrap();
    assert_eq!(signer.asked(), [format!("sign {one} {data}")]);
    let with = wallet.sign_data_with_passphrase(ACCOUNT, "pw", b"abc").await.unwrap();
    assert_eq!(signer.asked(), [format!("unlock {one} {data} pw")]);
    assert_eq!(by_data, with);
    assert_eq!(by_data.recover_address_from_prehash(&keccak256(b"abc")).unwrap(), ACCOUNT);

    let by_text = wallet.sign_text(ACCOUNT, b"Hello World").await.unwrap();
    assert_eq!(signer.asked(), [format!("sign {one} {text}")]);
    let with = wallet.sign_text_with_passphrase(ACCOUNT, "pw", b"Hello World").await.unwrap();
    assert_eq!(signer.asked(), [format!("unlock {one} {text} pw")]);
    assert_eq!(by_text, with);
    assert_eq!(by_text.recover_address_from_msg("Hello World").unwrap(), ACCOUNT);
}

#[tokio::test]
async fn the_list_of_wallets_is_a_copy_and_the_rest_is_passed_on() {
    let signer = Signer::new([0x46; 32]);
    let backend = Backend::new(signer.clone());
    let mut wallets = backend.wallets();
    assert_eq!(wallets.len(), 1);
    wallets.clear();
    assert_eq!(backend.wallets().len(), 1);

    backend.timed_unlock(ACCOUNT, "pw", Duration::from_nanos(1)).await.unwrap();
    backend.lock(ACCOUNT).await.unwrap();
    let made = backend.new_account(br#"{"a":1}"#).await.unwrap();
    let imported = backend.import_raw_key("00ff", b"{}").await.unwrap();
    assert_eq!((made.address.0, imported.address.0), (ACCOUNT.0.0, ACCOUNT.0.0));
    let one = account();
    let expected = [
        format!("timed unlock {one} pw 1ns"),
        format!("lock {one}"),
        r#"new {"a":1}"#.into(),
        "import 00ff {}".into(),
    ];
    assert_eq!(signer.asked(), expected);
}

#[tokio::test]
async fn a_signature_that_is_not_the_account_s_is_refused() {
    let (signer, wallet) = signer();
    let rows: [(Spoil, &str); 8] = [
        (|it| it[64] ^= 1, "is not that of"),
        (|it| it[64] += 27, "V is neither 0 nor 1"),
        (|it| it[64] = 2, "V is neither 0 nor 1"),
        (|it| it[..32].fill(0), "R is not within"),
        (|it| it[..32].fill(0xff), "R is not within"),
        (|it| it[32..64].fill(0), "S is not within"),
        (|it| it[32..64].fill(0xff), "S is not within"),
        (|it| it[32..64].fill(0x80), "S is not in the lower half"),
    ];
    for (spoil, expected) in rows {
        signer.spoil(spoil);
        let error = wallet.sign_data(ACCOUNT, b"abc").await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    signer.spoil(|_| ());
    let error = wallet.sign_text(Address::ZERO, b"abc").await.unwrap_err();
    assert!(matches!(error, WalletError::ForeignSignature { by: ACCOUNT, .. }), "{error:?}");
}

#[tokio::test]
async fn the_other_signature_of_the_same_key_is_refused() {
    let (signer, wallet) = signer();
    signer.spoil(|it| {
        let mut borrow = 0;
        for (s, n) in it[32..64].iter_mut().zip(ORDER).rev() {
            let difference = i16::from(n) - i16::from(*s) - borrow;
            borrow = i16::from(difference < 0);
            *s = difference.rem_euclid(256) as u8;
        }
        it[64] ^= 1;
    });
    let error = wallet.sign_data(ACCOUNT, b"abc").await.unwrap_err().to_string();
    assert!(error.contains("S is not in the lower half"), "{error}");
}

const ORDER: [u8; 32] = hex!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
