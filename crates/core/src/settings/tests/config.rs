//! Reading a plugin's configuration.

use std::error::Error;
use std::os::unix::net::UnixListener;

use outrigger_types::{ConfigSource, RawConfig};

use super::{Fixture, env};
use crate::settings::{ConfigError, Env, MAX_FILE_BYTES, read_config};

fn read(text: &str, env: &dyn Env) -> Result<String, ConfigError> {
    let source = ConfigSource::Text(RawConfig::new(text.as_bytes()));
    let raw = read_config(&source, env)?;
    Ok(String::from_utf8(raw.expose().to_vec()).unwrap())
}

#[test]
fn each_form_gives_its_bytes() {
    let fixture = Fixture::new();
    let file = fixture.write("a b.json", "from the file");
    let path = file.to_str().unwrap();
    let escaped = path.replace(' ', "%20");
    let variables = env([("VALUE", "plain"), ("EMPTY", ""), ("FILE", path)]);
    for (text, expect) in [
        (format!("file://{escaped}"), "from the file"),
        (format!("FILE://{path}"), "from the file"),
        (format!("file:{escaped}?ignored=1"), "from the file"),
        ("env://VALUE".to_owned(), "plain"),
        ("env://EMPTY".to_owned(), ""),
        ("ENV://FILE?type=file".to_owned(), "from the file"),
        ("env://VALUE?type=text".to_owned(), "plain"),
        ("http://host/x".to_owned(), "http://host/x"),
        ("just text".to_owned(), "just text"),
        (r#"{"a":"b"}"#.to_owned(), r#"{"a":"b"}"#),
        ("file:///%zz".to_owned(), "file:///%zz"),
        (String::new(), ""),
    ] {
        assert_eq!(read(&text, &variables).unwrap(), expect, "{text}");
    }
    let none = read_config(&ConfigSource::None, &variables).unwrap();
    assert!(none.expose().is_empty());
    let inline = RawConfig::new(b"{ }".as_slice());
    let read = read_config(&ConfigSource::Inline(inline.clone()), &variables).unwrap();
    assert!(read == inline);
}

#[test]
fn a_message_says_what_is_missing() {
    let variables = env([("EMPTY", "")]);
    for (text, message) in [
        ("env://NOT_SET", "env variable NOT_SET not found; set it in the host's environment"),
        (
            "file:name",
            "the `file:` URL in `config` names no path; write it as `file:///etc/plugin.json`",
        ),
        (
            "file:///no/such/file",
            "configuration file /no/such/file does not exist; create it or correct the path",
        ),
        (
            "env://EMPTY?type=file",
            "configuration file  does not exist; create it or correct the path",
        ),
    ] {
        assert_eq!(read(text, &variables).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_systems_answer_is_the_source_of_the_error() {
    let error = read("file:///no/such/file", &env([])).unwrap_err();
    let source = error.source().unwrap().to_string();
    assert!(source.contains("No such file"), "{source}");
}

#[test]
fn only_regular_files_are_read() {
    let fixture = Fixture::new();
    let socket = fixture.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    for path in ["/dev/zero", "/dev/null", "/proc/self", socket.to_str().unwrap()] {
        let message = read(&format!("file://{path}"), &env([])).unwrap_err();
        assert_eq!(
            message.to_string(),
            format!("configuration file {path} is not a regular file; name a regular file")
        );
    }
}

#[test]
fn a_file_may_have_a_mebibyte_and_no_byte_more() {
    let fixture = Fixture::new();
    let path = fixture.write("big", vec![b'x'; MAX_FILE_BYTES as usize]);
    let url = format!("file://{}", path.display());
    assert_eq!(read(&url, &env([])).unwrap().len() as u64, MAX_FILE_BYTES);
    fixture.write("big", vec![b'x'; MAX_FILE_BYTES as usize + 1]);
    let message = fixture.shorten(&read(&url, &env([])).unwrap_err());
    assert_eq!(message, "configuration file big is larger than 1048576 bytes; name a smaller file");
}

#[test]
fn the_settings_url_must_name_a_file() {
    let fixture = Fixture::new();
    fixture.refuses(
        |url| fixture.sources().with_url(url),
        &[
            (
                "http://host/settings.json",
                "plugins: unable to create reader due to unsupported scheme http; give a file, such as `file:///etc/plugins.json`",
            ),
            (
                "/etc/settings.json",
                "plugins: unable to create reader due to unsupported scheme ; give a file, such as `file:///etc/plugins.json`",
            ),
            (
                "file:///%zz",
                "plugins: Invalid URL for --plugins due to `file:///%zz`: not a URL; give a file, such as \
                 `file:///etc/plugins.json`",
            ),
            (
                "file:settings.json",
                "plugins: Invalid URL for --plugins due to `file:settings.json`: it names no path; give a file, such as \
                 `file:///etc/plugins.json`",
            ),
            (
                "file:///no/such.json",
                "settings file /no/such.json does not exist; create it or correct the path",
            ),
        ],
    );
    let path = fixture.write("q.json", r#"{"baseDir": "/plugins"}"#);
    let sources = fixture.sources().with_url(format!("file://{}", path.display()));
    assert!(fixture.load(&sources).is_ok());
}
