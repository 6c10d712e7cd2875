//! A provider's keys that say how its process is launched and reached.

use std::path::Path;

use super::{Fixture, env, hello};
use crate::settings::{TlsSettings, Variables};

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn variables<const N: usize>(pairs: [(&str, &str); N]) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in pairs {
        variables.set(name, value);
    }
    variables
}

/// The settings with this in the provider.
fn provider(body: &str) -> String {
    format!(r#"{{"providers": {{"helloworld": {{"name": "n", "version": "1", {body}}}}}}}"#)
}

#[test]
fn without_these_keys_everything_is_as_the_interface_says() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.json(provider(r#""tls": {}, "variables": null"#))).unwrap();
    let hello = hello(&loaded.settings);
    assert_eq!(hello.largest_message, None);
    assert_eq!(hello.socket_group, None);
    assert_eq!(hello.ports, None);
    assert_eq!(hello.checksum, None);
    assert_eq!(hello.tls, None);
    assert_eq!(hello.multiplex, None);
    assert_eq!(hello.variables, Variables::default());
}

#[test]
fn the_keys_are_read_from_json() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.json(provider(&format!(
        r#""largestMessage": "64MiB", "socketGroup": "plugins", "ports": "20000-20010",
           "checksum": "sha256:{DIGEST}", "tls": {{"mode": "none"}}, "multiplex": true,
           "variables": {{"RUST_LOG": "debug", "rust_log": "x", "A.B": ""}}"#
    ))));
    let loaded = loaded.unwrap();
    assert_eq!(loaded.warnings, []);
    let hello = hello(&loaded.settings);
    assert_eq!(hello.largest_message, Some(64 << 20));
    assert_eq!(hello.socket_group.as_deref(), Some("plugins"));
    assert_eq!(hello.ports, Some(20_000..=20_010));
    assert_eq!(hello.checksum.map(|digest| digest.to_string()).as_deref(), Some(DIGEST));
    assert_eq!(hello.tls, Some(TlsSettings::None));
    assert_eq!(hello.multiplex, Some(true));
    let expected = variables([("RUST_LOG", "debug"), ("rust_log", "x"), ("A.B", "")]);
    assert_eq!(hello.variables, expected);
}

#[test]
fn the_keys_are_read_from_toml() {
    let fixture = Fixture::new();
    let loaded = fixture.load(&fixture.toml(format!(
        r#"
[Node.Plugins.Providers.helloworld]
Name = "n"
Version = "1"
LargestMessage = "1MiB"
SocketGroup = "1000"
Ports = "5-6"
Checksum = "sha256:{DIGEST}"
Tls = {{ Certificate = "/c.pem", Key = "/k.pem", Roots = "env://ROOTS", ServerName = "x" }}
Multiplex = false
Variables = {{ LANG = "C" }}
"#
    )));
    assert_eq!(
        loaded.unwrap_err(),
        "settings node.toml line 9 column 57: Node.Plugins.Providers.helloworld.Tls.Roots: env \
         variable ROOTS not found or empty; set it, or write the path here"
    );
    let sources = fixture.sources().with_toml(fixture.path().join("node.toml"));
    let sources = sources.with_env(env([("ROOTS", "/r.pem")]));
    let settings = fixture.load(&sources).unwrap().settings;
    let hello = hello(&settings);
    assert_eq!(hello.largest_message, Some(1 << 20));
    assert_eq!(hello.socket_group.as_deref(), Some("1000"));
    assert_eq!(hello.ports, Some(5..=6));
    let given = TlsSettings::Given {
        certificate: Path::new("/c.pem").to_owned(),
        key: Path::new("/k.pem").to_owned(),
        roots: Path::new("/r.pem").to_owned(),
        server_name: Some("x".to_owned()),
    };
    assert_eq!(hello.tls, Some(given));
    assert_eq!(hello.multiplex, Some(false));
    assert_eq!(hello.variables, variables([("LANG", "C")]));
}

#[test]
fn the_keys_are_read_from_the_environment_and_added_to_a_file_s() {
    let fixture = Fixture::new();
    let body = r#""tls": {"mode": "none"}, "variables": {"A": "1", "B": "2"}"#;
    let sources = fixture.json(provider(body)).with_env(env([
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__LARGEST_MESSAGE", "5MB"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__SOCKET_GROUP", "g"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__PORTS", "1-2"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__TLS__MODE", "auto"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__MULTIPLEX", "true"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__VARIABLES__B", "3"),
        ("OUTRIGGER__PROVIDERS__HELLOWORLD__VARIABLES__MY_Name", "x=y"),
    ]));
    let settings = fixture.load(&sources).unwrap().settings;
    let hello = hello(&settings);
    assert_eq!(hello.largest_message, Some(5_000_000));
    assert_eq!(hello.socket_group.as_deref(), Some("g"));
    assert_eq!(hello.ports, Some(1..=2));
    assert_eq!(hello.tls, Some(TlsSettings::Auto));
    assert_eq!(hello.multiplex, Some(true));
    assert_eq!(hello.variables, variables([("A", "1"), ("B", "3"), ("MY_Name", "x=y")]));
}

#[test]
fn a_wrong_value_is_refused_with_its_place_and_what_to_give() {
    let fixture = Fixture::new();
    let at = "settings q.json line 1 column";
    let row = |column: usize, rest: &str| format!("{at} {column}: providers.helloworld.{rest}");
    let table = [
        (
            r#""largestMessage": "2GiB""#,
            row(
                78,
                "largestMessage: `2GiB` is more than a message may have; give at most `2047MiB`",
            ),
        ),
        (
            r#""largestMessage": 5"#,
            row(78, "largestMessage: a number stands here; give a text in double quotes"),
        ),
        (
            r#""socketGroup": "a b""#,
            row(75, "socketGroup: `a b` is no group; give a name such as `plugins` or a number"),
        ),
        (
            r#""ports": "80""#,
            row(69, "ports: `80` is no range of ports; give one such as `10000-25000`"),
        ),
        (
            r#""ports": "9-8""#,
            row(69, "ports: `9-8` ends before it begins; give the lower port first"),
        ),
        (
            r#""checksum": "md5:1""#,
            row(
                72,
                "checksum: `md5:1` is no checksum; give `sha256:` and the 64 digits that \
                 `sha256sum` prints",
            ),
        ),
        (
            r#""tls": {"mode": "off"}"#,
            row(
                76,
                "tls.mode: `off` is no way to secure a connection; give `auto`, `given` with \
                 files, or `none`, which is dangerous",
            ),
        ),
        (
            r#""tls": {"mode": "none", "key": "/k"}"#,
            row(91, "tls.key: `mode` is `none`, which takes no files; remove one of the two"),
        ),
        (
            r#""tls": {"mode": "given"}"#,
            row(
                67,
                "tls.certificate: is missing; TLS that is given takes `certificate`, `key` and \
                 `roots`",
            ),
        ),
        (
            r#""tls": {"certificate": "/c", "key": "/k"}"#,
            row(
                67,
                "tls.roots: is missing; TLS that is given takes `certificate`, `key` and `roots`",
            ),
        ),
        (
            r#""tls": {"certificate": "/c", "key": "/k", "roots": "/r", "serverName": ""}"#,
            row(
                131,
                "tls.serverName: is empty; give the name in the plugin's certificate, such as \
                 `localhost`",
            ),
        ),
        (r#""tls": "none""#, row(67, "tls: a text stands here; give a table")),
        (r#""multiplex": "yes""#, row(73, "multiplex: a text stands here; give `true` or `false`")),
        (
            r#""variables": {"PLUGIN_MIN_PORT": "1"}"#,
            row(
                93,
                "variables.PLUGIN_MIN_PORT: is set by the host; variables that begin with \
                 `PLUGIN_` are the protocol's",
            ),
        ),
        (
            r#""variables": {"A=B": "1"}"#,
            row(81, "variables.A=B: is no name of a variable; give one such as `HOME`"),
        ),
        (
            r#""variables": {"A": "secret\u0000"}"#,
            row(79, "variables.A: its value holds a NUL character; remove it"),
        ),
        (
            r#""variables": {"A": 1}"#,
            row(79, "variables.A: a number stands here; give a text in double quotes"),
        ),
    ];
    for (body, message) in table {
        let found = fixture.load(&fixture.json(provider(body))).map(|loaded| loaded.settings);
        let found = found.unwrap_err();
        // The column is that of the value, which follows the fixed start.
        assert_eq!(found, message, "{body}");
    }
}

#[test]
fn a_variable_from_the_environment_needs_a_name() {
    let fixture = Fixture::new();
    let sources = fixture.sources().with_override("providers.helloworld.variables", "x");
    assert_eq!(
        fixture.load(&sources).unwrap_err(),
        "command line: providers.helloworld.variables: is a table; set the keys in it one by one"
    );
}

#[test]
fn values_of_variables_are_never_shown() {
    let shown = format!("{:?}", variables([("TOKEN", "secret")]));
    assert_eq!(shown, r#"{"TOKEN"}"#);
}
