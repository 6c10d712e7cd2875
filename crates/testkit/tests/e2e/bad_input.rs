//! Bad input: one clear line that names the plugin and the remedy, a status
//! that is not zero, and no trace on the disk.

use std::fs;

use outrigger_testkit::{artifacts, census, e2e, kit::Kit};
use serde_json::json;

use crate::command::outrigger;

/// Runs the command on a kit and gives the error's line, without its prefix.
fn refused(kit: &Kit, verification: &str) -> String {
    let files = || {
        let mut files = census::files(kit.path());
        files.retain(|file| file != "run");
        files
    };
    let before = files();
    let url = kit.settings_url();
    let output = outrigger(&["run", "--plugins", &url, verification], kit.path());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty(), "something ran");
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    let [error] = errors.as_slice() else { panic!("not one line of error: {text}") };
    let after: Vec<_> =
        census::files(kit.path()).into_iter().filter(|file| file != "run").collect();
    assert_eq!(before, after, "traces on the disk");
    error.trim_start_matches("error: ").to_owned()
}

/// The fixture in a scenario: refused with all of `parts`.
fn scenario(name: &str, parts: &[&str]) {
    refused_with(&Kit::with(name), name, parts);
}

/// The same of one that keeps the host waiting, with short limits.
fn waiting(name: &str, parts: &[&str]) {
    let mut kit = Kit::with(name);
    kit.set("/timeouts", json!({ "start": "700ms", "initialise": "500ms" }));
    refused_with(&kit, name, parts);
}

fn refused_with(kit: &Kit, name: &str, parts: &[&str]) {
    let error = refused(kit, "--plugins.skipverify");
    assert!(error.starts_with("plugin `helloworld`: "), "{name}: {error}");
    for part in parts {
        assert!(error.contains(part), "{name}: {part:?} is not in {error:?}");
    }
}

fn assert_has(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
}

e2e! {
    async fn settings_that_are_missing_or_malformed_are_refused_with_the_place() {
        let kit = Kit::new();
        fs::remove_file(kit.settings_file()).unwrap();
        assert_has(&refused(&kit, "--plugins.skipverify"), &["settings.json", "No such file"]);
        fs::write(kit.settings_file(), "{\n  \"baseDir\": \"/x\",\n  oops\n}").unwrap();
        assert_has(&refused(&kit, "--plugins.skipverify"), &["settings.json", "line 3"]);
    }

    async fn an_unknown_interface_is_refused_with_those_that_there_are() {
        let mut kit = Kit::new();
        kit.provide("unknown", "x");
        let error = refused(&kit, "--plugins.skipverify");
        assert_has(&error, &["plugin: [unknown] is not supported", "`helloworld`"]);
    }

    async fn a_version_that_could_be_a_path_is_refused_with_its_place() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/version", json!("1/../../2"));
        assert_has(&refused(&kit, "--plugins.skipverify"), &["helloworld.version", "line"]);
    }

    async fn a_missing_distribution_is_refused_with_the_names_that_were_looked_for() {
        let mut kit = Kit::new();
        kit.provide("helloworld", "absent");
        let error = refused(&kit, "--plugins.skipverify");
        let names = ["plugin `helloworld`", "absent-1.0.0-linux-amd64.zip", "absent-1.0.0.zip"];
        assert_has(&error, &names);
    }

    async fn a_file_that_is_no_zip_is_refused() {
        let mut kit = Kit::new();
        fs::write(kit.base_dir().join("x-1.0.0.zip"), "<html>not found</html>").unwrap();
        kit.provide("helloworld", "x");
        assert_has(&refused(&kit, "--plugins.skipverify"), &["plugin `helloworld`", "x-1.0.0.zip"]);
    }

    async fn a_missing_signature_a_wrong_one_and_a_foreign_key_are_refused() {
        let kit = Kit::with("ok");
        let zip = kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip");
        let error = refused(&kit, "--plugins.localverify");
        assert_has(&error, &["plugin `helloworld`", "gpg.key"]);

        kit.sign(&zip);
        let signature = kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip.sha256sum.asc");
        let good = fs::read(&signature).unwrap();
        fs::remove_file(&signature).unwrap();
        assert_has(&refused(&kit, "--plugins.localverify"), &["plugin `helloworld`", "sha256sum.asc"]);

        // A signature by another key than the one that is trusted.
        kit.sign(&zip);
        fs::write(&signature, good).unwrap();
        assert_has(&refused(&kit, "--plugins.localverify"), &["plugin `helloworld`", "key"]);
    }

    async fn a_signed_zip_under_another_plugins_name_is_refused_where_settings_ask_for_it() {
        let mut kit = Kit::with("ok");
        let zip = kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip");
        let other = kit.base_dir().join("other-1.0.0-linux-amd64.zip");
        fs::rename(zip, &other).unwrap();
        kit.sign(&other);
        kit.provide("helloworld", "other");
        kit.set("/verification/identity", json!("refuse"));
        let error = refused(&kit, "--plugins.localverify");
        let expected = "plugin-meta.json names fixture-helloworld, the definition `other`";
        assert_has(&error, &["plugin `helloworld`", expected, "`verification.identity`"]);
        // By default it is warned of, and starts.
        kit.set("/verification", json!({}));
        let host = kit.start().await;
        crate::stop(host).await;
        kit.set("/verification/identity", json!("maybe"));
        assert_has(&refused(&kit, "--plugins.localverify"), &["verification.identity", "`maybe`", "warn"]);
    }

    async fn archives_without_what_they_need_are_refused() {
        let metadata = |text: &str| zip_of(&[("plugin-meta.json", text.as_bytes(), 0o644)]);
        let with = |entry: &[u8], mode: u32| {
            let text = br#"{"name":"x","version":"1.0.0","entrypoint":"run"}"#;
            zip_of(&[("plugin-meta.json", text, 0o644), ("run", entry, mode)])
        };
        let mut arm = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0\x01\0\0\0".to_vec();
        arm.resize(64, 0);
        let rows = [
            (zip_of(&[("run", b"#!/bin/sh\n", 0o755)]), "plugin-meta.json"),
            (metadata(r#"{"name":"x"}"#), "entrypoint"),
            (metadata("{"), "plugin-meta.json"),
            (metadata(r#"{"entrypoint":"absent"}"#), "absent"),
            (metadata(r#"{"entrypoint":"../x"}"#), "entrypoint"),
            (with(b"#!/bin/sh\n", 0o644), "execut"),
            (with(&arm, 0o755), "arm64"),
            (with(b"MZ not for this system", 0o755), "run"),
            (zip_of(&[("../escape", b"x", 0o644)]), "../escape"),
        ];
        for (bytes, part) in rows {
            let mut kit = Kit::new();
            fs::write(kit.base_dir().join("x-1.0.0.zip"), bytes).unwrap();
            kit.provide("helloworld", "x");
            let error = refused(&kit, "--plugins.skipverify");
            assert_has(&error, &["plugin `helloworld`", part]);
            assert!(!kit.path().join("escape").exists());
        }
    }

    async fn programs_that_are_no_plugins_are_refused() {
        for (script, parts) in [
            ("exit 3", ["exit code 3", "before it printed a handshake line"].as_slice()),
            ("echo no license >&2; exit 1", &["no license"]),
            ("echo hello; exec sleep 600", &["`hello`", "no go-plugin plugin"]),
            ("exec sleep 600", &["no handshake line within 700ms", "timeouts.start"]),
            ("kill -SEGV $$", &["signal 11"]),
        ] {
            let mut kit = Kit::new();
            let script = format!("#!/bin/sh\n{script}\n");
            let metadata = json!({ "entrypoint": "run" });
            kit.pack("x", &[("run", script.as_bytes(), 0o755)], metadata);
            kit.provide("helloworld", "x");
            kit.set("/timeouts/start", json!("700ms"));
            let error = refused(&kit, "--plugins.skipverify");
            assert_has(&error, &["plugin `helloworld`"]);
            assert_has(&error, parts);
        }
    }

    async fn an_interpreter_that_is_missing_is_named_as_the_reason() {
        let mut kit = Kit::new();
        let metadata = json!({ "entrypoint": "run" });
        kit.pack("x", &[("run", b"#!/no/such/interpreter\n", 0o755)], metadata);
        kit.provide("helloworld", "x");
        let error = refused(&kit, "--plugins.skipverify");
        assert_has(&error, &["plugin `helloworld`", "could not be executed", "interpreter"]);
    }

    async fn plugins_that_break_the_handshake_are_refused_with_what_they_did() {
        waiting("garbage-line", &["no handshake line", "no go-plugin plugin"]);
        waiting("garbage-flood", &["no handshake line"]);
        waiting("hang", &["no handshake line within 700ms"]);
        scenario("wrong-core-version", &["core protocol version 2", "this host speaks 1"]);
        scenario("wrong-app-version", &["application protocol version 7", "this host speaks 1"]);
        scenario("netrpc", &["net/rpc", "rebuild the plugin with gRPC"]);
        scenario("no-cert", &["no certificate", "mutual TLS"]);
        scenario("exit-before-handshake 9", &["exit code 9"]);
        scenario("crash-before-handshake", &["signal 6"]);
    }

    async fn plugins_that_break_the_connection_are_refused_with_what_they_did() {
        scenario("wrong-cert", &["identity mismatch"]);
        waiting("listens-then-never-accepts", &["does not answer"]);
        scenario("tls-garbage", &["TLS handshake failed"]);
        scenario("plaintext-though-mtls", &["TLS"]);
    }

    async fn plugins_whose_initialisation_fails_or_hangs_are_refused() {
        scenario("reject-config", &["its initialisation failed", "takes no config", "`config`"]);
        waiting("init-hangs", &["did not end within 500ms", "timeouts.initialise"]);
        scenario("init-panics", &["its initialisation failed"]);
    }

    async fn a_run_directory_that_others_can_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let kit = Kit::with("ok");
        fs::create_dir(kit.run_dir()).unwrap();
        fs::set_permissions(kit.run_dir(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_has(&refused(&kit, "--plugins.skipverify"), &["run directory", "777", "700"]);
    }

    async fn a_run_directory_too_long_for_sockets_is_refused_with_the_number() {
        let mut kit = Kit::with("ok");
        kit.set("/runDir", json!(kit.path().join("x".repeat(90))));
        let error = {
            let url = kit.settings_url();
            let output = outrigger(&["run", "--plugins", &url, "--plugins.skipverify"], kit.path());
            assert_eq!(output.status.code(), Some(1));
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        assert_has(&error, &["too long for sockets", "at most 90", "runDir"]);
    }

    async fn a_launcher_that_is_none_is_refused() {
        let mut kit = Kit::with("ok");
        kit.set("/launcher", json!("/no/such/launcher"));
        assert_has(&refused(&kit, "--plugins.skipverify"), &["/no/such/launcher", "launcher"]);
    }
}

/// A zip of stored files, without the checks that `pack` makes.
fn zip_of(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes, mode) in files {
        let offset = u32::try_from(body.len()).unwrap();
        let size = u32::try_from(bytes.len()).unwrap();
        let mut common = Vec::new();
        common.extend([10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        common.extend(crc32(bytes).to_le_bytes());
        common.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        body.extend(b"PK\x03\x04");
        body.extend(&common);
        body.extend(name.as_bytes());
        body.extend(*bytes);
        directory.extend(b"PK\x01\x02\x0a\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend(((0o100_000 | mode) << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend([count, count].concat());
    end.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    end.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    end.extend([0, 0]);
    [body, directory, end].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// The programs that these tests start must be there.
#[test]
fn the_build_has_the_programs_that_tests_start() {
    let programs = [
        artifacts::fixture_plugin(),
        artifacts::launcher(),
        artifacts::command(),
        artifacts::hello_world(),
    ];
    assert!(programs.iter().all(|program| program.exists()));
}
