//! Where things lie: templates of paths, resolved against a base.

use std::fmt;

use outrigger_types::{Platform, PluginDefinition};
use reqwest::Url;

/// A path with places for a definition's parts: `{{.Name}}`, `{{.Version}}`,
/// `{{.OS}}` and `{{.Arch}}`, as in Go's templates, of which it has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Version,
    Os,
    Arch,
}

/// A template that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` stands in a path template; use {{{{.Name}}}}, {{{{.Version}}}}, {{{{.OS}}}} and {{{{.Arch}}}} alone"
)]
pub struct TemplateError(String);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`TemplateError`]: braces hold something else, or are not closed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let wrong = |inner: &str| TemplateError(format!("{{{{{}", inner.escape_debug()));
            let (inner, after) = after.split_once("}}").ok_or_else(|| wrong(after))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match inner.trim() {
                ".Name" => Part::Name,
                ".Version" => Part::Version,
                ".OS" => Part::Os,
                ".Arch" => Part::Arch,
                _ => return Err(wrong(&format!("{inner}}}}}"))),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The path for a definition.
    #[must_use]
    pub fn render(&self, definition: &PluginDefinition, platform: &Platform) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Name => definition.name.to_string(),
            Part::Version => definition.version.to_string(),
            Part::Os => platform.os.to_owned(),
            Part::Arch => platform.arch.to_owned(),
        };
        self.0.iter().map(text).collect()
    }
}

/// A base URL: `http:`, `https:` or, for a mirror, `file:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no URL.
    #[error("`{0}` is no URL; give one such as https://plugins.example/")]
    NoUrl(String),
    /// Its scheme is another.
    #[error("`{0}` is neither an http:, https: nor file: URL")]
    Scheme(String),
    /// A reference leads away from the base. The text is GoQuorum's.
    #[error("target host doesnt match base host")]
    OtherHost,
}

impl Address {
    /// Reads a base URL. As in every reference, what follows its last `/` is no
    /// directory.
    ///
    /// # Errors
    ///
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::NoUrl(shown(text)))?;
        match url.scheme() {
            "http" | "https" | "file" => Ok(Self(url)),
            _ => Err(AddressError::Scheme(shown(text))),
        }
    }

    /// What a reference leads to, by RFC 3986, section 5.
    ///
    /// # Errors
    ///
    /// [`AddressError::OtherHost`] for what has another scheme, host or port.
    pub fn join(&self, reference: &str) -> Result<Url, AddressError> {
        let target = self.0.join(reference).map_err(|_| AddressError::NoUrl(shown(reference)))?;
        if same_host(&self.0, &target) { Ok(target) } else { Err(AddressError::OtherHost) }
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_secrets(&self.0))
    }
}

/// Whether two URLs have one scheme, host and port.
pub(crate) fn same_host(one: &Url, two: &Url) -> bool {
    one.scheme() == two.scheme()
        && one.host_str() == two.host_str()
        && one.port_or_known_default() == two.port_or_known_default()
}

/// A URL for messages, less user, password and query.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut url = url.clone();
    // Neither can be set on a URL that has no host, and those have none.
    let _none = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    url.to_string()
}

fn shown(text: &str) -> String {
    // A user and a password may stand before the `@`.
    let end = text.rfind('@').map_or(text, |at| &text[at + 1..]);
    end.chars().take(200).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_types::ConfigSource;

    fn definition() -> PluginDefinition {
        PluginDefinition {
            name: "hello".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            config: ConfigSource::None,
        }
    }

    const LINUX: Platform = Platform { os: "linux", arch: "amd64" };

    #[test]
    fn templates_are_goquorum_s_and_what_else_go_knows_is_refused() {
        for (template, path) in [
            (
                "maven/bin/{{.Name}}/{{.Version}}/{{.Name}}-{{.Version}}-{{.OS}}-{{.Arch}}.zip",
                "maven/bin/hello/1.0.0/hello-1.0.0-linux-amd64.zip",
            ),
            (
                "{{ .Name }}/v{{.Version}}/{{.OS}}-{{.Arch}}/{{.Name}}-{{.Version}}.zip",
                "hello/v1.0.0/linux-amd64/hello-1.0.0.zip",
            ),
            ("plain.zip", "plain.zip"),
            ("", ""),
        ] {
            let template = Template::parse(template).unwrap();
            assert_eq!(template.render(&definition(), &LINUX), path);
        }
        for template in ["{{.name}}", "{{.Name", "{{if .Name}}x{{end}}", "{{}}"] {
            let error = Template::parse(template).unwrap_err().to_string();
            assert!(error.contains("{{.Name}}, {{.Version}}"), "{error}");
        }
    }

    #[test]
    fn references_are_resolved_against_the_base() {
        for (base, reference, expected) in [
            ("https://x.example/a/b/", "gpg.key", "https://x.example/a/b/gpg.key"),
            ("https://x.example/a/b", "gpg.key", "https://x.example/a/gpg.key"),
            ("https://x.example/a/b/", "/gpg.key", "https://x.example/gpg.key"),
            ("https://x.example/a/b/", "../../k", "https://x.example/k"),
            ("https://x.example:443/", "https://x.example/k", "https://x.example/k"),
            ("file:///mirror/", "a/b.zip", "file:///mirror/a/b.zip"),
        ] {
            let joined = Address::parse(base).unwrap().join(reference).unwrap();
            assert_eq!(joined.as_str(), expected);
        }
    }

    #[test]
    fn a_target_on_another_scheme_host_or_port_is_refused() {
        let base = Address::parse("https://x.example/a/").unwrap();
        for reference in [
            "http://x.example/k",
            "https://y.example/k",
            "//y.example/k",
            "https://x.example:8443/k",
            "file:///etc/passwd",
        ] {
            let error = base.join(reference).unwrap_err();
            assert_eq!(error.to_string(), "target host doesnt match base host", "{reference}");
        }
        base.join("https://x.example/other/path").unwrap();
        for text in ["", "x", "ftp://x/", "https://"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_message_holds_a_password() {
        let address = Address::parse("https://user:hunter2@x.example/?token=hunter2").unwrap();
        assert!(!address.to_string().contains("hunter2"), "{address}");
        let error = Address::parse("ftp://user:hunter2@x.example/").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
