//! Transactions of every kind.

use alloy_consensus::{
    SignableTransaction as _, Transaction as _, TxEip1559, TxEip2930, TxEnvelope, TxLegacy,
    TypedTransaction,
};
use alloy_eips::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, address, hex};

use super::{ACCOUNT, account, signer};
use crate::wallet::WalletError;

/// EIP-155's example.
fn legacy() -> TxLegacy {
    TxLegacy {
        chain_id: None,
        nonce: 9,
        gas_price: 20_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(address!("3535353535353535353535353535353535353535")),
        value: U256::from(1_000_000_000_000_000_000_u64),
        input: Vec::new().into(),
    }
}

/// What EIP-155 says that the example is signed as, by its key.
const SIGNED: &str = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6\
b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f\
761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
const HASH: &str = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";

#[tokio::test]
async fn a_transaction_is_signed_as_eip_155_s_example_is() {
    let (signer, wallet) = signer();
    let signed = wallet.sign_transaction(ACCOUNT, legacy().into(), Some(1)).await.unwrap();
    assert_eq!(signer.asked(), [format!("sign {} {HASH}", account())]);
    assert_eq!(hex::encode(signed.encoded_2718()), SIGNED);
    let with = wallet
        .sign_transaction_with_passphrase(ACCOUNT, "pw", legacy().into(), Some(1))
        .await
        .unwrap();
    assert_eq!(signer.asked(), [format!("unlock {} {HASH} pw", account())]);
    assert_eq!(with, signed);
    let far = wallet.sign_transaction(ACCOUNT, legacy().into(), Some(1337)).await.unwrap();
    let TxEnvelope::Legacy(far) = far else { panic!("{far:?}") };
    assert_eq!(far.tx(), &TxLegacy { chain_id: Some(1337), ..legacy() }, "the rest unchanged");
}

#[tokio::test]
async fn without_a_chain_a_transaction_is_signed_as_in_homestead() {
    let (signer, wallet) = signer();
    let signed = wallet.sign_transaction(ACCOUNT, legacy().into(), None).await.unwrap();
    let hash = hex::encode(legacy().signature_hash());
    assert_eq!(signer.asked(), [format!("sign {} {hash}", account())]);
    let with = wallet
        .sign_transaction_with_passphrase(ACCOUNT, "pw", legacy().into(), None)
        .await
        .unwrap();
    assert_eq!(signer.asked(), [format!("unlock {} {hash} pw", account())]);
    assert_eq!(with, signed);
    let encoded = signed.encoded_2718();
    assert!(matches!(v(&encoded), 27 | 28), "{}", hex::encode(&encoded));
    let read = TxEnvelope::decode_2718(&mut &encoded[..]).unwrap();
    assert_eq!(read, signed);
    let TxEnvelope::Legacy(read) = read else { panic!("{read:?}") };
    assert_eq!(read.tx(), &legacy());
    assert_eq!(read.recover_signer().unwrap(), ACCOUNT);
}

#[tokio::test]
async fn a_private_transaction_has_homestead_s_hash_and_a_v_of_37_or_38() {
    let (signer, wallet) = signer();
    let mut seen = [false; 2];
    for nonce in 0..16 {
        let transaction = TxLegacy { nonce, ..legacy() };
        let hash = transaction.signature_hash();
        let signed = wallet.sign_private_transaction(ACCOUNT, transaction.clone()).await.unwrap();
        assert_eq!(signer.asked(), [format!("sign {} {}", account(), hex::encode(hash))]);
        let with = wallet
            .sign_private_transaction_with_passphrase(ACCOUNT, "pw", transaction.clone())
            .await
            .unwrap();
        assert_eq!(signer.asked(), [format!("unlock {} {} pw", account(), hex::encode(hash))]);
        assert_eq!(with, signed);
        assert_eq!((signed.transaction(), signed.signer()), (&transaction, ACCOUNT));

        // As a node reads it, without knowing how it was made.
        let encoded = signed.encoded();
        assert_eq!(signed.v(), u64::from(v(&encoded)));
        assert!(matches!(signed.v(), 37 | 38), "{}", signed.v());
        seen[usize::from(v(&encoded) - 37)] = true;
        let signature = Signature::new(r(&encoded), s(&encoded), v(&encoded) == 38);
        assert_eq!(signature.recover_address_from_prehash(&hash).unwrap(), ACCOUNT);
        let read = TxEnvelope::decode_2718(&mut &encoded[..]).unwrap();
        assert_eq!(read.tx_hash(), &signed.hash());
        let TxEnvelope::Legacy(read) = read else { panic!("{read:?}") };
        assert_eq!(read.tx(), &TxLegacy { chain_id: Some(1), ..transaction });
    }
    assert_eq!(seen, [true; 2], "both of V's values were met");
}

/// V, R and S of an encoded legacy transaction whose R and S have 32 bytes.
fn v(encoded: &[u8]) -> u8 {
    encoded[encoded.len() - 67]
}

fn r(encoded: &[u8]) -> U256 {
    U256::from_be_slice(&encoded[encoded.len() - 65..encoded.len() - 33])
}

fn s(encoded: &[u8]) -> U256 {
    U256::from_be_slice(&encoded[encoded.len() - 32..])
}

#[tokio::test]
async fn typed_transactions_are_signed_for_their_chain_and_no_other() {
    let (_, wallet) = signer();
    let to = TxKind::Call(Address::repeat_byte(7));
    let eip1559 = |chain_id| -> TypedTransaction {
        TxEip1559 { chain_id, nonce: 3, gas_limit: 21_000, to, ..Default::default() }.into()
    };
    let eip2930 = |chain_id| -> TypedTransaction {
        TxEip2930 { chain_id, nonce: 3, gas_limit: 21_000, to, ..Default::default() }.into()
    };
    for (given, whole) in [
        (eip1559(0), eip1559(10)),
        (eip1559(10), eip1559(10)),
        (eip2930(0), eip2930(10)),
        (eip2930(10), eip2930(10)),
    ] {
        let signed = wallet.sign_transaction(ACCOUNT, given, Some(10)).await.unwrap();
        let hash: B256 = signed.signature_hash();
        assert_eq!(hash, whole.signature_hash());
        assert_eq!(signed.signature().recover_address_from_prehash(&hash).unwrap(), ACCOUNT);
        let read = TxEnvelope::decode_2718(&mut &signed.encoded_2718()[..]).unwrap();
        assert_eq!(TypedTransaction::from(read), whole);
    }
}

#[tokio::test]
async fn a_transaction_for_another_chain_is_refused_and_nothing_is_signed() {
    let (signer, wallet) = signer();
    let named = |chain_id| TxLegacy { chain_id: Some(chain_id), ..legacy() };
    let typed = |chain_id| TxEip1559 { chain_id, ..Default::default() };
    let rows: [(TypedTransaction, Option<u64>, &str); 5] = [
        (typed(11).into(), Some(10), "invalid chain id for signer"),
        (named(11).into(), Some(10), "invalid chain id for signer"),
        (named(10).into(), None, "invalid chain id for signer"),
        (typed(0).into(), None, "transaction type not supported"),
        (typed(10).into(), None, "transaction type not supported"),
    ];
    for (transaction, chain_id, expected) in rows {
        let signed = wallet.sign_transaction(ACCOUNT, transaction, chain_id).await;
        assert_eq!(signed.unwrap_err().to_string(), expected);
    }
    let private = wallet.sign_private_transaction(ACCOUNT, named(1)).await;
    assert!(matches!(private, Err(WalletError::ChainId)), "{private:?}");
    assert!(signer.asked().is_empty());
    let signed = wallet.sign_transaction(ACCOUNT, named(10).into(), Some(10)).await.unwrap();
    assert_eq!(signed.chain_id(), Some(10));
}
