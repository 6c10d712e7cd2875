//! The tree of files that a plugin central serves.

use std::fs;
use std::path::{Path, PathBuf};

use outrigger::distribution::{
    Distribution, IfExists, Limits, Packed, SigningKey, Verification, Verifier as _, VerifyError,
    atomic, signature_path,
};
use outrigger::settings::CentralSettings;
use outrigger::{ConfigSource, PathTemplate, Platform, PluginDefinition};
use outrigger_types::Sha256Digest;

use crate::failure::Failure;

/// The name of the public key in a tree.
const KEY: &str = "gpg.key";

/// Which path templates a tree follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Distribution,
    Signature,
}

/// Where something of a plugin lies in `tree`; its directory is made.
fn place(
    tree: &Path,
    template: Option<&str>,
    kind: Kind,
    name: Option<&str>,
    version: Option<&str>,
) -> Result<PathBuf, Failure> {
    let missing = |what: &str| {
        Failure::Failed(format!(
            "plugin-meta.json has no usable `{what}`; a central's paths need it"
        ))
    };
    let definition = PluginDefinition {
        name: name.and_then(|name| name.parse().ok()).ok_or_else(|| missing("name"))?,
        version: version.and_then(|it| it.parse().ok()).ok_or_else(|| missing("version"))?,
        config: ConfigSource::None,
    };
    let default = CentralSettings::default();
    let template = template.unwrap_or(match kind {
        Kind::Distribution => &default.dist_path_template,
        Kind::Signature => &default.sig_path_template,
    });
    let template =
        PathTemplate::parse(template).map_err(|error| Failure::Usage(error.to_string()))?;
    let path = template.render(&definition, &Platform::current());
    let inside = Path::new(&path)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    if !inside {
        return Err(Failure::Usage(format!("the path template leads out of the tree, to {path}")));
    }
    let path = tree.join(path);
    let parent = path.parent().unwrap_or(tree);
    fs::create_dir_all(parent).map_err(|error| {
        Failure::failed(&format!("{} cannot be made", parent.display()), &error)
    })?;
    Ok(path)
}

/// Moves what was packed beneath the tree to its place.
pub(crate) fn put(
    tree: &Path,
    template: Option<&str>,
    mut packed: Packed,
    if_exists: IfExists,
) -> Result<Packed, Failure> {
    let metadata = &packed.metadata;
    let (name, version) = (metadata.name.as_deref(), metadata.version.as_deref());
    let path = place(tree, template, Kind::Distribution, name, version)?;
    if if_exists == IfExists::Refuse && path.exists() {
        return Err(Failure::Failed(format!("{} is there already", path.display())));
    }
    fs::rename(&packed.path, &path).map_err(|error| {
        Failure::failed(&format!("{} cannot be written", path.display()), &error)
    })?;
    packed.path = path;
    Ok(packed)
}

/// Signs a zip for a tree: the signature goes to its place, and the public key
/// beside them all.
pub(crate) fn sign(
    tree: &Path,
    template: Option<&str>,
    zip: &Path,
    key: &SigningKey,
    password: Option<&str>,
) -> Result<(PathBuf, String, String), Failure> {
    let limits = Limits::default();
    let distribution = Distribution::open(zip, &limits)?;
    let digest = distribution.digest();
    let metadata = distribution.contents(&limits, &Platform::current())?.metadata().clone();
    let (name, version) = (metadata.name.as_deref(), metadata.version.as_deref());
    let path = place(tree, template, Kind::Signature, name, version)?;
    let (text, signer) = key.sign_digest(&digest, password)?;
    let unwritable = |path: &Path| {
        let what = format!("{} cannot be written", path.display());
        move |error| Failure::failed(&what, &error)
    };
    let public = tree.join(KEY);
    if public.exists() {
        holds(&public, zip, &text, &digest)?;
    } else {
        let armored = key.public_armored()?;
        atomic::write(&public, armored.as_bytes(), 0o644, IfExists::Refuse)
            .map_err(unwritable(&public))?;
    }
    atomic::write(&path, text.as_bytes(), 0o644, IfExists::Replace).map_err(unwritable(&path))?;
    Ok((path, digest.to_string(), signer.fingerprint))
}

/// Whether the tree's key ring has the key that signed.
fn holds(ring: &Path, zip: &Path, signature: &str, digest: &Sha256Digest) -> Result<(), Failure> {
    let scratch = tempfile::tempdir()
        .map_err(|error| Failure::failed("no temporary directory could be made", &error))?;
    fs::write(signature_path(scratch.path(), zip), signature)
        .map_err(|error| Failure::failed("a temporary file cannot be written", &error))?;
    let verification = Verification::LocalKey {
        public_key: ring.to_owned(),
        signature_dir: scratch.path().to_owned(),
    };
    match verification.verify(zip, digest) {
        Ok(_) => Ok(()),
        Err(VerifyError::UnknownSigner { .. }) => Err(Failure::Failed(format!(
            "{} does not hold the key that signs; append its public half",
            ring.display()
        ))),
        Err(error) => Err(Failure::failed(&format!("{} cannot be used", ring.display()), &error)),
    }
}
