//! Keys that GnuPG would not make: parts left out, forged or misused.

use std::fs;

use outrigger_discovery::{
    PolicyViolation as Policy, Verification, VerifiedBy, Verifier, VerifyError,
};
use outrigger_types::Sha256Digest;
use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey, SubkeyParamsBuilder, SubpacketConfig,
};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Subpacket, SubpacketData};
use pgp::types::{Duration, KeyDetails, Password, SigningKey, Timestamp};
use rand::rngs::OsRng;

const DIGEST: Sha256Digest = Sha256Digest([7; 32]);

fn verify(key: &SignedPublicKey, by: &impl SigningKey) -> Result<VerifiedBy, VerifyError> {
    verify_with(key, by, SubpacketConfig::Default)
}

fn verify_with(
    key: &SignedPublicKey,
    by: &impl SigningKey,
    parts: SubpacketConfig,
) -> Result<VerifiedBy, VerifyError> {
    let text = DIGEST.to_string();
    let signature = DetachedSignature::sign_binary_data_with_subpackets(
        OsRng,
        by,
        &Password::empty(),
        HashAlgorithm::Sha256,
        text.as_bytes(),
        parts,
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let public_key = dir.path().join("ring.asc");
    fs::write(&public_key, key.to_armored_string(ArmorOptions::default()).unwrap()).unwrap();
    let signature = signature.to_armored_string(ArmorOptions::default()).unwrap();
    fs::write(dir.path().join("acme.zip.sha256sum.asc"), signature).unwrap();
    let signature_dir = dir.path().to_owned();
    Verification::LocalKey { public_key, signature_dir }
        .verify(&dir.path().join("acme.zip"), &DIGEST)
}

fn violation(result: Result<VerifiedBy, VerifyError>) -> Policy {
    match result {
        Err(VerifyError::Policy { violation, .. }) => violation,
        other => panic!("{other:?}"),
    }
}

/// A key whose primary part signs if `primary_signs`, with one signing subkey.
fn key(primary_signs: bool) -> SignedSecretKey {
    let algorithm = KeyType::ECDSA(ECCCurve::P256);
    let subkey =
        SubkeyParamsBuilder::default().key_type(algorithm.clone()).can_sign(true).build().unwrap();
    SecretKeyParamsBuilder::default()
        .key_type(algorithm)
        .can_certify(true)
        .can_sign(primary_signs)
        .primary_user_id("Acme".into())
        .subkey(subkey)
        .build()
        .unwrap()
        .generate(OsRng)
        .unwrap()
}

/// Binds the subkey anew, with the given flag and the old back signature or none.
fn rebound(key: &SignedSecretKey, signs: bool, keep_back_signature: bool) -> SignedPublicKey {
    let subkey = &key.secret_subkeys[0];
    let back = subkey.signatures[0].embedded_signature().cloned();
    let mut flags = KeyFlags::default();
    flags.set_sign(signs);
    flags.set_authentication(true);
    let binding = subkey
        .key
        .sign(
            OsRng,
            &key.primary_key,
            key.primary_key.public_key(),
            &Password::empty(),
            flags,
            back.filter(|_| keep_back_signature),
        )
        .unwrap();
    let mut public = key.to_public_key();
    public.public_subkeys[0].signatures = vec![binding];
    public
}

fn parts(by: &impl KeyDetails, hashed: Vec<SubpacketData>) -> SubpacketConfig {
    let part = |data| Subpacket::regular(data).unwrap();
    let issuer = part(SubpacketData::IssuerFingerprint(by.fingerprint()));
    let hashed = hashed.into_iter().map(part).chain([issuer]).collect();
    let now = part(SubpacketData::SignatureCreationTime(Timestamp::now()));
    SubpacketConfig::UserDefined { hashed, unhashed: vec![now] }
}

#[test]
fn a_key_made_for_certifying_does_not_sign() {
    let key = key(false);
    let found = violation(verify(&key.to_public_key(), &key.primary_key));
    assert!(matches!(found, Policy::NotForSigning { .. }), "{found:?}");
    verify(&key.to_public_key(), &key.secret_subkeys[0].key).unwrap();
}

#[test]
fn a_subkey_without_the_flag_for_signing_does_not_sign() {
    let key = key(true);
    let by = &key.secret_subkeys[0].key;
    verify(&rebound(&key, true, true), by).unwrap();
    let found = violation(verify(&rebound(&key, false, true), by));
    assert!(matches!(found, Policy::NotForSigning { .. }), "{found:?}");
}

#[test]
fn a_subkey_that_did_not_sign_back_does_not_sign() {
    let key = key(true);
    let found = violation(verify(&rebound(&key, true, false), &key.secret_subkeys[0].key));
    assert!(matches!(found, Policy::NoBackSignature { .. }), "{found:?}");
}

#[test]
fn a_subkey_taken_from_another_key_does_not_sign() {
    let (mine, theirs) = (key(true), key(true));
    let mut public = mine.to_public_key();
    public.public_subkeys = theirs.to_public_key().public_subkeys;
    let found = violation(verify(&public, &theirs.secret_subkeys[0].key));
    assert!(matches!(found, Policy::SubkeyNotBound { .. }), "{found:?}");
}

#[test]
fn a_key_without_a_self_signature_does_not_sign() {
    let (mine, theirs) = (key(true), key(true));
    let mut public = mine.to_public_key();
    public.details.users.clear();
    public.details.direct_signatures.clear();
    let found = violation(verify(&public, &mine.primary_key));
    assert!(matches!(found, Policy::NoSelfSignature { .. }), "{found:?}");
    public.details = theirs.to_public_key().details;
    let found = violation(verify(&public, &mine.primary_key));
    assert!(matches!(found, Policy::NoSelfSignature { .. }), "{found:?}");
}

#[test]
fn a_time_that_was_not_signed_is_no_time() {
    let key = key(true);
    let by = &key.primary_key;
    let public = key.to_public_key();
    let found = violation(verify_with(&public, by, parts(by, vec![])));
    assert_eq!(found, Policy::NoCreationTime);
    let made = SubpacketData::SignatureCreationTime(Timestamp::now());
    verify_with(&public, by, parts(by, vec![made])).unwrap();
}

#[test]
fn a_validity_that_overflows_the_calendar_is_no_expiry() {
    let key = key(true);
    let by = &key.primary_key;
    let made = SubpacketData::SignatureCreationTime(Timestamp::now());
    let ends = SubpacketData::SignatureExpirationTime(Duration::from_secs(u32::MAX));
    verify_with(&key.to_public_key(), by, parts(by, vec![made, ends])).unwrap();
}

#[test]
fn a_clock_a_little_ahead_is_forgiven_and_a_minute_more_is_not() {
    let key = key(true);
    let by = &key.primary_key;
    let made = |seconds: u32| {
        let time = Timestamp::from_secs(Timestamp::now().as_secs() + seconds);
        verify_with(
            &key.to_public_key(),
            by,
            parts(by, vec![SubpacketData::SignatureCreationTime(time)]),
        )
    };
    made(240).unwrap();
    let found = violation(made(420));
    assert!(matches!(found, Policy::FromTheFuture { .. }), "{found:?}");
}
