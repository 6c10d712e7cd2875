//! A host, and its commands, with a central: what is fetched, whose signature
//! counts, and what a central that is down changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use outrigger::distribution::{IfExists, KeyAlgorithm, PackOptions, SigningKey, pack, sign};
use outrigger_testkit::central::{Answer, FakeCentral};
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::json;

/// A central's tree in a directory, a server on it, and a kit that knows it.
struct Site {
    kit: Kit,
    tree: PathBuf,
    up: Arc<AtomicBool>,
    server: FakeCentral,
    key: SigningKey,
}

impl Site {
    fn new() -> Self {
        let mut kit = Kit::new();
        let tree = kit.path().join("tree");
        let place = tree.join("maven/bin/hello/1.0.0");
        fs::create_dir_all(&place).unwrap();
        let source = kit.path().join("source");
        fs::create_dir(&source).unwrap();
        let script = format!("#!/bin/sh\nexec '{}' ok\n", artifacts::fixture_plugin().display());
        fs::write(source.join("run"), script).unwrap();
        fs::set_permissions(source.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        let metadata = json!({ "name": "hello", "version": "1.0.0", "entrypoint": "run" });
        fs::write(source.join("plugin-meta.json"), metadata.to_string()).unwrap();
        let zip = pack(&source, &place, &PackOptions { level: 0, ..PackOptions::default() });
        let key = SigningKey::generate("Test", KeyAlgorithm::default(), None).unwrap();
        let signed = sign(&zip.unwrap().path, &key, None).unwrap();
        let name = "hello-1.0.0-linux-amd64-sha256.checksum.asc";
        fs::rename(signed.path, place.join(name)).unwrap();
        key.write_public(&tree.join("gpg.key"), IfExists::Refuse).unwrap();

        let up = Arc::new(AtomicBool::new(true));
        let (root, is_up) = (tree.clone(), up.clone());
        let server = FakeCentral::start(move |asked| {
            if !is_up.load(Ordering::SeqCst) {
                return Answer::status(404);
            }
            match fs::read(root.join(asked.path.trim_start_matches('/'))) {
                Ok(bytes) => Answer::body(bytes),
                Err(_) => Answer::status(404),
            }
        });
        kit.provide("helloworld", "hello");
        kit.set("/central/baseURL", json!(server.url()));
        Self { kit, tree, up, server, key }
    }

    fn install(&self, flags: &[&str]) -> Output {
        let url = self.kit.settings_url();
        Command::new(artifacts::command())
            .args(["install", "helloworld", "--plugins", &url])
            .args(flags)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The error's line of an install that fails.
    fn refused(&self, flags: &[&str]) -> String {
        let output = self.install(flags);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{error}");
        error
    }

    fn installed(&self, flags: &[&str]) {
        let output = self.install(flags);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn base(&self, name: &str) -> PathBuf {
        self.kit.base_dir().join(name)
    }

    fn trust_locally(&self) {
        fs::copy(self.tree.join("gpg.key"), self.base("gpg.key")).unwrap();
    }

    fn fingerprint(&self) -> String {
        let signed = sign(&self.zip(), &self.key, None).unwrap();
        fs::remove_file(signed.path).unwrap();
        signed.signer.fingerprint
    }

    fn zip(&self) -> PathBuf {
        self.tree.join("maven/bin/hello/1.0.0/hello-1.0.0-linux-amd64.zip")
    }
}

const ZIP: &str = "hello-1.0.0-linux-amd64.zip";
const SIGNATURE: &str = "hello-1.0.0-linux-amd64.zip.sha256sum.asc";
const TRUST: &[&str] = &["--plugins.trustcentralkey"];

fn modes(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

e2e! {
    async fn what_is_not_here_is_fetched_verified_and_kept() {
        let site = Site::new();
        site.trust_locally();
        site.installed(&[]);
        for name in [ZIP, SIGNATURE] {
            assert!(site.base(name).is_file(), "{name}");
            assert_eq!(modes(&site.base(name)), 0o644, "{name}");
        }
        let asked = site.server.asked().len();
        assert_eq!(asked, 2, "zip and signature; the key lies here");
        site.up.store(false, Ordering::SeqCst);
        site.installed(&[]);
        assert_eq!(site.server.asked().len(), asked, "a verified copy asks nobody");
        let host = site.kit.builder().online().register().unwrap().start().await.unwrap();
        host.stop(std::time::Duration::from_secs(20)).await.unwrap();
        site.kit.assert_clean();
    }

    async fn online_without_a_key_wants_a_pin_or_a_flag() {
        let mut site = Site::new();
        let error = site.refused(&[]);
        assert!(error.contains("no key is trusted") && error.contains("trustcentralkey"), "{error}");
        assert!(site.server.asked().is_empty());
        site.installed(TRUST);
        assert!(site.base("central.gpg.key").is_file());

        let pin = site.fingerprint();
        for name in [ZIP, SIGNATURE, "central.gpg.key"] {
            fs::remove_file(site.base(name)).unwrap();
        }
        site.kit.set("/verification/fingerprints", json!([pin]));
        site.installed(&[]);
        site.kit.set("/verification/fingerprints", json!(["0".repeat(40)]));
        for flags in [TRUST, &[], &["--plugins.localverify"]] {
            site.trust_locally();
            let error = site.refused(flags);
            assert!(error.contains("not among the pinned fingerprints"), "{flags:?}: {error}");
        }
    }

    async fn a_signature_that_does_not_fit_is_refused_and_not_kept() {
        let site = Site::new();
        let other = SigningKey::generate("Other", KeyAlgorithm::default(), None).unwrap();
        other.write_public(&site.base("gpg.key"), IfExists::Refuse).unwrap();
        let error = site.refused(&[]);
        assert!(error.contains("unable to verify plugin signature: "), "{error}");
        assert!(error.contains("which is not in"), "{error}");
        assert!(!site.base(SIGNATURE).exists());
    }

    async fn a_stale_signature_is_fetched_anew() {
        let site = Site::new();
        site.trust_locally();
        fs::write(site.base(SIGNATURE), "nothing").unwrap();
        site.installed(&[]);
        let kept = fs::read_to_string(site.base(SIGNATURE)).unwrap();
        assert!(kept.contains("BEGIN PGP SIGNATURE"), "{kept}");
    }

    async fn a_local_zip_wins_and_one_that_is_empty_is_fetched_again() {
        let site = Site::new();
        site.trust_locally();
        fs::copy(site.zip(), site.base(ZIP)).unwrap();
        site.installed(&[]);
        let paths: Vec<String> = site.server.asked().into_iter().map(|asked| asked.path).collect();
        assert!(paths.iter().all(|path| path.ends_with(".asc")), "{paths:?}");
        fs::write(site.base(ZIP), "").unwrap();
        site.installed(&[]);
        assert_eq!(fs::read(site.base(ZIP)).unwrap(), fs::read(site.zip()).unwrap());
    }

    async fn a_central_that_is_down_is_told_with_what_to_do() {
        let site = Site::new();
        site.trust_locally();
        site.up.store(false, Ordering::SeqCst);
        let error = site.refused(&[]);
        let base = site.kit.base_dir();
        assert!(error.contains("can't download from Plugin Central due to: HTTP GET error: code=404"), "{error}");
        let remedy = format!("Please download the plugin manually and copy it to {}", base.display());
        assert!(error.contains(&remedy), "{error}");
        let left: Vec<_> = fs::read_dir(&base).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["gpg.key"]);
    }

    async fn a_process_that_is_killed_during_a_download_leaves_nothing_that_is_found() {
        let mut site = Site::new();
        site.trust_locally();
        let slow = FakeCentral::start(|_| Answer::Half(Vec::new(), 1 << 20, b"PK\x03\x04".to_vec()));
        let silent = FakeCentral::start(|_| Answer::Silence);
        site.kit.set("/central/baseURL", json!(silent.url()));
        let mut child = Command::new(artifacts::command())
            .args(["install", "helloworld", "--plugins", &site.kit.settings_url()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        outrigger_testkit::harness::eventually("it asks", || !silent.asked().is_empty()).await;
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!site.base(ZIP).exists());
        site.kit.set("/central/baseURL", json!(slow.url()));
        site.refused(&[]);
        assert!(!site.base(ZIP).exists());
        site.kit.set("/central/baseURL", json!(site.server.url()));
        site.installed(&[]);
    }

    async fn a_mirror_directory_serves_a_site_without_a_network() {
        let mut site = Site::new();
        site.trust_locally();
        let directory = format!("file://{}/", site.tree.display());
        site.kit.set("/central/baseURL", json!(directory));
        site.installed(&[]);
        assert!(site.server.asked().is_empty());
    }

    async fn smilo_s_key_file_is_found() {
        let site = Site::new();
        fs::copy(site.tree.join("gpg.key"), site.base("Central.pgp.pk")).unwrap();
        site.installed(&[]);
        site.installed(&["--plugins.localverify"]);
    }
}
