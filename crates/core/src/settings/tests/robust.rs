//! Files that are torn, hostile or random.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::{Fixture, env};
use crate::settings::{MAX_FILE_BYTES, Sources};

const SECRET: &str = "hunter2";

const JSON: &str = r#"{
  "baseDir": "/plugins", "unknown": {"a": [1, 2]},
  "timeouts": {"start": "1s"}, "unpack": {"entries": 5},
  "providers": {"HelloWorld": {"name": "n", "version": "1", "required": true,
    "config": {"password": "hunter2", "nested": [{"é": "\u00e9\\\""}]},
    "sandbox": {"env": ["HOME"]}}}
}"#;

const TOML: &str = r#"
[Node.Plugins]
BaseDir = "/plugins"
[Node.Plugins.Providers.helloworld]
Name = "n"
Version = "1"
Config = { password = "hunter2", list = [1, 2.5] }
Sandbox = { Env = ["HOME"] }
"#;

#[test]
fn a_json_file_that_is_torn_anywhere_is_refused() {
    let fixture = Fixture::new();
    for end in 0..JSON.len() {
        let torn = &JSON.as_bytes()[..end];
        let message = fixture.load(&fixture.json(torn)).unwrap_err();
        assert!(message.starts_with("settings q.json line "), "{message}");
        assert!(!message.contains(SECRET), "{message}");
    }
    assert!(fixture.load(&fixture.json(JSON)).is_ok());
}

#[test]
fn no_message_about_a_torn_toml_file_holds_its_content() {
    let fixture = Fixture::new();
    assert!(fixture.load(&fixture.toml(TOML)).is_ok());
    for end in 0..TOML.len() {
        if let Err(message) = fixture.load(&fixture.toml(&TOML.as_bytes()[..end])) {
            assert!(message.starts_with("settings node.toml line "), "{message}");
            assert!(!message.contains(SECRET), "{message}");
        }
    }
}

#[test]
fn a_file_that_is_renamed_into_place_is_always_read_whole() {
    let fixture = Fixture::new();
    let content = |n: usize| {
        let name = "n".repeat(1 + n % 90);
        format!(r#"{{"providers": {{"x": {{"name": "{name}", "version": "{name}"}}}}}}"#)
    };
    let sources = fixture.json(content(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..2_000 {
                let settings = fixture.load(&sources).unwrap().settings;
                let definition = &settings.providers["x"].definition;
                assert_eq!(definition.name.as_str(), definition.version.as_str());
            }
        });
        let mut n = 0;
        while !reader.is_finished() {
            n += 1;
            let new = fixture.write("new.json", content(n));
            std::fs::rename(new, fixture.path().join("q.json")).unwrap();
        }
    });
}

#[test]
fn nothing_that_is_printed_holds_a_config() {
    let fixture = Fixture::new();
    for sources in [fixture.json(JSON), fixture.toml(TOML)] {
        let debug = format!("{:?}", fixture.load(&sources).unwrap());
        assert!(!debug.contains(SECRET), "{debug}");
        let wrong = sources.with_override("providers.helloworld.version", "");
        let error = wrong.load().unwrap_err();
        assert!(!format!("{error:?} {error}").contains(SECRET), "{error:?}");
    }
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_unread() {
    let fixture = Fixture::new();
    let path = fixture.write("q.json", "{");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(100 << 20).unwrap();
    assert_eq!(
        fixture.load(&fixture.sources().with_json(path)).unwrap_err(),
        "settings file q.json is larger than 1048576 bytes; name a smaller file"
    );
}

#[test]
fn a_megabyte_of_nesting_is_refused() {
    let fixture = Fixture::new();
    let half = MAX_FILE_BYTES as usize / 2 - 100;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = half / open.len();
        let deep = format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth));
        let message = fixture.load(&fixture.json(&deep)).unwrap_err();
        assert!(message.contains("nest less"), "{message}");
        let message = fixture.load(&fixture.toml(format!("x = {deep}"))).unwrap_err();
        assert!(message.contains("not TOML"), "{message}");
    }
}

/// A text in which some bytes were replaced, removed or repeated.
fn mangled(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edit = (0..text.len(), 0..3u8, any::<u8>());
    prop::collection::vec(edit, 1..8).prop_map(move |edits| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, kind, byte) in edits {
            let at = at % bytes.len();
            match kind {
                0 => bytes[at] = byte,
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

/// Settings that were accepted obey their rules.
fn check(sources: &Sources) {
    let Ok(loaded) = sources.load() else { return };
    assert!(loaded.settings.base_dir.is_absolute());
    assert!(loaded.settings.run_dir.is_absolute());
    for (name, provider) in &loaded.settings.providers {
        assert_eq!(name.as_str().to_ascii_lowercase(), name.as_str());
        assert!(!provider.timeouts.start.is_zero());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>) {
        let fixture = Fixture::new();
        check(&fixture.json(&bytes));
        check(&fixture.toml(&bytes));
    }

    #[test]
    fn no_mangled_json_makes_the_reader_panic(bytes in mangled(JSON)) {
        check(&Fixture::new().json(bytes));
    }

    #[test]
    fn no_mangled_toml_makes_the_reader_panic(bytes in mangled(TOML)) {
        check(&Fixture::new().toml(bytes));
    }

    #[test]
    fn no_value_of_any_key_makes_building_panic(
        key in "(baseDir|providers\\.a\\.(name|version|reload|required|sandbox\\.env)|timeouts\\.(start|kill)|unpack\\.(depth|totalSize)|[a-z._]{0,20})",
        value in prop_oneof!["[ -~]{0,12}", "[0-9.]{0,25} ?(ms|s|h|y|KiB|PB|%)?", "\\PC{0,8}"],
    ) {
        check(&Fixture::new().sources().with_override(key, value));
    }

    #[test]
    fn no_variable_makes_reading_panic(name in "OUTRIGGER_{0,4}[A-Z_]{0,20}", value: Vec<u8>) {
        let text = String::from_utf8_lossy(&value).into_owned();
        check(&Fixture::new().sources().with_env(env([(name.as_str(), text.as_str())])));
        let raw = OsString::from_vec(value);
        check(&Fixture::new().sources().with_override("baseDir", raw));
    }
}
