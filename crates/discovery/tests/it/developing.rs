//! A plugin in the directory where somebody works on it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use outrigger_discovery::{
    Developed, DirectoryError, DiscoveryError, EntryKind, EntryPointError, MetadataError,
    Verification, Verifier, VerifyError, Warning,
};

use crate::forge::SCRIPT;
use crate::support::{Place, definition, listing};

const METADATA: &str =
    r#"{"name":"acme","version":"1.2.0","entrypoint":"acme","parameters":["-v"]}"#;

/// A place and a directory in it, with metadata and a script.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    let directory = place.resolver.base_dir.join("work");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("plugin-meta.json"), METADATA).unwrap();
    fs::write(directory.join("acme"), SCRIPT).unwrap();
    fs::set_permissions(directory.join("acme"), fs::Permissions::from_mode(0o755)).unwrap();
    (place, directory)
}

fn resolve(place: &Place, directory: &std::path::Path) -> Result<Developed, DiscoveryError> {
    place.resolver.resolve_directory(directory, &definition())
}

#[test]
fn a_directory_is_used_where_it_stands_and_nothing_of_it_is_touched() {
    let (place, directory) = place();
    let before = listing(&directory);
    let developed = resolve(&place, &directory).unwrap();
    assert_eq!(developed.directory, directory);
    assert_eq!(developed.entry_point, directory.join("acme"));
    assert_eq!(developed.kind, EntryKind::Script);
    assert_eq!(developed.metadata.parameters, ["-v"]);
    assert_eq!(developed.warnings, [Warning::NotVerified]);
    drop(developed);
    assert_eq!(listing(&directory), before);
}

#[test]
fn a_directory_is_refused_wherever_plugins_are_verified() {
    let (mut place, directory) = place();
    let key = Verification::LocalKey {
        public_key: directory.join("gpg.key"),
        signature_dir: directory.clone(),
    };
    place.verifier(key);
    let error = resolve(&place, &directory).unwrap_err();
    assert!(matches!(error, DiscoveryError::Verify(VerifyError::Directory { .. })), "{error}");
    assert!(error.to_string().contains("pack and sign it"), "{error}");
}

/// A verifier that was written before directories were thought of.
#[derive(Debug)]
struct Trusting;

impl Verifier for Trusting {
    fn verify(
        &self,
        _: &std::path::Path,
        _: &outrigger_types::Sha256Digest,
    ) -> Result<outrigger_discovery::VerifiedBy, VerifyError> {
        Ok(outrigger_discovery::VerifiedBy::Nobody)
    }
}

#[test]
fn a_verifier_that_says_nothing_of_directories_refuses_them() {
    let (mut place, directory) = place();
    place.verifier(Trusting);
    let error = resolve(&place, &directory).unwrap_err();
    assert!(matches!(error, DiscoveryError::Verify(VerifyError::Directory { .. })), "{error}");
}

#[test]
fn what_a_directory_lacks_is_named() {
    let (place, directory) = place();
    let entry = directory.join("acme");
    fs::set_permissions(&entry, fs::Permissions::from_mode(0o644)).unwrap();
    let error = resolve(&place, &directory).unwrap_err();
    assert!(
        matches!(error, DiscoveryError::EntryPoint(EntryPointError::NotExecutable { .. })),
        "{error}"
    );
    fs::remove_file(&entry).unwrap();
    let error = resolve(&place, &directory).unwrap_err();
    assert!(
        matches!(error, DiscoveryError::EntryPoint(EntryPointError::Missing { .. })),
        "{error}"
    );
    fs::create_dir(&entry).unwrap();
    let error = resolve(&place, &directory).unwrap_err();
    assert!(
        matches!(error, DiscoveryError::EntryPoint(EntryPointError::NotAFile { .. })),
        "{error}"
    );
    fs::write(directory.join("plugin-meta.json"), "{").unwrap();
    let error = resolve(&place, &directory).unwrap_err();
    assert!(matches!(error, DiscoveryError::Metadata(MetadataError::Json { .. })), "{error}");
    fs::remove_file(directory.join("plugin-meta.json")).unwrap();
    let error = resolve(&place, &directory).unwrap_err();
    assert!(matches!(error, DiscoveryError::Metadata(MetadataError::Missing { .. })), "{error}");
    let absent = directory.join("absent");
    let error = resolve(&place, &absent).unwrap_err();
    assert!(
        matches!(error, DiscoveryError::Directory(DirectoryError::NotADirectory { .. })),
        "{error}"
    );
    assert!(!error.is_permanent(), "it may be made a moment later");
}

#[test]
fn an_entry_point_may_be_a_link_to_what_a_build_made_elsewhere() {
    let (place, directory) = place();
    let built = place.resolver.base_dir.join("built");
    fs::rename(directory.join("acme"), &built).unwrap();
    symlink(&built, directory.join("acme")).unwrap();
    assert_eq!(resolve(&place, &directory).unwrap().entry_point, directory.join("acme"));
}

#[test]
fn other_names_than_the_definition_s_are_a_warning() {
    let (place, directory) = place();
    fs::write(directory.join("plugin-meta.json"), METADATA.replace("1.2.0", "2.0.0")).unwrap();
    let developed = resolve(&place, &directory).unwrap();
    assert!(matches!(developed.warnings[..], [Warning::Version { .. }, Warning::NotVerified]));
}
