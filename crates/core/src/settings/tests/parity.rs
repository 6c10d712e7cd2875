//! What GoQuorum's own tests of its settings ask for, case by case.

use std::path::{Path, PathBuf};

use outrigger_types::InterfaceName;

use super::{Fixture, PARSE, env, hello, instance};
use crate::settings::{CentralSettings, ConfigError, Settings, Sources, read_config};

/// A file with one provider whose `config` is this.
fn with_config(config: &str) -> String {
    format!(
        r#"{{"providers": {{"helloworld": {{"name": "n", "version": "1", "config": {config}}}}}}}"#
    )
}

/// What reaches the plugin's initialisation.
fn bytes(settings: &Settings, env: &dyn crate::settings::Env) -> Result<String, ConfigError> {
    let raw = read_config(&hello(settings).definition.config, env)?;
    Ok(String::from_utf8_lossy(raw.expose()).into_owned())
}

#[test]
fn an_empty_object_is_settings_and_no_settings_are_no_plugins() {
    let fixture = Fixture::new();
    for sources in [fixture.json("{}"), fixture.sources()] {
        let loaded = fixture.load(&sources).unwrap();
        assert!(loaded.settings.providers.is_empty());
        assert_eq!(loaded.settings.base_dir, Path::new("/data/plugins"));
        assert_eq!(loaded.settings.central, CentralSettings::default());
        assert_eq!(loaded.warnings, []);
    }
}

#[test]
fn a_settings_url_of_another_scheme_is_refused_in_goquorum_s_words() {
    for (url, scheme) in [("http://host/x.json", "http"), ("/etc/x.json", ""), ("env://X", "env")] {
        let error = Sources::new().with_url(url).load().unwrap_err().to_string();
        let words = "plugins: unable to create reader due to unsupported scheme ";
        assert!(error.starts_with(&format!("{words}{scheme};")), "{error}");
    }
    let error = Sources::new().with_url("file:///%zz").load().unwrap_err().to_string();
    assert!(error.starts_with("plugins: Invalid URL for --plugins due to "), "{error}");
}

#[test]
fn a_json_file_that_cannot_be_used_is_refused_in_goquorum_s_words() {
    let fixture = Fixture::new();
    for text in ["", "{", "[]", r#"{"baseDir": 1}"#, r#"{"providers": []}"#] {
        let error = fixture.json(text).load().unwrap_err().to_string();
        assert!(error.starts_with(PARSE), "{text}: {error}");
    }
    // A TOML file is the node's own, and the words are about `--plugins`.
    let error = fixture.toml("[Node.Plugins]\nBaseDir = 1").load().unwrap_err().to_string();
    assert!(!error.starts_with(PARSE), "{error}");
}

#[test]
fn json_settings_replace_the_toml_section() {
    let fixture = Fixture::new();
    let toml = fixture.write(
        "node.toml",
        "[Node.Plugins]\nBaseDir = \"/toml\"\n[Node.Plugins.Providers.account]\nName = \"a\"\n\
         Version = \"1\"",
    );
    let loaded = fixture.load(&fixture.json("{}").with_toml(toml)).unwrap();
    assert!(loaded.settings.providers.is_empty());
    assert_eq!(loaded.settings.base_dir, Path::new("/data/plugins"));
}

#[test]
fn json_is_read_leniently_and_toml_exactly() {
    let fixture = Fixture::new();
    let json = r#"{"BASEDIR": "/x", "baseDri": 1, "Providers": {"helloworld":
        {"NAME": "n", "version": "1", "nmae": {}}}} trailing ]"#;
    let loaded = fixture.load(&fixture.json(json)).unwrap();
    assert_eq!(loaded.settings.base_dir, Path::new("/x"));
    assert_eq!(hello(&loaded.settings).definition.name.as_str(), "n");
    let warnings: Vec<String> = loaded.warnings.iter().map(|w| fixture.shorten(w)).collect();
    assert_eq!(
        warnings,
        [
            "settings q.json line 1 column 19: baseDri: unknown key, ignored; did you mean \
             `baseDir`?",
            "settings q.json line 2 column 39: providers.helloworld.nmae: unknown key, ignored; \
             did you mean `name`?",
        ]
    );
    fixture.refuses(
        |text| fixture.toml(text),
        &[
            (
                "[Node.Plugins]\nbaseDir = \"/x\"",
                "settings node.toml line 2 column 1: Node.Plugins.baseDir: unknown key; did you \
                 mean `BaseDir`?",
            ),
            (
                "[Node.Plugins.Central]\nCertFingerPrint = \"00\"",
                "settings node.toml line 2 column 1: Node.Plugins.Central.CertFingerPrint: \
                 unknown key; did you mean `CertFingerprint`?",
            ),
        ],
    );
}

#[test]
fn provider_keys_are_lower_cased_from_json_and_toml() {
    let fixture = Fixture::new();
    let json = r#"{"providers": {"HelloWorld": {"name": "n", "version": "1"}}}"#;
    let toml = "[Node.Plugins.Providers.HELLOWORLD]\nName = \"n\"\nVersion = \"1\"";
    for sources in [fixture.json(json), fixture.toml(toml)] {
        let settings = fixture.load(&sources).unwrap().settings;
        let names: Vec<_> = settings.providers.keys().collect();
        assert_eq!(names, [&instance("helloworld")]);
        assert_eq!(hello(&settings).interface.as_str(), "helloworld");
    }
}

#[test]
fn a_base_dir_is_plain_or_a_variable_and_absolute_in_the_end() {
    let fixture = Fixture::new();
    let here = std::env::current_dir().unwrap();
    let variables = || env([("PLUGINS", "/from/env"), ("RELATIVE", "rel")]);
    for (value, expected) in [
        ("/plain", PathBuf::from("/plain")),
        ("rel/plain", here.join("rel/plain")),
        ("env://PLUGINS", PathBuf::from("/from/env")),
        ("ENV://PLUGINS", PathBuf::from("/from/env")),
        ("env://RELATIVE", here.join("rel")),
        ("http://x", here.join("http:/x")),
    ] {
        let json = fixture.json(format!(r#"{{"baseDir": "{value}"}}"#));
        let toml = fixture.toml(format!("[Node.Plugins]\nBaseDir = \"{value}\""));
        for sources in [json, toml] {
            let settings = fixture.load(&sources.with_env(variables())).unwrap().settings;
            assert_eq!(settings.base_dir, expected, "{value}");
        }
    }
    // GoQuorum takes its default here, and the operator's plugins are elsewhere.
    let unset = fixture.json(r#"{"baseDir": "env://UNSET"}"#);
    assert!(fixture.load(&unset).unwrap_err().contains("env variable UNSET not found"));
}

#[test]
fn what_central_leaves_out_is_goquorum_s_default_field_by_field() {
    let fixture = Fixture::new();
    let default = CentralSettings::default();
    for central in ["", r#""central": {}"#, r#""central": {"baseURL": "", "publicKeyURI": ""}"#] {
        let settings = fixture.load(&fixture.json(format!("{{{central}}}"))).unwrap().settings;
        let configured = !central.is_empty();
        let expected = CentralSettings { configured, ..default.clone() };
        assert_eq!(settings.central, expected, "{central}");
    }
    let with = |field: &str| {
        let json = format!(r#"{{"central": {{"{field}": "given"}}}}"#);
        fixture.load(&fixture.json(json)).unwrap().settings.central
    };
    let given = || "given".to_owned();
    for (field, set) in [
        ("publicKeyURI", (|c, v| c.public_key_uri = v) as fn(&mut CentralSettings, String)),
        ("pluginDistPathTemplate", |c, v| c.dist_path_template = v),
        ("pluginSigPathTemplate", |c, v| c.sig_path_template = v),
    ] {
        let mut expected = CentralSettings { configured: true, ..default.clone() };
        set(&mut expected, given());
        assert_eq!(with(field), expected, "{field}");
    }
    // Where GoQuorum forgets them: W42.
    let toml = fixture.toml("[Node.Plugins.Central]\nPublicKeyURI = \"given\"");
    assert_eq!(fixture.load(&toml).unwrap().settings.central, with("publicKeyURI"));
    assert_eq!(fixture.load(&fixture.toml("[Node.Plugins]")).unwrap().settings.central, default);
}

#[test]
fn each_form_of_config_gives_the_bytes_of_goquorum() {
    let fixture = Fixture::new();
    let file = fixture.write("plugin.json", "{ \"from\" : \"file\" }");
    let path = file.to_str().unwrap();
    let variables = env([("INLINE", "{\"a\": 1}"), ("EMPTY", ""), ("FILE", path)]);
    for (config, expected) in [
        ("null", ""),
        (
            r#"{"b": 1.0, "a": ["<", 12345678901234567890]}"#,
            r#"{"a":["\u003c",12345678901234567000],"b":1}"#,
        ),
        (r#"["x", {"d": null, "c": 1e21}]"#, r#"["x",{"c":1e+21,"d":null}]"#),
        (r#"{"a": "\ud800"}"#, "{\"a\":\"\u{fffd}\"}"),
        (r#""\ud800""#, "\u{fffd}"),
        ("[]", "[]"),
        (r#""arbitrary text""#, "arbitrary text"),
        (r#""{\"a\":\"b\"}""#, r#"{"a":"b"}"#),
        (r#""http://host/never-fetched""#, "http://host/never-fetched"),
        (r#""env://INLINE""#, "{\"a\": 1}"),
        (r#""env://EMPTY""#, ""),
        (r#""env://FILE?type=file""#, "{ \"from\" : \"file\" }"),
    ] {
        let settings = fixture.load(&fixture.json(with_config(config))).unwrap().settings;
        assert_eq!(bytes(&settings, &variables).unwrap(), expected, "{config}");
    }
    let url = with_config(&format!("\"file://{path}\""));
    let settings = fixture.load(&fixture.json(url)).unwrap().settings;
    assert_eq!(bytes(&settings, &variables).unwrap(), "{ \"from\" : \"file\" }");
    let unset = fixture.load(&fixture.json(with_config(r#""env://UNSET""#))).unwrap().settings;
    let error = bytes(&unset, &variables).unwrap_err().to_string();
    assert!(error.starts_with("env variable UNSET not found"), "{error}");
}

#[test]
fn a_config_of_another_type_is_refused_at_load_in_goquorum_s_words() {
    let fixture = Fixture::new();
    let toml = |value: &str| {
        fixture.toml(format!(
            "[Node.Plugins.Providers.helloworld]\nName = \"n\"\nVersion = \"1\"\nConfig = {value}"
        ))
    };
    for (value, kind) in [("true", "bool"), ("1", "float64")] {
        let error = fixture.load(&fixture.json(with_config(value))).unwrap_err();
        assert!(error.contains(&format!("unsupported type of config [{kind}]")), "{error}");
    }
    for (value, kind) in
        [("false", "bool"), ("1.5", "float64"), ("1", "int64"), ("1979-05-27T07:32:00Z", "struct")]
    {
        let error = fixture.load(&toml(value)).unwrap_err();
        assert!(error.contains(&format!("unsupported type of config [{kind}]")), "{error}");
    }
    let error = fixture.load(&fixture.json(with_config(r#"{"a": 1e400}"#))).unwrap_err();
    assert!(error.ends_with("config: a number beyond float64 at byte 6"), "{error}");
}

#[test]
fn unsupported_interfaces_are_listed_once_each_in_brackets() {
    let fixture = Fixture::new();
    let json = r#"{"providers": {"b": {"name": "n", "version": "1"},
        "c": {"name": "n", "version": "1", "interface": "a"},
        "a": {"name": "n", "version": "1"},
        "account": {"name": "n", "version": "1"}}}"#;
    let settings = fixture.load(&fixture.json(json)).unwrap().settings;
    let known = |names: &[&str]| -> Vec<InterfaceName> {
        names.iter().map(|name| InterfaceName::parse(name).unwrap()).collect()
    };
    for (supported, unsupported) in [
        (known(&[]), Some("[a account b]")),
        (known(&["account"]), Some("[a b]")),
        (known(&["account", "a", "b"]), None),
    ] {
        let message = settings.check_supported(&supported).map_err(|error| error.to_string());
        let expected = unsupported.map(|list| format!("unsupported plugins configured: {list}"));
        assert_eq!(message.err(), expected);
    }
}

#[test]
fn the_toml_section_is_read_by_go_s_names() {
    let fixture = Fixture::new();
    let toml = r#"
        [Node.Plugins]
        BaseDir = "/plugins"
        [Node.Plugins.Central]
        BaseURL = "https://plugins.example/"
        CertFingerprint = "00"
        PublicKeyURI = "key.asc"
        InsecureSkipTLSVerify = true
        PluginDistPathTemplate = "{{.Name}}.zip"
        PluginSigPathTemplate = "{{.Name}}.asc"
        [Node.Plugins.Providers.helloworld]
        Name = "quorum-plugin-hello-world"
        Version = "1.0.0"
        Config = { language = "en" }
    "#;
    let settings = fixture.load(&fixture.toml(toml)).unwrap().settings;
    assert_eq!(settings.base_dir, Path::new("/plugins"));
    let central = CentralSettings {
        configured: true,
        base_url: "https://plugins.example/".into(),
        cert_fingerprint: "00".into(),
        public_key_uri: "key.asc".into(),
        insecure_skip_tls_verify: true,
        dist_path_template: "{{.Name}}.zip".into(),
        sig_path_template: "{{.Name}}.asc".into(),
        ..CentralSettings::default()
    };
    assert_eq!(settings.central, central);
    assert_eq!(hello(&settings).definition.name.as_str(), "quorum-plugin-hello-world");
    assert_eq!(bytes(&settings, &env([])).unwrap(), r#"{"language":"en"}"#);
}
