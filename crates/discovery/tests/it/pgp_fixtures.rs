//! Keys and signatures made by GnuPG 2.2.40; `fixtures/pgp/README.md` says how.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use outrigger_discovery::{
    PolicyViolation as Policy, Verification, VerifiedBy, Verifier, VerifyError, inspect_keys,
};
use outrigger_types::Sha256Digest;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pgp").join(name)
}

/// The SHA-256 of `outrigger`, which all fixtures sign.
fn digest() -> Sha256Digest {
    "d08a3514efbebfe5dd2e1740042a8f561303da197746ffb2179e2f5f96e27b2b".parse().unwrap()
}

fn verify(key: &str, signature: &str) -> Result<VerifiedBy, VerifyError> {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("acme.zip.sha256sum.asc");
    fs::copy(fixture(&format!("{signature}.sig.asc")), copy).unwrap();
    let verification = Verification::LocalKey {
        public_key: fixture(&format!("{key}.key.asc")),
        signature_dir: dir.path().to_owned(),
    };
    verification.verify(&dir.path().join("acme.zip"), &digest())
}

fn violation(key: &str, signature: &str) -> Policy {
    match verify(key, signature) {
        Err(VerifyError::Policy { violation, .. }) => violation,
        other => panic!("{signature}: {other:?}"),
    }
}

#[test]
fn good_signatures_of_every_algorithm_count() {
    for (key, signature) in [
        ("rsa", "rsa"),
        ("rsa", "rsa-newline"),
        ("rsa", "sha512"),
        ("ed25519", "ed25519"),
        ("p256", "p256"),
        ("dsa2048", "dsa2048"),
        ("subkey", "subkey"),
        ("two-keys", "p256"),
        ("two-keys", "rsa"),
        ("two-blocks", "rsa"),
        ("two-blocks", "p256"),
    ] {
        let verified = verify(key, signature);
        assert!(matches!(verified, Ok(VerifiedBy::Key(_))), "{signature} by {key}: {verified:?}");
    }
}

#[test]
fn a_signing_subkey_is_reported_with_its_primary_key() {
    let Ok(VerifiedBy::Key(signer)) = verify("subkey", "subkey") else { panic!() };
    assert!(signer.subkey.is_some_and(|subkey| subkey != signer.fingerprint));
    assert_eq!(signer.user_id.as_deref(), Some("subkey <subkey@outrigger.example>"));
}

#[test]
fn other_bytes_than_the_digits_and_one_newline_are_not_what_was_signed() {
    for signature in ["other-digest", "rsa-crlf", "rsa-upper"] {
        let error = verify("rsa", signature).unwrap_err();
        assert!(matches!(error, VerifyError::DoesNotSign { .. }), "{signature}: {error}");
    }
}

#[test]
fn weak_hashes_do_not_count() {
    for (signature, name) in
        [("sha1", "SHA1"), ("md5", "MD5"), ("ripemd", "RIPEMD160"), ("sha224", "SHA224")]
    {
        let found = violation("rsa", signature);
        assert!(matches!(&found, Policy::WeakHash { hash, .. } if hash == name), "{found:?}");
    }
    let found = violation("sha1-self", "sha1-self");
    let expected = "the key's self-signature";
    assert!(matches!(found, Policy::WeakHash { what, .. } if what == expected), "{found:?}");
}

#[test]
fn signatures_outside_their_time_do_not_count() {
    let found = violation("rsa", "expired-signature");
    let expired = "2026-02-02T00:00:00Z".to_owned();
    assert_eq!(found, Policy::SignatureExpired { expired });
    let found = violation("rsa", "future");
    let created = "2099-01-01T00:00:00Z".to_owned();
    assert_eq!(found, Policy::FromTheFuture { created });
    let found = violation("rsa", "before-key");
    assert!(matches!(found, Policy::OlderThanKey { .. }), "{found:?}");
}

#[test]
fn signatures_of_another_kind_do_not_count() {
    assert_eq!(violation("rsa", "text"), Policy::SignatureType);
    assert_eq!(violation("rsa", "notation"), Policy::CriticalPart);
    for signature in ["cleartext", "message", "two"] {
        let error = verify("rsa", signature).unwrap_err();
        assert!(matches!(error, VerifyError::SignatureContent { .. }), "{signature}: {error}");
    }
}

#[test]
fn keys_outside_their_time_do_not_count() {
    for name in ["expired-key", "expired-subkey"] {
        let found = violation(name, name);
        assert!(
            matches!(&found, Policy::KeyExpired { expired, .. } if expired.starts_with("2020-12-3")),
            "{found:?}"
        );
    }
    for name in ["revoked-key", "revoked-subkey"] {
        let found = violation(name, name);
        assert!(matches!(found, Policy::KeyRevoked { .. }), "{name}: {found:?}");
    }
}

#[test]
fn weak_keys_do_not_count() {
    for (name, expected) in [("rsa1024", "RSA with 1024 bits"), ("dsa1024", "DSA with 1024 bits")] {
        let found = violation(name, name);
        assert!(
            matches!(&found, Policy::WeakKey { algorithm, .. } if algorithm == expected),
            "{found:?}"
        );
    }
    let found = violation("k256", "k256");
    assert!(matches!(found, Policy::WeakKey { .. }), "{found:?}");
}

#[test]
fn a_key_that_is_not_in_the_ring_is_unknown() {
    let error = verify("p256", "rsa").unwrap_err();
    assert!(matches!(error, VerifyError::UnknownSigner { .. }), "{error}");
}

#[test]
fn a_refusal_says_what_to_do() {
    let error = verify("revoked-key", "revoked-key").unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("is revoked; do not use the plugin; get the publisher's new key"),
        "{text}"
    );
}

#[test]
fn a_key_that_may_sign_nothing_now_is_told_from_one_that_may() {
    let inspect =
        |name: &str| inspect_keys(&fixture(&format!("{name}.key.asc")), SystemTime::now());
    for name in ["rsa", "ed25519", "subkey"] {
        let keys = inspect(name).unwrap();
        assert!(keys.iter().all(|key| key.problem.is_none()), "{name}: {keys:?}");
        assert_eq!(keys[0].fingerprint.len(), 40);
    }
    assert_eq!(inspect("two-keys").unwrap().len(), 2);
    let problem = |name: &str| inspect(name).unwrap().remove(0).problem;
    assert!(matches!(problem("expired-key"), Some(Policy::KeyExpired { .. })));
    assert!(matches!(problem("revoked-key"), Some(Policy::KeyRevoked { .. })));
    assert!(problem("rsa1024").is_some() && problem("dsa1024").is_some());
    assert!(matches!(
        inspect_keys(&fixture("README.md"), SystemTime::now()),
        Err(VerifyError::KeyRingContent { .. })
    ));
    assert!(matches!(
        inspect_keys(&fixture("absent"), SystemTime::now()),
        Err(VerifyError::KeyRing { .. })
    ));
}
