//! The JSON settings file.

use std::path::Path;
use std::time::Duration;

use outrigger_types::{ConfigSource, RawConfig};

use super::{Fixture, hello};
use crate::settings::{CentralSettings, EnvironmentProfile, ReloadMode, Timeouts, UnpackLimits};

const HELLO: &str = r#"{
    "baseDir": "/plugins",
    "providers": {
        "helloworld": {
            "name": "hello",
            "version": "1.0.0",
            "config": {"b": 1.0, "a":"x"}
        }
    }
}"#;

#[test]
fn a_goquorum_file_gives_definitions_and_defaults() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.json(HELLO)).unwrap();
    assert_eq!(loaded.warnings, []);
    let settings = loaded.settings;
    assert_eq!(settings.base_dir, Path::new("/plugins"));
    assert_eq!(settings.timeouts, Timeouts::default());
    assert_eq!(settings.unpack, UnpackLimits::default());
    assert_eq!(settings.central, CentralSettings::default());
    assert_eq!(settings.launcher, None);
    let hello = hello(&settings);
    assert_eq!(hello.interface.as_str(), "helloworld");
    assert_eq!(hello.definition.name.as_str(), "hello");
    assert_eq!(hello.definition.version.as_str(), "1.0.0");
    assert_eq!(hello.environment, EnvironmentProfile::Compat);
    assert_eq!(hello.reload, None);
    assert!(hello.required);
}

#[test]
fn our_own_keys_are_read() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.json(
        r#"{
            "runDir": "/run/node", "launcher": "/usr/lib/launcher",
            "timeouts": {"start": "90s", "drain": "0s", "call": "1500ms", "healthMisses": 5},
            "unpack": {"archiveSize": "64MiB", "totalSize": "1GB", "entries": 7, "depth": 3},
            "central": {"baseURL": "https://plugins.example/", "insecureSkipTLSVerify": true},
            "providers": {"first": {
                "name": "n", "version": "v", "interface": "HelloWorld", "reload": "exclusive",
                "required": false, "sandbox": {"env": ["HOME", "LANG"]},
                "timeouts": {"start": "5s"}
            }, "second": {"name": "n", "version": "v", "sandbox": {}, "reload": "overlapping"}}
        }"#,
    ));
    let settings = loaded.unwrap().settings;
    assert_eq!(settings.run_dir, Path::new("/run/node"));
    assert_eq!(settings.launcher.as_deref(), Some(Path::new("/usr/lib/launcher")));
    assert_eq!(settings.timeouts.start, Duration::from_secs(90));
    assert_eq!(settings.timeouts.drain, Duration::ZERO);
    assert_eq!(settings.timeouts.call, Duration::from_millis(1500));
    assert_eq!(settings.timeouts.health_misses, 5);
    assert_eq!(settings.timeouts.initialise, Duration::from_secs(30));
    assert_eq!(settings.unpack.archive_size, 64 << 20);
    assert_eq!(settings.unpack.total_size, 1_000_000_000);
    assert_eq!((settings.unpack.entries, settings.unpack.depth), (7, 3));
    assert_eq!(settings.central.base_url, "https://plugins.example/");
    assert!(settings.central.insecure_skip_tls_verify);
    assert_eq!(settings.central.public_key_uri, "gpg.key");

    let first = &settings.providers["first"];
    assert_eq!(first.interface.as_str(), "helloworld");
    assert_eq!(first.reload, Some(ReloadMode::Exclusive));
    assert!(!first.required);
    let pass = vec!["HOME".to_owned(), "LANG".to_owned()];
    assert_eq!(first.environment, EnvironmentProfile::Strict { pass });
    assert_eq!(first.timeouts.start, Duration::from_secs(5));
    assert_eq!(first.timeouts.call, Duration::from_millis(1500));
    let second = &settings.providers["second"];
    let nothing = EnvironmentProfile::Strict { pass: vec![] };
    assert_eq!(second.environment, nothing);
    assert_eq!(second.reload, Some(ReloadMode::Overlapping));
    assert_eq!(second.timeouts, settings.timeouts);
}

#[test]
fn names_match_in_any_case_and_provider_keys_are_lower_cased() {
    let fixture = Fixture::new();
    let text = HELLO
        .replace("baseDir", "BASEDIR")
        .replace("providers", "Providers")
        .replace("helloworld", "HelloWorld")
        .replace("version", "vErSion");
    let loaded = fixture.load(&fixture.json(text)).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(hello(&loaded.settings).definition.version.as_str(), "1.0.0");
}

#[test]
fn lenient_forms_are_read() {
    let fixture = Fixture::new();
    for text in [
        "{}",
        " {} ",
        "\u{feff}{}",
        "{}}{ what follows is ignored",
        r#"{"providers": null, "central": null, "baseDir": null}"#,
        r#"{"providers": {}}"#,
    ] {
        let loaded = fixture.load(&fixture.json(text)).unwrap();
        assert_eq!(loaded.settings.base_dir, Path::new("/data/plugins"), "{text}");
        assert!(loaded.settings.providers.is_empty(), "{text}");
        assert_eq!(loaded.warnings, [], "{text}");
    }
    let loaded = fixture.load(&fixture.json(b"{} \xff\xfe")).unwrap();
    assert_eq!(loaded.warnings, []);
}

#[test]
fn unknown_fields_are_warnings_that_name_the_nearest_key() {
    let fixture = Fixture::new();
    let sources = fixture.json(
        "{\n  \"provider\": {},\n  \"providers\": {\"x\": {\"name\": \"n\",\n    \"versoin\": \"2\", \
         \"version\": \"1\", \"note\\n\": {}}}\n}",
    );
    let loaded = fixture.load(&sources).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(|w| fixture.shorten(w)).collect();
    assert_eq!(
        warnings,
        [
            "settings q.json line 2 column 3: provider: unknown key, ignored; \
             did you mean `providers`?",
            "settings q.json line 4 column 5: providers.x.versoin: unknown key, ignored; \
             did you mean `version`?",
            "settings q.json line 4 column 37: providers.x.note\\n: unknown key, ignored",
        ]
    );
}

#[test]
fn ten_thousand_unknown_fields_are_counted_rather_than_listed() {
    let fixture = Fixture::new();
    let keys: Vec<String> = (0..10_000).map(|i| format!("\"k{i}\":0")).collect();
    let loaded = fixture.load(&fixture.json(format!("{{{}}}", keys.join(","))));
    let warnings = loaded.unwrap().warnings;
    assert_eq!(warnings.len(), 65);
    assert_eq!(warnings[64].to_string(), "settings: 9936 more unknown keys, ignored");
}

#[test]
fn a_config_keeps_the_bytes_that_were_written_where_the_settings_say_so() {
    let fixture = Fixture::new();
    for (config, expect) in [
        ("null", ConfigSource::None),
        (r#"{"b": 1.0,  "a":"<\u00e9"}"#, inline(r#"{"b": 1.0,  "a":"<\u00e9"}"#)),
        ("[1, \n12345678901234567890]", inline("[1, \n12345678901234567890]")),
        (r#""fil\u0065:///x""#, text("file:///x")),
        (r#""""#, text("")),
    ] {
        let json = format!(
            r#"{{"providers":{{"helloworld":{{"name":"n","version":"v","config":{config},"configForm":"original"}}}}}}"#
        );
        let loaded = fixture.load(&fixture.json(json)).unwrap();
        // Debug output has no bytes to compare by, on purpose.
        assert!(hello(&loaded.settings).definition.config == expect, "{config}");
    }
}

#[test]
fn a_message_says_where_a_wrong_value_stands() {
    let fixture = Fixture::new();
    let provider = |body: &str| format!("{{\"providers\": {{\"helloworld\": {{\n{body}\n}}}}}}");
    fixture.refuses(
        |body| fixture.json(provider(body)),
        &[
            (
                r#"  "name": "n", "version": """#,
                "settings q.json line 2 column 27: providers.helloworld.version: plugin version \
                 is empty; give it a value such as `1.0.0`",
            ),
            (
                r#"  "name": "n""#,
                "settings q.json line 1 column 30: providers.helloworld.version: plugin version \
                 is empty; give it a value such as `1.0.0`",
            ),
            (
                r#""name": "../x", "version": "1""#,
                "settings q.json line 2 column 9: providers.helloworld.name: plugin name `../x` \
                 may not contain '/'; allowed are letters, digits, `.`, `_`, `+` and `-`",
            ),
            (
                r#""name": 5"#,
                "settings q.json line 2 column 9: providers.helloworld.name: a number stands \
                 here; give a text in double quotes",
            ),
            (
                r#""config": true"#,
                "settings q.json line 2 column 11: providers.helloworld.config: unsupported type \
                 of config [bool]; give an object, an array or a text",
            ),
            (
                "\"config\":\n -5.0",
                "settings q.json line 3 column 2: providers.helloworld.config: unsupported type \
                 of config [float64]; give an object, an array or a text",
            ),
            (
                r#""name": "n", "version": "1", "reload": "both""#,
                "settings q.json line 2 column 40: providers.helloworld.reload: `both` is no way \
                 to reload; give `overlapping` or `exclusive`",
            ),
            (
                r#""required": "yes""#,
                "settings q.json line 2 column 13: providers.helloworld.required: a text stands \
                 here; give `true` or `false`",
            ),
            (
                r#""name": "n", "version": "1", "sandbox": {"env": ["A=B"]}"#,
                "settings q.json line 2 column 49: providers.helloworld.sandbox.env: `A=B` is no \
                 name of a variable; give names such as `HOME`",
            ),
            (
                r#""sandbox": {"env": "HOME"}"#,
                "settings q.json line 2 column 20: providers.helloworld.sandbox.env: a text \
                 stands here; give a list in brackets",
            ),
            (
                r#""sandbox": true"#,
                "settings q.json line 2 column 12: providers.helloworld.sandbox: a truth value \
                 stands here; give a table",
            ),
            (
                r#""name": "n", "version": "1", "timeouts": {"start": "soon"}"#,
                "settings q.json line 2 column 52: providers.helloworld.timeouts.start: `soon` \
                 is no duration; give one such as `10s` or `250ms`",
            ),
            (
                r#""timeouts": {"start": 60}"#,
                "settings q.json line 2 column 23: providers.helloworld.timeouts.start: a number \
                 stands here; give a text in double quotes",
            ),
            (
                "\"name\": \"a\",\n \"Name\": \"b\"",
                "settings q.json line 3 column 2: providers.helloworld.name: given on line 2 \
                 already; keep one of the two",
            ),
        ],
    );
}

#[test]
fn a_message_says_what_to_give_instead() {
    let fixture = Fixture::new();
    fixture.refuses(
        |text| fixture.json(text),
        &[
            (
                r#"{"timeouts": {"start": "0s"}}"#,
                "settings q.json line 1 column 24: timeouts.start: zero leaves no time at all; \
                 give more, such as `1s`",
            ),
            (
                r#"{"timeouts": {"drain": "25h"}}"#,
                "settings q.json line 1 column 24: timeouts.drain: `25h` is more than a day; give \
                 at most `24h`",
            ),
            (
                r#"{"timeouts": {"healthMisses": 0}}"#,
                "settings q.json line 1 column 31: timeouts.healthMisses: zero allows nothing; \
                 give at least 1",
            ),
            (
                r#"{"timeouts": {"healthMisses": 1.5}}"#,
                "settings q.json line 1 column 31: timeouts.healthMisses: a number stands here; \
                 give a whole number without quotes",
            ),
            (
                r#"{"unpack": {"archiveSize": "big"}}"#,
                "settings q.json line 1 column 28: unpack.archiveSize: `big` is no size; give one \
                 such as `64MiB`",
            ),
            (
                r#"{"unpack": {"archiveSize": "0"}}"#,
                "settings q.json line 1 column 28: unpack.archiveSize: zero leaves no room at \
                 all; give more, such as `1MiB`",
            ),
            (
                r#"{"baseDir": ""}"#,
                "settings q.json line 1 column 13: baseDir: the path is empty; give a path such \
                 as `/var/lib/node/plugins`",
            ),
            (
                r#"{"baseDir": "env://UNSET"}"#,
                "settings q.json line 1 column 13: baseDir: env variable UNSET not found or \
                 empty; set it, or write the path here",
            ),
            (
                r#"{"providers": {"A": {}, "é": {}}}"#,
                "settings q.json line 1 column 25: providers.é: instance name `é` may not contain \
                 'é'; allowed are letters, digits, `-` and `_`",
            ),
            (
                r#"{"providers": {"A": {}, "a": {}}}"#,
                "settings q.json line 1 column 25: providers.a: given on line 1 already; keep one \
                 of the two",
            ),
            (
                r#"{"providers": []}"#,
                "settings q.json line 1 column 15: providers: an array stands here; give a table",
            ),
            (
                r#"{"central": {"baseURL": 1}}"#,
                "settings q.json line 1 column 25: central.baseURL: a number stands here; give a \
                 text in double quotes",
            ),
            (
                r#"{"providers": {"a": null}}"#,
                "settings q.json line 1 column 21: providers.a.name: plugin name is empty; give \
                 it a value such as `quorum-plugin-hello-world`",
            ),
        ],
    );
}

#[test]
fn malformed_json_is_reported_with_its_line() {
    let fixture = Fixture::new();
    let deep = format!("{{\"config\":\n{}{}}}", "[".repeat(200), "]".repeat(200));
    fixture.refuses(
        |text| fixture.json(text),
        &[
            ("", "settings q.json line 1 column 1: the file is empty; write at least `{}`"),
            (
                "[]",
                "settings q.json line 1 column 1: the file does not hold an object; write at \
                 least `{}`",
            ),
            (
                "{\n  \"baseDir\": \"/x\"\n  \"y\": 1}",
                "settings q.json line 3 column 3: not JSON: expected `,` or `}`; correct the file",
            ),
            (
                "{\n  'baseDir': 1}",
                "settings q.json line 2 column 3: not JSON: key must be a string; correct the file",
            ),
            (
                "{\"é\": \"x\", \u{1}",
                "settings q.json line 1 column 12: not JSON: key must be a string; correct the file",
            ),
            (
                deep.as_str(),
                "settings q.json line 2 column 128: more than 128 objects and arrays in each \
                 other; nest less",
            ),
        ],
    );
    let latin1 = fixture.json(b"{\n \"baseDir\": \"/pl\xfcgins\"}");
    assert_eq!(
        fixture.load(&latin1).unwrap_err(),
        "settings q.json line 2 column 17: not UTF-8; write the file in UTF-8"
    );
}

fn inline(json: &str) -> ConfigSource {
    ConfigSource::Inline(RawConfig::new(json.as_bytes()))
}

fn text(text: &str) -> ConfigSource {
    ConfigSource::Text(RawConfig::new(text.as_bytes()))
}
