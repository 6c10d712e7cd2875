//! `outrigger sign`: the signature that hosts verify.

use std::path::{Path, PathBuf};

use clap::Args;
use outrigger::distribution::{self, IfExists, KeyAlgorithm, SigningKey};

use crate::failure::Failure;
use crate::tree;

/// Sign a distribution, so that hosts can verify it.
///
/// Writes `<zip>.sha256sum.asc`, an OpenPGP signature over the zip's SHA-256 in
/// hexadecimal digits, which GoQuorum verifies too.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The zip
    zip: PathBuf,
    /// The ASCII-armoured OpenPGP secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The environment variable that holds the key's password
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
    /// Make the key if it is missing, for this name, such as `Acme
    /// <plugins@acme.example>`; the public half goes to `<FILE>.pub`
    #[arg(long, value_name = "USER ID")]
    generate: Option<String>,
    /// Put the signature where a plugin central has it, in this tree of files,
    /// and the public key beside them as gpg.key
    #[arg(long, value_name = "TREE")]
    central: Option<PathBuf>,
    /// The path in the tree, as settings have it in `pluginSigPathTemplate`
    #[arg(long, value_name = "TEMPLATE", requires = "central")]
    sig_path: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let password = password(arguments.password_env.as_deref())?;
    let generated = match &arguments.generate {
        Some(user_id) if !arguments.key.exists() => {
            Some(generate(&arguments.key, user_id, password.as_deref())?)
        }
        _ => None,
    };
    let key = SigningKey::read(&arguments.key)?;
    let (path, digest, fingerprint) = match &arguments.central {
        None => {
            let signed = distribution::sign(&arguments.zip, &key, password.as_deref())?;
            (signed.path, signed.digest.to_string(), signed.signer.fingerprint)
        }
        Some(tree) => {
            let template = arguments.sig_path.as_deref();
            tree::sign(tree, template, &arguments.zip, &key, password.as_deref())?
        }
    };
    if arguments.json {
        let report = serde_json::json!({
            "path": path,
            "sha256": digest,
            "fingerprint": fingerprint,
            "public_key": generated,
        });
        println!("{report}");
        return Ok(());
    }
    println!("{}", path.display());
    println!("signed by {fingerprint}");
    if let Some(public) = generated {
        println!("hosts need the public key {} as <baseDir>/gpg.key", public.display());
    }
    Ok(())
}

fn password(variable: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(name) = variable else { return Ok(None) };
    match std::env::var(name) {
        Ok(password) => Ok(Some(password)),
        Err(_) => Err(Failure::Failed(format!(
            "environment variable {name} holds no text; set it to the key's password"
        ))),
    }
}

fn generate(path: &Path, user_id: &str, password: Option<&str>) -> Result<PathBuf, Failure> {
    let key = SigningKey::generate(user_id, KeyAlgorithm::default(), password)?;
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    key.write_secret(path, IfExists::Refuse)?;
    key.write_public(&public, IfExists::Refuse)?;
    Ok(public)
}
