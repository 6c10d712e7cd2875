//! Keys and signatures made by the crate itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use outrigger_discovery::{
    IfExists, KeyAlgorithm, KeyRingProblem, SignError, SigningKey, Verification, VerifiedBy,
    Verifier, VerifyError, sign,
};
use outrigger_types::Sha256Digest;
use tempfile::TempDir;

const DIGEST: Sha256Digest = Sha256Digest([7; 32]);

fn key() -> SigningKey {
    SigningKey::generate("Acme <a@acme.example>", KeyAlgorithm::EcdsaP256, None).unwrap()
}

struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new(ring: impl AsRef<[u8]>, signature: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ring.asc"), ring).unwrap();
        fs::write(dir.path().join("acme.zip.sha256sum.asc"), signature).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn verify(&self, digest: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        let verification = Verification::LocalKey {
            public_key: self.path("ring.asc"),
            signature_dir: self.dir.path().to_owned(),
        };
        verification.verify(&self.path("acme.zip"), digest)
    }
}

#[test]
fn a_signature_by_any_key_of_the_ring_counts() {
    let (first, second) = (key(), key());
    let ring = first.public_armored().unwrap() + &second.public_armored().unwrap();
    let (signature, signer) = second.sign_digest(&DIGEST, None).unwrap();
    let desk = Desk::new(ring, signature);
    assert_eq!(desk.verify(&DIGEST).unwrap(), VerifiedBy::Key(signer));
}

#[test]
fn a_digest_that_differs_in_one_bit_is_refused_with_paths_and_remedy() {
    let key = key();
    let (signature, _) = key.sign_digest(&DIGEST, None).unwrap();
    let desk = Desk::new(key.public_armored().unwrap(), signature);
    for bit in 0..256 {
        let mut other = DIGEST;
        other.0[bit / 8] ^= 1 << (bit % 8);
        let error = desk.verify(&other).unwrap_err();
        assert!(error.to_string().ends_with("; download both again"), "{error}");
        assert!(matches!(error, VerifyError::DoesNotSign { digest, .. } if digest == other));
    }
}

#[test]
fn a_signature_by_a_stranger_names_the_strangers_key() {
    let stranger = key();
    let (signature, _) = stranger.sign_digest(&DIGEST, None).unwrap();
    let desk = Desk::new(key().public_armored().unwrap(), signature);
    let error = desk.verify(&DIGEST).unwrap_err();
    let VerifyError::UnknownSigner { issuer, .. } = error else { panic!("{error}") };
    assert_eq!(issuer, stranger.fingerprint());
}

#[test]
fn missing_files_are_told_apart() {
    let key = key();
    let (signature, _) = key.sign_digest(&DIGEST, None).unwrap();
    let desk = Desk::new(key.public_armored().unwrap(), signature);
    fs::remove_file(desk.path("acme.zip.sha256sum.asc")).unwrap();
    let error = desk.verify(&DIGEST).unwrap_err();
    assert!(matches!(error, VerifyError::SignatureMissing { .. }), "{error}");
    fs::remove_file(desk.path("ring.asc")).unwrap();
    let error = desk.verify(&DIGEST).unwrap_err();
    assert!(matches!(error, VerifyError::KeyRing { .. }), "{error}");
}

#[test]
fn files_of_another_kind_in_place_of_keys_and_signatures_are_refused() {
    let key = key();
    let public = key.public_armored().unwrap();
    let (signature, _) = key.sign_digest(&DIGEST, None).unwrap();
    let dir = tempfile::tempdir().unwrap();
    key.write_secret(&dir.path().join("secret"), IfExists::Refuse).unwrap();
    let secret = fs::read_to_string(dir.path().join("secret")).unwrap();
    for (ring, expected) in [
        (String::new(), KeyRingProblem::NoKeys),
        ("hello".into(), KeyRingProblem::NoKeys),
        (signature.clone(), KeyRingProblem::NoKeys),
        (secret.clone(), KeyRingProblem::SecretKey),
        (public.clone() + &secret, KeyRingProblem::SecretKey),
    ] {
        let error = Desk::new(ring, &signature).verify(&DIGEST).unwrap_err();
        let VerifyError::KeyRingContent { problem, .. } = error else { panic!("{error}") };
        assert_eq!(problem, expected);
    }
    let padded = "-----BEGIN PGP SIGNATURE-----\n".to_owned() + &"Comment: x\n".repeat(200) + "\n";
    for text in ["", "hello", &public, &(signature.clone() + &signature), &padded] {
        let error = Desk::new(&public, text).verify(&DIGEST).unwrap_err();
        assert!(matches!(error, VerifyError::SignatureContent { .. }), "{text}: {error}");
    }
    let error = Desk::new(&public, [0xff; 10]).verify(&DIGEST).unwrap_err();
    assert!(matches!(error, VerifyError::SignatureContent { .. }), "{error}");
}

#[test]
fn keys_and_signatures_of_megabytes_are_not_read() {
    let key = key();
    let public = key.public_armored().unwrap();
    let (signature, _) = key.sign_digest(&DIGEST, None).unwrap();
    let desk = Desk::new(&public, "x".repeat(16 * 1024 + 1) + &signature);
    let error = desk.verify(&DIGEST).unwrap_err();
    assert!(matches!(error, VerifyError::Signature { .. }), "{error}");
    let desk = Desk::new("x".repeat(1024 * 1024 + 1) + &public, signature);
    let error = desk.verify(&DIGEST).unwrap_err();
    assert!(matches!(error, VerifyError::KeyRing { .. }), "{error}");
}

#[test]
fn damage_to_key_ring_or_signature_is_never_a_success_or_a_panic() {
    let key = key();
    let public = key.public_armored().unwrap();
    let (signature, _) = key.sign_digest(&DIGEST, None).unwrap();
    let other = Sha256Digest([8; 32]);
    for at in (0..signature.len()).step_by(3) {
        let mut damaged = signature.clone().into_bytes();
        damaged[at] ^= 1;
        assert!(Desk::new(&public, damaged).verify(&other).is_err());
    }
    for at in (0..public.len()).step_by(5) {
        let mut damaged = public.clone().into_bytes();
        damaged[at] ^= 1;
        assert!(Desk::new(damaged, &signature).verify(&other).is_err());
    }
}

#[test]
fn a_secret_key_is_private_and_never_overwritten_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("acme.sec.asc");
    let key = key();
    key.write_secret(&path, IfExists::Refuse).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = self::key().write_secret(&path, IfExists::Refuse).unwrap_err();
    assert!(matches!(error, SignError::Write { .. }), "{error}");
    assert_eq!(SigningKey::read(&path).unwrap().fingerprint(), key.fingerprint());
    self::key().write_secret(&path, IfExists::Replace).unwrap();
    assert_ne!(SigningKey::read(&path).unwrap().fingerprint(), key.fingerprint());
}

#[test]
fn a_locked_key_asks_for_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("acme.sec.asc");
    SigningKey::generate("Acme", KeyAlgorithm::EcdsaP256, Some("correct horse"))
        .unwrap()
        .write_secret(&path, IfExists::Refuse)
        .unwrap();
    let key = SigningKey::read(&path).unwrap();
    let error = key.sign_digest(&DIGEST, None).unwrap_err();
    assert!(matches!(error, SignError::Locked), "{error}");
    let error = key.sign_digest(&DIGEST, Some("wrong")).unwrap_err();
    assert!(matches!(error, SignError::Unusable { .. }), "{error}");
    let (signature, _) = key.sign_digest(&DIGEST, Some("correct horse")).unwrap();
    Desk::new(key.public_armored().unwrap(), signature).verify(&DIGEST).unwrap();
}

#[test]
fn debug_output_of_a_secret_key_is_its_fingerprint() {
    let key = key();
    assert_eq!(format!("{key:?}"), format!("SigningKey(\"{}\")", key.fingerprint()));
}

#[test]
fn signing_a_zip_replaces_an_older_signature() {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("acme.zip");
    fs::write(&zip, "one").unwrap();
    let key = key();
    sign(&zip, &key, None).unwrap();
    fs::write(&zip, "two").unwrap();
    let signed = sign(&zip, &key, None).unwrap();
    let desk = Desk::new(key.public_armored().unwrap(), fs::read(&signed.path).unwrap());
    desk.verify(&signed.digest).unwrap();
}
