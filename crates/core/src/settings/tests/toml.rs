//! The section in a node's TOML file.

use std::path::Path;
use std::time::Duration;

use outrigger_types::{ConfigSource, RawConfig};

use super::{Fixture, env, hello};

const NODE: &str = r#"
[Eth]
NetworkId = 10
Unknown = { to = "us" }

[Node]
DataDir = "/data"

[Node.Plugins]
BaseDir = "env://PLUGIN_DIR"
Timeouts = { Start = "90s", Drain = "3s" }

[Node.Plugins.Central]
BaseURL = "https://plugins.example/"

[Node.Plugins.Providers.HelloWorld]
Name = "hello"
Version = "1.0.0"
Config = "file:///etc/hello.json"
Sandbox = { Env = ["HOME"] }
"#;

#[test]
fn the_section_of_a_whole_node_file_is_read() {
    let fixture = Fixture::new();
    let sources = fixture.toml(NODE).with_env(env([("PLUGIN_DIR", "/from/env")]));
    let loaded = fixture.load(&sources).unwrap();
    assert_eq!(loaded.warnings, []);
    let settings = loaded.settings;
    assert_eq!(settings.base_dir, Path::new("/from/env"));
    assert_eq!(settings.timeouts.start, Duration::from_secs(90));
    assert_eq!(settings.central.base_url, "https://plugins.example/");
    assert_eq!(settings.central.public_key_uri, "gpg.key");
    let hello = hello(&settings);
    assert_eq!(hello.timeouts.drain, Duration::from_secs(3));
    let config = ConfigSource::Text(RawConfig::new(b"file:///etc/hello.json".as_slice()));
    assert!(hello.definition.config == config);
}

#[test]
fn a_table_as_config_becomes_json() {
    let fixture = Fixture::new();
    for (toml, json) in [
        (r#"{ b = 1, a = "<", c = [1.5, true] }"#, r#"{"a":"\u003c","b":1,"c":[1.5,true]}"#),
        ("{ id = 9007199254740993, part = 1.0 }", r#"{"id":9007199254740993,"part":1}"#),
        ("[1_000, 0xff, -3]", "[1000,255,-3]"),
        ("[1979-05-27]", r#"["1979-05-27"]"#),
    ] {
        let text = format!(
            "[Node.Plugins.Providers.helloworld]\nName = \"n\"\nVersion = \"v\"\nConfig = {toml}"
        );
        let loaded = fixture.load(&fixture.toml(text)).unwrap();
        let ConfigSource::Inline(raw) = &hello(&loaded.settings).definition.config else {
            panic!("{toml} is not inline");
        };
        assert_eq!(std::str::from_utf8(raw.expose()).unwrap(), json);
    }
}

#[test]
fn a_file_without_the_section_says_nothing() {
    let fixture = Fixture::new();
    for text in ["", "\u{feff}[Eth]\nX = 1", "[Node]\nX = 1", "Node = 3", "# [Node.Plugins]"] {
        let loaded = fixture.load(&fixture.toml(text)).unwrap();
        assert!(loaded.settings.providers.is_empty(), "{text}");
        assert_eq!(loaded.warnings, [], "{text}");
    }
}

#[test]
fn a_section_in_another_case_is_a_warning() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.toml("\n[node.plugins]\nX = 1")).unwrap();
    assert_eq!(
        fixture.shorten(&loaded.warnings[0]),
        "settings node.toml line 2 column 7: node.plugins: ignored; did you mean `Node.Plugins`?"
    );
}

#[test]
fn a_message_says_where_a_wrong_value_stands() {
    let fixture = Fixture::new();
    let provider = "[Node.Plugins.Providers.helloworld]\nName = \"n\"\n";
    fixture.refuses(
        |text| fixture.toml(text.replace('%', provider).replace('@', "[Node.Plugins]\n")),
        &[
            (
                "@basedir = 1",
                "settings node.toml line 2 column 1: Node.Plugins.basedir: unknown key; did you \
                 mean `BaseDir`?",
            ),
            (
                "@[Node.Plugins.Central]\nCertFingerPrint = \"\"",
                "settings node.toml line 3 column 1: Node.Plugins.Central.CertFingerPrint: \
                 unknown key; did you mean `CertFingerprint`?",
            ),
            (
                "%",
                "settings node.toml line 1 column 25: \
                 Node.Plugins.Providers.helloworld.version: plugin version is empty; give it a \
                 value such as `1.0.0`",
            ),
            (
                "%Version = ''",
                "settings node.toml line 3 column 11: \
                 Node.Plugins.Providers.helloworld.Version: plugin version is empty; give it a \
                 value such as `1.0.0`",
            ),
            (
                "%Config = 5",
                "settings node.toml line 3 column 10: Node.Plugins.Providers.helloworld.Config: \
                 unsupported type of config [int64]; give an object, an array or a text",
            ),
            (
                "%Config = {secret = nan}",
                "settings node.toml line 3 column 10: Node.Plugins.Providers.helloworld.Config: \
                 config holds a number that is not finite, which JSON cannot say",
            ),
            (
                "[[Node.Plugins.Providers]]\nName = ''",
                "settings node.toml line 1 column 1: Node.Plugins.Providers: an array stands \
                 here; give a table",
            ),
            (
                "@[Node.Plugins.Providers.a]\n[Node.Plugins.Providers.A]",
                "settings node.toml line 3 column 25: Node.Plugins.Providers.a: given on line 2 \
                 already; keep one of the two",
            ),
            (
                "@Timeouts = { Start = 60 }",
                "settings node.toml line 2 column 22: Node.Plugins.Timeouts.Start: a number \
                 stands here; give a text in double quotes",
            ),
        ],
    );
}

#[test]
fn malformed_toml_is_reported_with_its_line_and_without_its_content() {
    let fixture = Fixture::new();
    let text = "[Node.Plugins.Providers.a]\nConfig = \"hunter2";
    let message = fixture.load(&fixture.toml(text)).unwrap_err();
    assert!(message.starts_with("settings node.toml line 2 column "), "{message}");
    assert!(message.contains("not TOML: "), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}
