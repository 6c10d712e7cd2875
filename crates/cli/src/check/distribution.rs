//! A distribution is looked at: its structure, what it says about itself, and
//! who signed it. Nothing in it runs.

use std::path::{Path, PathBuf};

use outrigger::Platform;
use outrigger::distribution::{
    Distribution, Limits, Metadata, Verification, VerifiedBy, Verifier as _,
};

use super::findings::Findings;

const ARCHIVE: &str = "a zip that can be read, within the limits";
const CONTENTS: &str = "sound entries, a plugin-meta.json and the entry point that it names";
const DATA: &str = "files that unpack to their sizes and checksums";
const NAME: &str = "the name and version of plugin-meta.json in the file's name";
const SIGNATURE: &str = "a signature beside it, by the key";

/// Why no signature is looked at.
pub(super) const NO_KEY: &str = "no --key was given";

/// The file by itself.
pub(super) fn check(path: &Path, key: Option<&PathBuf>) -> Findings {
    let mut findings = Findings::new(&path.display());
    let found = look(&mut findings, "", path, key);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    if let (Some(metadata), Some(file)) = (found, file) {
        let Metadata { name, version, .. } = &metadata;
        let (name, version) = (name.as_deref().unwrap_or(""), version.as_deref().unwrap_or(""));
        let Platform { os, arch } = Platform::current();
        let names = [format!("{name}-{version}-{os}-{arch}.zip"), format!("{name}-{version}.zip")];
        if names.contains(&file) {
            findings.pass("file-name", NAME);
        } else {
            findings.fail(
                "file-name",
                NAME,
                format!("{file}; hosts look for {}", names.join(", ")),
            );
        }
    }
    findings
}

/// Looks at a file, in cases whose names begin with `prefix`.
pub(super) fn look(
    findings: &mut Findings,
    prefix: &str,
    path: &Path,
    key: Option<&PathBuf>,
) -> Option<Metadata> {
    let named = |name: &str| format!("{prefix}{name}");
    let limits = Limits::default();
    let opened = Distribution::open(path, &limits);
    let distribution = findings.take(named("archive"), ARCHIVE, opened)?;
    match key {
        None => findings.not_applicable(named("signature"), SIGNATURE, NO_KEY),
        Some(key) => {
            let verifier = Verification::LocalKey {
                public_key: key.clone(),
                signature_dir: path.parent().unwrap_or(Path::new(".")).to_owned(),
            };
            match verifier.verify(path, &distribution.digest()) {
                Ok(VerifiedBy::Key(signer)) => {
                    let user = signer.user_id.unwrap_or_else(|| "a key without a name".to_owned());
                    findings.note(named("signature"), SIGNATURE, format!("signed by {user}"));
                }
                Ok(_) => findings.pass(named("signature"), SIGNATURE),
                Err(error) => {
                    findings.fail(named("signature"), SIGNATURE, crate::failure::chain(&error));
                }
            }
        }
    }
    let contents = distribution.contents(&limits, &Platform::current());
    let mut contents = findings.take(named("contents"), CONTENTS, contents)?;
    let metadata = contents.metadata().clone();
    findings.take(named("data"), DATA, contents.check_data())?;
    Some(metadata)
}
