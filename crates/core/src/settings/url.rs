//! Splitting a text as Go's URL parser does, for the few URLs in settings.
//!
//! Operators' files were written against that parser, and it differs from the
//! one that browsers share: `file:name` has no path, a host `localhost` stays,
//! and a path is percent-decoded. What the parser refuses is no URL here, and
//! callers take such a text as it is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// Host and path of a URL, joined and made absolute, whatever its scheme: how
/// GoQuorum reads `--plugins.publickey`. `None` for a text that Go's parser
/// refuses, and where both are empty.
#[must_use]
pub fn url_path(text: &str) -> Option<PathBuf> {
    std::path::absolute(Url::parse(text)?.file_path()?).ok()
}

/// The parts of a URL that settings use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// In lower case; empty when there is none.
    pub(super) scheme: String,
    /// Percent-decoded, with the port and without the user.
    pub(super) host: Vec<u8>,
    /// Percent-decoded; empty after `scheme:rest` without a slash.
    pub(super) path: Vec<u8>,
    /// As it stands.
    query: String,
}

impl Url {
    /// Splits a text, or `None` where Go's parser reports an error.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        if rest.bytes().any(|b| b.is_ascii_control()) {
            return None;
        }
        unescape(fragment)?;
        let (scheme, rest) = split_scheme(rest)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            host: Vec::new(),
            path: Vec::new(),
            query: query.to_owned(),
        };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                return Some(url);
            }
            if rest.split('/').next().is_some_and(|part| part.contains(':')) {
                return None;
            }
        }
        let mut path = rest;
        let has_authority = !scheme.is_empty() || !rest.starts_with("///");
        if let Some(rest) = rest.strip_prefix("//").filter(|_| has_authority) {
            let split = rest.find('/').unwrap_or(rest.len());
            url.host = parse_authority(&rest[..split])?;
            path = &rest[split..];
        }
        url.path = unescape(path)?;
        Some(url)
    }

    /// The path of a `file` URL: its host, if any, joined with its path. `None`
    /// when both are empty.
    pub(super) fn file_path(&self) -> Option<PathBuf> {
        let bytes = [self.host.as_slice(), self.path.as_slice()].concat();
        if bytes.is_empty() {
            return None;
        }
        let joined = OsString::from_vec(bytes);
        let path =
            Path::new(&joined).components().filter(|part| *part != Component::CurDir).collect();
        Some(path)
    }

    /// The host as text, for the name of a variable.
    pub(super) fn host_name(&self) -> String {
        String::from_utf8_lossy(&self.host).into_owned()
    }

    /// Whether the query's first value for `name` is `value`.
    pub(super) fn query_is(&self, name: &str, value: &str) -> bool {
        let decode = |text: &str| unescape(&text.replace('+', " "));
        self.query
            .split('&')
            .filter(|pair| !pair.contains(';'))
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .filter_map(|(key, value)| Some((decode(key)?, decode(value)?)))
            .find(|(key, _)| key == name.as_bytes())
            .is_some_and(|(_, found)| found == value.as_bytes())
    }
}

/// Scheme and rest; the scheme is empty where the text has none.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (i, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if i > 0 => {}
            ':' if i == 0 => return None,
            ':' => return Some((&text[..i], &text[i + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn parse_authority(text: &str) -> Option<Vec<u8>> {
    let Some((user, host)) = text.rsplit_once('@') else {
        return parse_host(text);
    };
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !user.bytes().all(valid) {
        return None;
    }
    unescape(user)?;
    parse_host(host)
}

fn parse_host(text: &str) -> Option<Vec<u8>> {
    let port = if text.starts_with('[') {
        &text[text.rfind(']')? + 1..]
    } else {
        text.rfind(':').map_or("", |i| &text[i..])
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if !digits.bytes().all(|b| b.is_ascii_digit()) || (!port.is_empty() && !port.starts_with(':')) {
        return None;
    }
    let plain = |b: u8| {
        !b.is_ascii() || b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&b)
    };
    if !text.bytes().all(plain) {
        return None;
    }
    // In a host, an escape may only stand for a byte outside ASCII, or for `%`.
    let escapes = text.match_indices('%');
    for (i, _) in escapes {
        let digits = text.get(i + 1..i + 3)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii() && byte != b'%' {
            return None;
        }
    }
    unescape(text)
}

/// Decodes `%41` and its like; `None` when two hexadecimal digits are missing.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        // Two hexadecimal digits always fit into one byte.
        out.push((high * 16 + low) as u8);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn file_urls_give_the_paths_of_gos_parser() {
        for (url, path) in [
            ("file:///a/b", Some("/a/b")),
            ("FILE:///a/b", Some("/a/b")),
            ("file://./x/y", Some("x/y")),
            ("file://../x", Some("../x")),
            ("file://name", Some("name")),
            ("file://localhost/a", Some("localhost/a")),
            ("file:/abs", Some("/abs")),
            ("file:rel", None),
            ("file:rel/x", None),
            ("file:", None),
            ("file://", None),
            ("file:///a%20b", Some("/a b")),
            ("file:///a/b?type=x#y", Some("/a/b")),
            ("file://user@host/a", Some("host/a")),
            ("file:///a//b/./c", Some("/a/b/c")),
        ] {
            let parsed = Url::parse(url).unwrap_or_else(|| panic!("{url} is refused"));
            assert_eq!(parsed.scheme, "file", "{url}");
            assert_eq!(parsed.file_path(), path.map(PathBuf::from), "{url}");
        }
    }

    #[test]
    fn what_gos_parser_refuses_is_no_url() {
        for text in [
            r#"{"a":"b"}"#,
            ":x",
            "a:b%zz//",
            "file:///%zz",
            "file:///%4",
            "file://a b/c",
            "file://a%20b/c",
            "file://host:port/c",
            "file://[::1/c",
            "file:///a\nb",
            "env://A#%",
            "1a:b",
            "file://a^b/",
            "file://us er@host/",
        ] {
            let parsed = Url::parse(text);
            // An opaque rest is not decoded, so nothing in it is refused.
            assert_eq!(parsed.is_none(), text != "a:b%zz//", "{text:?}");
        }
    }

    #[test]
    fn a_host_keeps_its_case_and_a_query_is_decoded() {
        let url = Url::parse("env://My_VAR?a=b&type=file").unwrap();
        assert_eq!(url.host_name(), "My_VAR");
        assert!(url.query_is("type", "file"));
        assert!(!url.query_is("type", "text"));
        for query in ["type=fil%65", "t%79pe=file", "type=file&type=x"] {
            let url = Url::parse(&format!("env://A?{query}")).unwrap();
            assert!(url.query_is("type", "file"), "{query}");
        }
        for query in ["type=x&type=file", "type=file;x", "type", "type=%zz"] {
            let url = Url::parse(&format!("env://A?{query}")).unwrap();
            assert!(!url.query_is("type", "file"), "{query}");
        }
    }

    #[test]
    fn a_text_without_a_scheme_has_none() {
        for text in ["", "*", "/a/b", "a/b", "a b", "é:b/", "//host/x", "///x"] {
            if let Some(url) = Url::parse(text) {
                assert_eq!(url.scheme, "", "{text:?}");
            }
        }
    }

    #[test]
    fn a_key_s_url_counts_by_host_and_path_whatever_its_scheme() {
        let here = std::env::current_dir().unwrap();
        for (text, path) in [
            ("file:///etc/gpg.key", Some(PathBuf::from("/etc/gpg.key"))),
            ("https:///etc/gpg.key", Some("/etc/gpg.key".into())),
            ("/etc/gpg.key", Some("/etc/gpg.key".into())),
            ("file://keys/gpg.key", Some(here.join("keys/gpg.key"))),
            ("file://./gpg.key", Some(here.join("gpg.key"))),
            ("file:///with%20space", Some("/with space".into())),
            ("file:gpg.key", None),
            ("", None),
            ("file:///%zz", None),
        ] {
            assert_eq!(url_path(text), path, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_splitter_panic(text in "(file|env|x)?:?/{0,3}[^/]*[ -~é]*") {
            let _ = Url::parse(&text).map(|url| (url.file_path(), url.query_is("type", "file")));
        }
    }
}
