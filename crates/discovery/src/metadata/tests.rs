//! What is read, what is refused, what is only remarked upon.

use super::*;
use outrigger_types::ConfigSource;

fn parse(text: &str) -> Result<Metadata, MetadataError> {
    Metadata::parse(text.as_bytes(), Path::new("/p/acme.zip"))
}

#[test]
fn unknown_keys_are_ignored_and_parameters_are_optional() {
    let metadata = parse(
        r#"{"name":"acme","version":"1.0.0","entrypoint":"acme","gitCommit":{"a":[1]},"os":"linux"}"#,
    )
    .unwrap();
    assert_eq!(metadata.name.as_deref(), Some("acme"));
    assert_eq!(metadata.entry_point, "acme");
    assert!(metadata.parameters.is_empty());
}

#[test]
fn keys_are_read_in_any_case_as_go_does() {
    let metadata = parse(r#"{"EntryPoint":"acme","Parameters":["-v","x y"]}"#).unwrap();
    assert_eq!(metadata.parameters, ["-v", "x y"]);
}

#[test]
fn entry_points_that_are_no_plain_file_name_are_refused() {
    for name in ["..", ".", "-rf", "a b", "a/b", "/bin/sh", "é", "a\\u0000"] {
        let error = parse(&format!(r#"{{"entrypoint":"{name}"}}"#)).unwrap_err();
        assert!(matches!(error, MetadataError::EntryPoint { .. }), "{name}: {error}");
    }
}

#[test]
fn a_missing_empty_or_null_entry_point_is_named_in_the_error() {
    for text in ["{}", r#"{"entrypoint":""}"#, r#"{"entrypoint":null}"#] {
        let error = parse(text).unwrap_err().to_string();
        assert_eq!(
            error,
            "plugin-meta.json in /p/acme.zip names no `entrypoint`; add the executable's name"
        );
    }
}

#[test]
fn texts_that_readers_could_take_two_ways_are_refused() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for text in [
        "",
        "[]",
        "{} {}",
        "{\"entrypoint\":\"a\",\"entrypoint\":\"b\"}",
        "{\"entrypoint\":\"a\",\"Entrypoint\":\"b\"}",
        &deep,
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, MetadataError::Json { .. }), "{text}: {error}");
    }
}

#[test]
fn parameters_of_another_type_are_refused() {
    for parameters in [r#""-v""#, "[1]", r#"["a\u0000b"]"#] {
        let error =
            parse(&format!(r#"{{"entrypoint":"a","parameters":{parameters}}}"#)).unwrap_err();
        assert!(matches!(error, MetadataError::Type { key: "parameters", .. }), "{error}");
    }
}

#[test]
fn differences_from_the_definition_are_warnings_not_errors() {
    let definition = PluginDefinition {
        name: "acme".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        config: ConfigSource::None,
    };
    let platform = Platform { os: "linux", arch: "amd64" };
    let same = parse(r#"{"entrypoint":"a","name":"acme","version":"1.0.0"}"#).unwrap();
    assert!(same.compare(&definition, &platform).is_empty());
    let other = parse(r#"{"entrypoint":"a","name":7,"version":"2","os":"darwin"}"#).unwrap();
    let warnings = other.compare(&definition, &platform);
    assert_eq!(
        warnings,
        [
            Warning::Name { expected: "acme".into(), found: None },
            Warning::Version { expected: "1.0.0".into(), found: Some("2".into()) },
            Warning::Platform { expected: "linux/amd64".into(), found: "darwin/amd64".into() },
        ]
    );
}
