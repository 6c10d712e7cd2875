//! What a node can be told to trust, with and without the features.

use super::*;
use crate::{PluginHost, helloworld};

/// Settings with one instance, and whatever else is said.
fn settings(more: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("settings.json");
    let base_dir = home.path().display();
    let text = format!(
        r#"{{"baseDir": "{base_dir}", {more}
            "providers": {{"helloworld": {{"name": "hello", "version": "1.0.0"}}}}}}"#
    );
    std::fs::write(&file, text).unwrap();
    (home, file)
}

const CENTRAL: &str = r#""central": {"baseURL": "https://plugins.example/"},"#;

fn register(file: PathBuf, choice: Choice) -> Result<crate::Registered, HostError> {
    let builder = PluginHost::builder().settings_file(file).interface(helloworld::interface());
    match choice {
        Choice::DangerSkip => builder.danger_skip_verification().register(),
        _ => builder.register(),
    }
}

#[test]
fn a_host_that_cannot_judge_signatures_says_so_before_it_starts() {
    let (_home, file) = settings("");
    let outcome = register(file, Choice::LocalKey);
    if cfg!(feature = "openpgp") {
        let _registered = outcome.unwrap();
        return;
    }
    let error = outcome.unwrap_err();
    assert!(matches!(error, HostError::Lacking { feature: "openpgp", .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("verification needs the feature `openpgp` of the crate `outrigger`"));
}

/// For settings that are applied later, which `register` does not see.
#[test]
fn a_verifier_that_cannot_judge_signatures_lets_nothing_pass() {
    let (home, file) = settings("");
    let settings = register(file, Choice::DangerSkip).unwrap().settings().clone();
    let verifier =
        trust(&settings, Choice::LocalKey, None, &Downloads::default()).unwrap().verifier;
    let digest = outrigger_discovery::sha256(b"zip".as_slice()).unwrap();
    let error = verifier.verify(&home.path().join("hello.zip"), &digest).unwrap_err();
    let lacking = matches!(error, outrigger_discovery::VerifyError::NoOpenPgp);
    assert_eq!(lacking, cfg!(not(feature = "openpgp")), "{error}");
}

#[test]
fn without_verification_no_feature_is_needed() {
    let (_home, file) = settings("");
    let _registered = register(file, Choice::DangerSkip).unwrap();
}

#[test]
fn settings_that_name_a_central_are_never_half_heeded() {
    let (_home, file) = settings(CENTRAL);
    let outcome = register(file, Choice::DangerSkip);
    if cfg!(feature = "central") {
        let registered = outcome.unwrap();
        let resolver = registered.resolver(Path::new("/nowhere"));
        assert!(resolver.central.is_some());
        return;
    }
    let error = outcome.unwrap_err();
    assert!(matches!(error, HostError::Lacking { feature: "central", .. }), "{error:?}");
}
