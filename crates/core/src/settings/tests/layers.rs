//! Which layer wins, and how messages name it.

use std::path::Path;
use std::time::Duration;

use outrigger_types::{ConfigSource, RawConfig};

use super::{Fixture, env, hello};
use crate::settings::{EnvironmentProfile, Sources};

const TOML: &str = r#"
[Node.Plugins]
BaseDir = "/toml"
RunDir = "/run/toml"
[Node.Plugins.Providers.helloworld]
Name = "toml"
Version = "1"
"#;

const JSON: &str =
    r#"{"baseDir": "/json", "providers": {"helloworld": {"name": "json", "version": "2"}}}"#;

#[test]
fn each_layer_overrides_the_ones_below() {
    let fixture = Fixture::new();
    let base_dir = |sources: &Sources| fixture.load(sources).unwrap().settings.base_dir;
    let sources = fixture.sources();
    assert_eq!(base_dir(&sources), Path::new("/data/plugins"));
    let sources = sources.with_toml(fixture.write("node.toml", TOML));
    assert_eq!(base_dir(&sources), Path::new("/toml"));
    let sources = sources.with_json(fixture.write("q.json", JSON));
    assert_eq!(base_dir(&sources), Path::new("/json"));
    let sources = sources.with_env(env([("OUTRIGGER__BASEDIR", "/env")]));
    assert_eq!(base_dir(&sources), Path::new("/env"));
    let sources = sources.with_override("baseDir", "/flag");
    assert_eq!(base_dir(&sources), Path::new("/flag"));
    let sources = sources.with_override("base_dir", "/later");
    assert_eq!(base_dir(&sources), Path::new("/later"));
}

#[test]
fn a_json_file_replaces_the_toml_section_whole_and_says_so() {
    let fixture = Fixture::new();
    let sources = fixture.toml(TOML).with_json(fixture.write("q.json", "{}"));
    let loaded = fixture.load(&sources).unwrap();
    assert_eq!(loaded.settings.base_dir, Path::new("/data/plugins"));
    assert_ne!(loaded.settings.run_dir, Path::new("/run/toml"));
    assert!(loaded.settings.providers.is_empty());
    assert_eq!(
        fixture.shorten(&loaded.warnings[0]),
        "settings node.toml line 2 column 7: Node.Plugins: ignored, because the JSON settings \
         file replaces this section"
    );
}

#[test]
fn variables_and_overrides_reach_every_key() {
    let fixture = Fixture::new();
    let sources = fixture
        .json(JSON)
        .with_env(env([
            ("OUTRIGGER__PROVIDERS__HELLOWORLD__VERSION", "3"),
            ("OUTRIGGER__PROVIDERS__HELLOWORLD__REQUIRED", "false"),
            ("OUTRIGGER__PROVIDERS__HELLOWORLD__SANDBOX__ENV", "HOME, LANG,"),
            ("OUTRIGGER__PROVIDERS__HELLOWORLD__CONFIG", r#"{"a":1}"#),
            ("OUTRIGGER__TIMEOUTS__HEALTH_MISSES", "9"),
            ("OUTRIGGER__PROVIDERS__MY_OTHER__NAME", "n"),
            ("OUTRIGGER__PROVIDERS__MY_OTHER__VERSION", "1"),
            ("OUTRIGGER_STRICT", "1"),
            ("OUTRIGGER", "1"),
        ]))
        .with_override("providers.helloworld.timeouts.start", "7s");
    let settings = fixture.load(&sources).unwrap().settings;
    assert_eq!(settings.timeouts.health_misses, 9);
    assert!(settings.providers.contains_key("my_other"));
    let hello = hello(&settings);
    assert_eq!(hello.definition.name.as_str(), "json");
    assert_eq!(hello.definition.version.as_str(), "3");
    assert_eq!(hello.timeouts.start, Duration::from_secs(7));
    assert_eq!(hello.timeouts.health_misses, 9);
    assert!(!hello.required);
    let pass = vec!["HOME".to_owned(), "LANG".to_owned()];
    assert_eq!(hello.environment, EnvironmentProfile::Strict { pass });
    let config = ConfigSource::Text(RawConfig::new(br#"{"a":1}"#.as_slice()));
    assert!(hello.definition.config == config);
}

#[test]
fn a_message_names_the_variable() {
    let fixture = Fixture::new();
    for (name, value, message) in [
        (
            "OUTRIGGER__PROVIDER__X__NAME",
            "n",
            "environment variable OUTRIGGER__PROVIDER__X__NAME: PROVIDER: unknown key; did you \
             mean `providers`?",
        ),
        (
            "OUTRIGGER__PROVIDERS__HELLOWORLD__VERSION",
            "",
            "environment variable OUTRIGGER__PROVIDERS__HELLOWORLD__VERSION: \
             providers.helloworld.version: plugin version is empty; give it a value such as \
             `1.0.0`",
        ),
        (
            "OUTRIGGER__PROVIDERS__OTHER__NAME",
            "n",
            "environment variable OUTRIGGER__PROVIDERS__OTHER__NAME: providers.other.version: \
             plugin version is empty; give it a value such as `1.0.0`",
        ),
        (
            "OUTRIGGER__PROVIDERS__HELLOWORLD__CONFIG__KEY",
            "hunter2",
            "environment variable OUTRIGGER__PROVIDERS__HELLOWORLD__CONFIG__KEY: \
             providers.helloworld.config: is one value; set it whole, without a key below it",
        ),
        (
            "OUTRIGGER__TIMEOUTS",
            "5s",
            "environment variable OUTRIGGER__TIMEOUTS: timeouts: is a table; set the keys in it \
             one by one",
        ),
        (
            "OUTRIGGER__TIMEOUTS__DRAIN",
            "5",
            "environment variable OUTRIGGER__TIMEOUTS__DRAIN: timeouts.drain: `5` is no \
             duration; give one such as `10s` or `250ms`",
        ),
        (
            "OUTRIGGER__PROVIDERS__HELLOWORLD__REQUIRED",
            "maybe",
            "environment variable OUTRIGGER__PROVIDERS__HELLOWORLD__REQUIRED: \
             providers.helloworld.required: is no truth value; give `true` or `false`",
        ),
        (
            "OUTRIGGER__UNPACK__DEPTH",
            "-1",
            "environment variable OUTRIGGER__UNPACK__DEPTH: unpack.depth: is no whole number; \
             give one such as `3`",
        ),
        ("OUTRIGGER__", "1", "environment variable OUTRIGGER__: unknown key"),
    ] {
        let sources = fixture.json(JSON).with_env(env([(name, value)]));
        assert_eq!(fixture.load(&sources).unwrap_err(), message);
    }
}

#[test]
fn a_missing_key_is_reported_where_its_table_stands() {
    let fixture = Fixture::new();
    let sources = fixture
        .json(r#"{"providers": {"helloworld": {"name": "n"}}}"#)
        .with_env(env([("OUTRIGGER__PROVIDERS__HELLOWORLD__REQUIRED", "true")]));
    assert_eq!(
        fixture.load(&sources).unwrap_err(),
        "settings q.json line 1 column 30: providers.helloworld.version: plugin version is empty; \
         give it a value such as `1.0.0`"
    );
}

#[test]
fn two_variables_for_one_key_are_refused() {
    let fixture = Fixture::new();
    let both = env([("OUTRIGGER__BASEDIR", "/a"), ("OUTRIGGER__BASE_DIR", "/b")]);
    assert_eq!(
        fixture.load(&fixture.sources().with_env(both)).unwrap_err(),
        "environment variable OUTRIGGER__BASE_DIR: baseDir: OUTRIGGER__BASEDIR sets it too; unset \
         one of the two"
    );
}

#[test]
fn a_message_names_the_command_line() {
    let fixture = Fixture::new();
    fixture.refuses(
        |key| fixture.json(JSON).with_override(key, ""),
        &[
            (
                "baseDir",
                "command line: baseDir: the path is empty; give a path such as \
              `/var/lib/node/plugins`",
            ),
            ("basedri", "command line: basedri: unknown key; did you mean `baseDir`?"),
            (
                "providers.a/b.name",
                "command line: providers.a/b: instance name `a/b` may not \
              contain '/'; allowed are letters, digits, `-` and `_`",
            ),
        ],
    );
}

#[test]
fn a_bad_value_below_a_good_one_does_no_harm() {
    let fixture = Fixture::new();
    let sources =
        fixture.json(r#"{"timeouts": {"start": "soon"}}"#).with_override("timeouts.start", "1s");
    let settings = fixture.load(&sources).unwrap().settings;
    assert_eq!(settings.timeouts.start, Duration::from_secs(1));
}

#[test]
fn without_a_data_directory_the_base_directory_must_be_named() {
    let sources = Sources::new().with_env(env([]));
    assert_eq!(
        sources.load().unwrap_err().to_string(),
        "settings: `baseDir` is not set; set it, or give a data directory"
    );
    let relative = sources.with_override("baseDir", "rel/plugins").load();
    let base_dir = relative.unwrap().settings.base_dir;
    assert!(base_dir.is_absolute() && base_dir.ends_with("rel/plugins"));
}

#[test]
fn settings_are_read_anew_each_time() {
    let fixture = Fixture::new();
    let sources = fixture.json(JSON);
    let version = || {
        let settings = fixture.load(&sources).unwrap().settings;
        hello(&settings).definition.version.to_string()
    };
    assert_eq!(version(), "2");
    fixture.write("q.json", JSON.replace("\"2\"", "\"3\""));
    assert_eq!(version(), "3");
    assert_eq!(sources.files().unwrap(), [fixture.path().join("q.json")]);
}

#[test]
fn debug_output_of_sources_holds_no_values() {
    let sources = Sources::new().with_override("providers.x.config", "hunter2");
    let debug = format!("{sources:?}");
    assert!(debug.contains("providers.x.config"), "{debug}");
    assert!(!debug.contains("hunter2"), "{debug}");
}
