//! The judgement of GnuPG's own verifier, `gpgv`.

#![allow(clippy::disallowed_methods, reason = "it asks a program that is no plugin")]

use std::fs;
use std::io::{ErrorKind, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use pgp::armor::Dearmor;

/// `gpgv`, where the machine has it.
pub(crate) struct Gpgv {
    /// What it says of its version.
    pub(crate) version: String,
}

impl Gpgv {
    /// None is an error where `OUTRIGGER_STRICT` is set.
    pub(crate) fn find() -> Option<Self> {
        match Command::new("gpgv").arg("--version").output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let version = text.lines().next().unwrap_or_default().to_owned();
                Some(Self { version })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(
                    std::env::var_os("OUTRIGGER_STRICT").is_none(),
                    "gpgv is missing; install the package gpgv"
                );
                let _ = writeln!(std::io::stderr(), "skipped: gpgv is missing");
                None
            }
            Err(error) => panic!("gpgv: {error}"),
        }
    }

    /// Whether a key of the armoured `ring` signed one of `texts`, as gpgv sees
    /// it, and what it said.
    pub(crate) fn accepts(&self, ring: &[u8], signature: &[u8], texts: &[&str]) -> (bool, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("ring.gpg"), binary(ring)).unwrap();
        fs::write(path("signature"), signature).unwrap();
        let mut said = String::new();
        for text in texts {
            fs::write(path("text"), text).unwrap();
            let output = Command::new("gpgv")
                .env("LC_ALL", "C")
                .arg("--homedir")
                .arg(dir.path())
                .arg("--keyring")
                .arg(path("ring.gpg"))
                .args([path("signature"), path("text")])
                .stdin(Stdio::null())
                .output()
                .unwrap();
            if output.status.success() {
                return (true, String::new());
            }
            said += &String::from_utf8_lossy(&output.stderr);
        }
        (false, said)
    }
}

/// gpgv reads no armoured ring.
fn binary(ring: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(ring).unwrap();
    let mut bytes = Vec::new();
    for (at, _) in text.match_indices("-----BEGIN PGP PUBLIC KEY BLOCK") {
        Dearmor::new(&text.as_bytes()[at..]).read_to_end(&mut bytes).unwrap();
    }
    bytes
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pgp").join(name)).unwrap()
}
