//! GoQuorum's plugins in Go and Java, packed as GoQuorum's projects pack theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use outrigger::distribution::{PackOptions, pack};

use crate::artifacts;
use crate::kit::VERSION;

/// Interface, package in Go, package in Java.
const PACKAGES: [(&str, &str, &str); 4] = [
    ("helloworld", "quorum-plugin-hello-world", "quorum-plugin-hello-world-java"),
    ("account", "quorum-account-plugin-keys", "quorum-account-plugin-java"),
    ("security", "quorum-security-plugin-enterprise", "quorum-security-plugin-java"),
    (
        "qlighttokenmanager",
        "quorum-plugin-qlight-token-manager",
        "quorum-plugin-qlight-token-manager-java",
    ),
];

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Go, on the published SDK modules.
    Go,
    /// Java, in the manner of the public hello world.
    Java,
}

/// What a distribution's file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `NAME-VERSION-OS-ARCH.zip`, since GoQuorum 21.4.1.
    New,
    /// `NAME-VERSION.zip`, before it, and at Smilo's.
    Old,
}

/// A plugin that is built.
#[derive(Debug, Clone)]
pub struct Program {
    /// The interface that it serves, the key in the settings.
    pub interface: &'static str,
    /// The package, which is the name in the settings.
    pub package: &'static str,
    files: Vec<PathBuf>,
}

impl Program {
    /// All four, or `None` where the language's tools are missing.
    ///
    /// # Panics
    ///
    /// With `OUTRIGGER_STRICT=1`, where they are missing; and when the disk
    /// fails, as everything here does.
    #[must_use]
    pub fn all(language: Language) -> Option<Vec<Self>> {
        PACKAGES.iter().map(|(interface, ..)| Self::of(interface, language)).collect()
    }

    /// The one that serves an interface.
    ///
    /// # Panics
    ///
    /// As [`Program::all`], and where there is no such interface.
    #[must_use]
    pub fn of(interface: &str, language: Language) -> Option<Self> {
        let &(interface, go, java) =
            PACKAGES.iter().find(|(known, ..)| *known == interface).expect("an interface");
        let (built, package) = match language {
            Language::Go => ("quorum-go", go),
            Language::Java => ("quorum-java", java),
        };
        let built = artifacts::foreign(built)?;
        let mut files = files(&built.join(package));
        if language == Language::Java {
            files.extend(self::files(&built.join("tree")));
        }
        Some(Self { interface, package, files })
    }

    /// Packs it, flat, with `zip -j`, or in the same form where that is missing.
    #[must_use]
    pub fn pack(&self, directory: &Path, names: Names) -> PathBuf {
        let target = directory.join(self.file_name(names));
        if !zipped(&target, &self.files) {
            let flat = tempfile::tempdir().expect("a directory");
            for file in &self.files {
                fs::copy(file, flat.path().join(file.file_name().expect("a file's name")))
                    .expect("a copy");
            }
            let options = PackOptions { level: 0, ..PackOptions::default() };
            let packed = pack(flat.path(), directory, &options).expect("a distribution").path;
            fs::rename(packed, &target).expect("a name");
        }
        target
    }

    /// What its distribution is called.
    #[must_use]
    pub fn file_name(&self, names: Names) -> String {
        match names {
            Names::New => format!("{}-{VERSION}-linux-amd64.zip", self.package),
            Names::Old => format!("{}-{VERSION}.zip", self.package),
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("what was built");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// As the public makefiles pack; `false` where `zip` is missing. What is tested
/// is not the compression.
#[expect(clippy::disallowed_methods, reason = "tests start programs")]
fn zipped(target: &Path, files: &[PathBuf]) -> bool {
    let mut zip = Command::new("zip");
    zip.args(["-1", "-j", "-FS", "-q"]).arg(target).args(files).stdin(Stdio::null());
    match zip.output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => panic!("zip failed: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => false,
    }
}
