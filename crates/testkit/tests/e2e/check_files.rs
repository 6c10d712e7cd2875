//! `outrigger check` on settings and distributions.

use std::path::Path;

use outrigger::distribution::METADATA_FILE;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::{Value, json};

use crate::command::outrigger;

/// The cases by name, and the exit status.
fn check(arguments: &[&str], directory: &Path) -> (Vec<(String, String, String)>, Option<i32>) {
    let output = outrigger(&[&["check", "--json"], arguments].concat(), directory);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = |case: &Value, key: &str| case[key].as_str().unwrap().to_owned();
    let cases = report["cases"].as_array().unwrap().iter();
    let cases = cases.map(|case| (text(case, "name"), text(case, "result"), text(case, "seen")));
    (cases.collect(), output.status.code())
}

/// Names of what failed, and what was seen.
fn failed(cases: &[(String, String, String)]) -> Vec<(&str, &str)> {
    let failed = cases.iter().filter(|(_, result, _)| result == "fail");
    failed.map(|(name, _, seen)| (name.as_str(), seen.as_str())).collect()
}

e2e! {
    async fn sound_settings_pass_and_each_fault_in_them_is_a_case() {
        let mut kit = Kit::with("ok");
        let file = kit.settings_file();
        let file = file.to_str().unwrap();
        let (cases, status) = check(&[file], kit.path());
        assert_eq!((failed(&cases), status), (vec![], Some(0)));
        let names: Vec<&str> = cases.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "settings", "keys", "interfaces", "helloworld-config", "helloworld-distribution",
                "helloworld-archive", "helloworld-signature", "helloworld-contents",
                "helloworld-data", "helloworld-metadata",
            ]
        );

        kit.set("/baseDri", json!("/x"));
        kit.set("/providers/other", json!({"name": "none", "version": "1", "config": "env://UNSET_X"}));
        let (cases, status) = check(&[file], kit.path());
        assert_eq!(status, Some(1));
        let failed = failed(&cases);
        let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["keys", "interfaces", "other-config", "other-distribution"]);
        for ((_, seen), expected) in failed.iter().zip([
            "baseDri: unknown key, ignored; did you mean `baseDir`?",
            "unsupported plugins configured: [other]",
            "env variable UNSET_X not found",
            "no distribution of plugin `none`",
        ]) {
            assert!(seen.contains(expected), "{seen}");
        }
        kit.assert_clean();
    }

    async fn settings_that_cannot_be_read_are_one_failed_case() {
        let kit = Kit::new();
        for (name, text, expected) in [
            ("a.json", "{", "plugins: unable to parse settings due to "),
            ("a.toml", "[Node.Plugins]\nBaseDri = 1", "did you mean `BaseDir`?"),
            ("b.json", r#"{"providers": {"x": {"name": "n", "version": "1", "config": true}}}"#,
                "unsupported type of config [bool]"),
        ] {
            std::fs::write(kit.path().join(name), text).unwrap();
            let (cases, status) = check(&[name, "--datadir", "/data"], kit.path());
            let failed = failed(&cases);
            assert_eq!((failed.len(), status), (1, Some(1)), "{name}");
            assert!(failed[0].1.contains(expected), "{failed:?}");
        }
    }

    async fn a_distribution_is_held_to_its_name_and_its_signature() {
        let kit = Kit::with("ok");
        let zip = kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip");
        kit.sign(&zip);
        let key = kit.base_dir().join("gpg.key");
        let file = kit.settings_file();
        let (cases, status) =
            check(&[file.to_str().unwrap(), "--key", key.to_str().unwrap()], kit.path());
        assert_eq!((failed(&cases), status), (vec![], Some(0)));
        let signed = cases.iter().find(|(name, ..)| name == "helloworld-signature").unwrap();
        assert_eq!((signed.1.as_str(), signed.2.as_str()), ("pass", "signed by Test"));

        // The same bytes under another plugin's name.
        let other = kit.base_dir().join("other-1.0.0-linux-amd64.zip");
        std::fs::copy(&zip, &other).unwrap();
        let arguments = [other.to_str().unwrap(), "--key", key.to_str().unwrap()];
        let (cases, status) = check(&arguments, kit.path());
        assert_eq!(status, Some(1));
        let failed = failed(&cases);
        let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["signature", "file-name"]);

        std::fs::write(&other, "PK\x03\x04 and no more").unwrap();
        let output = outrigger(&["check", other.to_str().unwrap()], kit.path());
        assert_eq!(output.status.code(), Some(1));
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(table.contains("FAIL") && table.contains("expected"), "{table}");
    }

    async fn a_sound_distribution_is_then_held_to_the_protocol() {
        let kit = Kit::new();
        let source = tempfile::tempdir_in(kit.path()).unwrap();
        std::fs::copy(artifacts::hello_world(), source.path().join("hello")).unwrap();
        assert!(!source.path().join(METADATA_FILE).exists());
        let zip = kit.pack_directory("hello", source.path(), json!({ "entrypoint": "hello" }));
        let (cases, _) = check(&[zip.to_str().unwrap()], kit.path());
        let results: Vec<_> = cases.iter().take(5).map(|(n, r, _)| (n.as_str(), r.as_str())).collect();
        assert_eq!(
            results,
            [
                ("archive", "pass"), ("signature", "not-applicable"), ("contents", "pass"),
                ("data", "pass"), ("file-name", "pass"),
            ]
        );
        assert!(cases.iter().any(|(name, ..)| name == "line-core-version"));
    }
}
