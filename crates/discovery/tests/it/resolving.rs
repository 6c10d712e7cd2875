//! The stages in their order, and what happens between them.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger_discovery::{
    DiscoveryError, KeyAlgorithm, LocateError, SigningKey, Verification, VerifiedBy, Verifier,
    VerifyError, Warning, sign,
};
use outrigger_types::Sha256Digest;

use crate::forge::{Forge, Member, SCRIPT};
use crate::support::{Place, definition};

#[derive(Debug)]
struct Rewriting {
    zip: PathBuf,
    with: Vec<u8>,
}

impl Verifier for Rewriting {
    fn verify(&self, _: &Path, _: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        // In place: the same file, other bytes.
        fs::write(&self.zip, &self.with).unwrap();
        Ok(VerifiedBy::Nobody)
    }
}

#[test]
fn a_file_rewritten_after_it_was_hashed_is_not_what_is_unpacked() {
    let mut place = Place::with_zip(&Forge::plugin([]).bytes());
    let mut evil = Forge::plugin([]);
    evil.members[1] =
        Member { attributes: evil.members[1].attributes, ..Member::stored("acme", "#!/evil\n") };
    place.verifier(Rewriting { zip: place.zip(), with: evil.bytes() });
    let resolved = place.resolve().unwrap();
    assert_eq!(fs::read_to_string(&resolved.entry_point.path).unwrap(), SCRIPT);
    let again = place.resolve().unwrap();
    assert_ne!(again.digest, resolved.digest);
}

/// Accepts one digest.
#[derive(Debug)]
struct Pinned(Sha256Digest);

impl Verifier for Pinned {
    fn verify(&self, path: &Path, digest: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        if *digest == self.0 {
            return Ok(VerifiedBy::Nobody);
        }
        let (distribution, signature) = (path.to_owned(), path.to_owned());
        Err(VerifyError::DoesNotSign { distribution, digest: *digest, signature })
    }
}

#[test]
fn attackers_who_swap_and_rewrite_the_file_meanwhile_never_get_theirs_unpacked() {
    let good = Forge::plugin([]).bytes();
    let evil = Forge::plugin([Member::stored("evil", "x")]).bytes();
    let mut place = Place::with_zip(&good);
    place.verifier(Pinned(place.resolve().unwrap().digest));
    let zip = place.zip();
    let done = AtomicBool::new(false);
    let mut accepted = 0;
    std::thread::scope(|scope| {
        for attack in [0, 1] {
            let (zip, done, good, evil) = (&zip, &done, &good, &evil);
            scope.spawn(move || {
                let spare = zip.with_extension(format!("spare{attack}"));
                while !done.load(Ordering::Relaxed) {
                    for bytes in [evil, good] {
                        if attack == 0 {
                            fs::write(zip, bytes).unwrap();
                        } else {
                            fs::write(&spare, bytes).unwrap();
                            fs::rename(&spare, zip).unwrap();
                        }
                    }
                }
            });
        }
        for _ in 0..2000 {
            if let Ok(resolved) = place.resolve() {
                accepted += 1;
                let tree = fs::read_dir(resolved.workspace.tree()).unwrap();
                if tree.count() != 2 {
                    accepted = usize::MAX;
                    break;
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!((1..=2000).contains(&accepted), "{accepted}");
}

#[derive(Debug)]
struct Refusing;

impl Verifier for Refusing {
    fn verify(&self, distribution: &Path, _: &Sha256Digest) -> Result<VerifiedBy, VerifyError> {
        let path = || distribution.to_owned();
        Err(VerifyError::SignatureMissing { distribution: path(), signature: path() })
    }
}

#[test]
fn an_archive_that_is_not_verified_is_not_even_parsed() {
    let mut place = Place::with_zip(b"no zip at all");
    place.verifier(Refusing);
    let before = place.listing();
    let error = place.resolve().unwrap_err();
    assert!(matches!(error, DiscoveryError::Verify(_)), "{error}");
    assert_eq!(place.listing(), before);
}

#[test]
fn a_signed_distribution_names_its_signer_and_has_no_warnings() {
    let mut place = Place::with_zip(&Forge::plugin([]).bytes());
    let key = SigningKey::generate("Acme <a@acme.example>", KeyAlgorithm::EcdsaP256, None).unwrap();
    sign(&place.zip(), &key, None).unwrap();
    let keys = tempfile::tempdir().unwrap();
    let public_key = keys.path().join("acme.pub.asc");
    key.write_public(&public_key, outrigger_discovery::IfExists::Refuse).unwrap();
    let signature_dir = place.resolver.base_dir.clone();
    place.verifier(Verification::LocalKey { public_key, signature_dir });
    let resolved = place.resolve().unwrap();
    let VerifiedBy::Key(signer) = &resolved.verified_by else { panic!("{resolved:?}") };
    assert_eq!(signer.fingerprint, key.fingerprint());
    assert_eq!(signer.user_id.as_deref(), Some("Acme <a@acme.example>"));
    assert_eq!(resolved.warnings, []);
    assert_eq!(resolved.distribution, place.zip());
}

#[test]
fn the_older_name_is_resolved_with_its_own_signature() {
    let mut place = Place::new();
    let zip = place.resolver.base_dir.join("acme-1.2.0.zip");
    fs::write(&zip, Forge::plugin([]).bytes()).unwrap();
    let key = SigningKey::generate("Acme", KeyAlgorithm::EcdsaP256, None).unwrap();
    let signed = sign(&zip, &key, None).unwrap();
    assert_eq!(signed.path, place.resolver.base_dir.join("acme-1.2.0.zip.sha256sum.asc"));
    let public_key = place.resolver.run_dir.join("key.asc");
    key.write_public(&public_key, outrigger_discovery::IfExists::Refuse).unwrap();
    let signature_dir = place.resolver.base_dir.clone();
    place.verifier(Verification::LocalKey { public_key, signature_dir });
    let resolved = place.resolve().unwrap();
    assert_eq!(resolved.warnings, [Warning::OlderName { path: zip }]);
}

#[test]
fn skipping_verification_and_loose_permissions_are_warned_of() {
    let place = Place::with_zip(&Forge::plugin([]).bytes());
    fs::set_permissions(&place.resolver.base_dir, fs::Permissions::from_mode(0o777)).unwrap();
    let resolved = place.resolve().unwrap();
    let path = place.resolver.base_dir.clone();
    assert_eq!(
        resolved.warnings,
        [Warning::NotVerified, Warning::WritableByOthers { path, mode: 0o777 }]
    );
}

#[test]
fn metadata_for_another_plugin_is_warned_of() {
    let place = Place::new();
    let mut other = definition();
    other.name = "other".parse().unwrap();
    let zip = place.resolver.base_dir.join("other-1.2.0-linux-amd64.zip");
    fs::write(zip, Forge::plugin([]).bytes()).unwrap();
    let resolved = place.resolver.resolve(&other, None, &|| Duration::ZERO).unwrap();
    let expected = Warning::Name { expected: "other".into(), found: Some("acme".into()) };
    assert!(resolved.warnings.contains(&expected), "{:?}", resolved.warnings);
}

#[test]
fn a_missing_distribution_is_not_permanent() {
    let error = Place::new().resolve().unwrap_err();
    assert!(matches!(error, DiscoveryError::Locate(LocateError::NotFound { .. })), "{error}");
    assert!(!error.is_permanent());
}

#[test]
fn the_workspace_lives_as_long_as_any_generation_holds_it() {
    let place = Place::with_zip(&Forge::plugin([]).bytes());
    let first = place.resolve().unwrap();
    let second = first.clone();
    let path = first.workspace.path().to_owned();
    assert_eq!(Arc::strong_count(&second.workspace), 2);
    drop(first);
    assert!(path.exists());
    drop(second);
    assert!(!path.exists());
}

#[test]
fn timings_come_from_the_callers_clock() {
    let place = Place::with_zip(&Forge::plugin([]).bytes());
    let ticks = Cell::new(0);
    let clock = || {
        ticks.set(ticks.get() * 2 + 1);
        Duration::from_secs(ticks.get())
    };
    let timings = place.resolver.resolve(&definition(), None, &clock).unwrap().timings;
    let seconds = [timings.locate, timings.verify, timings.unpack].map(|part| part.as_secs());
    assert_eq!(seconds, [2, 4, 8]);
}

#[test]
fn an_unchanged_distribution_is_verified_again_and_not_unpacked_again() {
    let mut place = Place::with_zip(&Forge::plugin([]).bytes());
    let first = place.resolve().unwrap();
    let again = place.resolver.resolve(&definition(), Some(&first), &|| Duration::ZERO).unwrap();
    assert!(Arc::ptr_eq(&first.workspace, &again.workspace));
    place.verifier(Pinned(Sha256Digest([0; 32])));
    let refused = place.resolver.resolve(&definition(), Some(&first), &|| Duration::ZERO);
    assert!(refused.is_err(), "a known distribution is not trusted for ever");
}
