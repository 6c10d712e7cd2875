//! All four interfaces in one settings file, from distributions as GoQuorum's
//! projects pack and sign them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use outrigger::account::AccountService as _;
use outrigger::distribution::Distribution;
use outrigger::helloworld::Greeter as _;
use outrigger::qlight::TokenManager as _;
use outrigger::security::AuthenticationManager as _;
use outrigger::{PluginHost, account, helloworld, qlight, security};
use outrigger_testkit::kit::{Kit, VERSION};
use outrigger_testkit::quorum_programs::{Language, Names, Program};
use outrigger_testkit::{artifacts, e2e};
use serde_json::json;

use crate::{STOP, builder};

/// A config that the interface's plugin takes; nothing of it is asked.
fn config(interface: &str) -> serde_json::Value {
    let nobody = "http://127.0.0.1:1/";
    match interface {
        "helloworld" => json!({ "language": "en" }),
        "security" => json!({ "tokenValidation": { "jws": { "endpoint": nobody } } }),
        "qlighttokenmanager" => json!({ "URL": nobody, "Method": "POST" }),
        _ => json!({}),
    }
}

/// A base directory with all four, each signed by the same key.
fn all(programs: &[Program], names: Names) -> Kit {
    let mut kit = Kit::new();
    let mut key = None;
    for program in programs {
        let zip = program.pack(&kit.base_dir(), names);
        let key = key.get_or_insert_with(|| kit.sign(&zip));
        outrigger::distribution::sign(&zip, key, None).unwrap();
        kit.set(
            &format!("/providers/{}", program.interface),
            json!({ "name": program.package, "version": VERSION, "config": config(program.interface) }),
        );
    }
    kit
}

/// One call of each interface.
async fn all_serve(host: &PluginHost) {
    let hello = host.gateway::<helloworld::Handle>("helloworld").unwrap();
    assert!(hello.greeting("x").await.unwrap().starts_with("Hello x"));
    let account = host.gateway::<account::Handle>("account").unwrap();
    assert_eq!(account.status().await.unwrap(), "0 unlocked account(s): []");
    let security = host.gateway::<security::Handle>("security").unwrap();
    assert!(security.is_enabled().await.unwrap());
    let tokens = host.gateway::<qlight::Handle>("qlighttokenmanager").unwrap();
    assert!(tokens.refresh_anticipation().await.unwrap().is_zero());
}

async fn start_signed(language: Language, names: Names) {
    let Some(programs) = Program::all(language) else { return };
    let kit = all(&programs, names);
    let host = builder(&kit).register().unwrap().start().await.unwrap();
    all_serve(&host).await;
    host.stop(STOP).await.unwrap();
    kit.assert_clean();
}

/// As a directory of Smilo's: names without system and architecture, and
/// `Central.pgp.pk` for the key.
async fn start_as_smilo(language: Language) {
    let Some(programs) = Program::all(language) else { return };
    let kit = all(&programs, Names::Old);
    let key = kit.base_dir().join("Central.pgp.pk");
    fs::rename(kit.base_dir().join("gpg.key"), &key).unwrap();
    let host = builder(&kit).public_key(key).register().unwrap().start().await.unwrap();
    all_serve(&host).await;
    host.stop(STOP).await.unwrap();
    kit.assert_clean();
}

/// GnuPG, with a key of its own; `None` where it is missing.
struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    fn new(kit: &Kit) -> Option<Self> {
        // Its agent's socket is in there, whose path must be short.
        let home = tempfile::Builder::new().prefix("g").tempdir().unwrap();
        let gpg = Self { home };
        let made =
            gpg.command(&["--quick-generate-key", "tests", "rsa3072", "sign", "never"]).output();
        if made.is_err() {
            let strict = std::env::var_os(artifacts::STRICT).is_some_and(|strict| strict == "1");
            assert!(!strict, "gpg is missing");
            return None;
        }
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let key = gpg.command(&["--armor", "--export", "tests"]).output().unwrap();
        fs::write(kit.base_dir().join("gpg.key"), key.stdout).unwrap();
        Some(gpg)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut gpg = Command::new("gpg");
        gpg.arg("--homedir")
            .arg(self.home.path())
            .args(["--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"])
            .args(arguments)
            .stdin(Stdio::null());
        gpg
    }

    /// Signs the checksum, which is followed by this.
    fn sign(&self, zip: &Path, ending: &str) {
        let digest = Distribution::open(zip, &Default::default()).unwrap().digest().to_string();
        let text = self.home.path().join("checksum");
        fs::write(&text, digest + ending).unwrap();
        let mut signature = zip.as_os_str().to_owned();
        signature.push(".sha256sum.asc");
        let signed = self
            .command(&["--yes", "--armor", "--detach-sign", "--output"])
            .arg(PathBuf::from(signature))
            .arg(text)
            .output()
            .unwrap();
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        let _gone = end.arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).output();
    }
}

async fn greets(kit: &Kit) -> Result<(), String> {
    let started = builder(kit).register().unwrap().start().await;
    let host = started.map_err(|error| error.to_string())?;
    let hello = host.gateway::<helloworld::Handle>("helloworld").unwrap();
    let greeted = hello.greeting("x").await.map(drop).map_err(|error| error.to_string());
    host.stop(STOP).await.unwrap();
    kit.assert_clean();
    greeted
}

/// The keys that the makefiles of GoQuorum's plugins write; their hello world
/// has fewer.
#[test]
fn metadata_of_the_go_plugins_has_the_keys_of_the_public_ones() {
    let Some(built) = artifacts::foreign("quorum-go") else { return };
    let many = ["arch", "entrypoint", "gitBranch", "gitCommit", "gitRepo", "name", "os", "version"];
    for (package, entry_point, keys) in [
        ("quorum-plugin-hello-world", "helloworld", &["entrypoint", "name", "version"][..]),
        ("quorum-security-plugin-enterprise", "quorum-security-plugin-enterprise", &many),
        ("quorum-plugin-qlight-token-manager", "qlight-token-manager", &many),
        ("quorum-account-plugin-keys", "quorum-account-plugin-keys", &many),
    ] {
        let text = fs::read(built.join(package).join("plugin-meta.json")).unwrap();
        let metadata: serde_json::Map<_, _> = serde_json::from_slice(&text).unwrap();
        assert_eq!(metadata.keys().collect::<Vec<_>>(), keys);
        assert_eq!(metadata["name"], package);
        assert_eq!(metadata["entrypoint"], entry_point);
        assert!(built.join(package).join(entry_point).exists());
    }
}

e2e! {
    async fn go_plugins_of_all_four_interfaces_start_signed() {
        start_signed(Language::Go, Names::New).await;
    }

    async fn java_plugins_of_all_four_interfaces_start_signed() {
        start_signed(Language::Java, Names::New).await;
    }

    async fn go_plugins_under_their_old_names_start_signed_as_smilo_s_do() {
        start_as_smilo(Language::Go).await;
    }

    async fn java_plugins_under_their_old_names_start_signed_as_smilo_s_do() {
        start_as_smilo(Language::Java).await;
    }

    async fn go_plugins_under_their_old_names_start_with_the_key_of_today_too() {
        start_signed(Language::Go, Names::Old).await;
    }

    async fn gnupg_s_signatures_over_a_checksum_and_over_a_line_are_good() {
        let Some(program) = Program::of("helloworld", Language::Go) else { return };
        let mut kit = Kit::new();
        let Some(gpg) = Gpg::new(&kit) else { return };
        kit.provide("helloworld", program.package);
        for names in [Names::Old, Names::New] {
            for ending in ["", "\n"] {
                let zip = program.pack(&kit.base_dir(), names);
                gpg.sign(&zip, ending);
                greets(&kit).await.unwrap();
            }
            // Two line feeds are one too many.
            let zip = program.pack(&kit.base_dir(), names);
            gpg.sign(&zip, "\n\n");
            let error = greets(&kit).await.unwrap_err();
            assert!(error.contains("does not sign"), "{error}");
        }
        drop(gpg);
    }
}
