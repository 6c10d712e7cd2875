//! Changing one provider in the text of a settings file, which keeps every
//! other byte as its author wrote it.

use std::ops::Range;

use outrigger_types::{InstanceName, PluginVersion};
use serde_json::value::RawValue;
use toml::de::DeTable;

use super::document::{Entry, Node};
use super::toml_file::{SECTION, Section, section};
use super::{json, layer::Dialect};

/// The language of a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsFormat {
    /// The settings themselves.
    Json,
    /// A node's file with the section `[Node.Plugins]`.
    Toml,
}

/// What is to change of a provider.
#[derive(Debug, Clone)]
pub struct ProviderEdit<'a> {
    /// The version that it is to have.
    pub version: &'a PluginVersion,
    /// The config that it is to have: one JSON value.
    pub config: Option<&'a RawValue>,
}

/// Why a settings file cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// It cannot be read as what it is.
    #[error("the settings file cannot be read: {0}; correct it by hand")]
    Syntax(String),
    /// The provider does not stand in this file.
    #[error(
        "the settings file does not define `{instance}`; change its version where it is defined"
    )]
    NoProvider {
        /// The instance.
        instance: InstanceName,
    },
    /// The provider has no version in this file.
    #[error("the settings file gives `{instance}` no version; write one there")]
    NoVersion {
        /// The instance.
        instance: InstanceName,
    },
    /// A TOML file's config cannot be replaced by JSON.
    #[error("the config of `{instance}` stands in a TOML file; change it by hand")]
    TomlConfig {
        /// The instance.
        instance: InstanceName,
    },
}

/// The text of a settings file with a provider changed; `bytes` is the file.
///
/// # Errors
///
/// [`EditError`]: the file is malformed, or the provider's keys stand somewhere
/// else, such as in the environment.
pub fn edit_provider(
    format: SettingsFormat,
    bytes: &[u8],
    instance: &InstanceName,
    edit: &ProviderEdit<'_>,
) -> Result<Vec<u8>, EditError> {
    let mut changes = match format {
        SettingsFormat::Json => in_json(bytes, instance, edit)?,
        SettingsFormat::Toml => in_toml(bytes, instance, edit)?,
    };
    // From the end, so that the places before stay where they are.
    changes.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut text = bytes.to_vec();
    for (place, new) in changes {
        text.splice(place, new.into_bytes());
    }
    Ok(text)
}

type Changes = Vec<(Range<usize>, String)>;

fn in_json(
    bytes: &[u8],
    instance: &InstanceName,
    edit: &ProviderEdit<'_>,
) -> Result<Changes, EditError> {
    let syntax = |error: json::JsonError| EditError::Syntax(error.reason);
    let (text, root) = json::first_value(bytes).map_err(syntax)?;
    // A byte order mark stands before the text.
    let before = text.as_ptr().addr() - bytes.as_ptr().addr();
    let place = |raw: &RawValue| {
        let start = before + json::offset(text, raw);
        start..start + raw.get().len()
    };
    let provider = provider(Node::Json(root), text, Dialect::Json, instance)?;
    let Node::Json(version) = version(provider, text, Dialect::Json, instance)? else {
        return Err(EditError::NoVersion { instance: instance.clone() });
    };
    let mut changes = vec![(place(version), quoted(edit.version))];
    if let Some(config) = edit.config {
        match find(provider, text, Dialect::Json, "config")? {
            Some(Node::Json(old)) => changes.push((place(old), config.get().to_owned())),
            _ => {
                let end = place(version).end;
                changes.push((end..end, format!(", \"config\": {config}")));
            }
        }
    }
    Ok(changes)
}

fn in_toml(
    bytes: &[u8],
    instance: &InstanceName,
    edit: &ProviderEdit<'_>,
) -> Result<Changes, EditError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EditError::Syntax(error.to_string()))?;
    let file =
        DeTable::parse(text).map_err(|error| EditError::Syntax(error.message().to_owned()))?;
    let Section::Found(root, _) = section(file.get_ref()) else {
        return Err(EditError::Syntax(format!("it has no section [{SECTION}]")));
    };
    let provider = provider(Node::Toml(root), text, Dialect::Toml, instance)?;
    let Node::Toml(version) = version(provider, text, Dialect::Toml, instance)? else {
        return Err(EditError::NoVersion { instance: instance.clone() });
    };
    if edit.config.is_some() {
        return Err(EditError::TomlConfig { instance: instance.clone() });
    }
    Ok(vec![(version.span(), quoted(edit.version))])
}

/// A version's grammar has nothing that a text in quotes must escape.
fn quoted(version: &PluginVersion) -> String {
    format!("\"{version}\"")
}

fn provider<'a>(
    root: Node<'a>,
    text: &str,
    dialect: Dialect,
    instance: &InstanceName,
) -> Result<Node<'a>, EditError> {
    let absent = || EditError::NoProvider { instance: instance.clone() };
    let providers = find(root, text, dialect, "providers")?.ok_or_else(absent)?;
    let mut providers = entries(providers, text)?.into_iter();
    let found = providers.find(|entry| entry.name.to_lowercase() == instance.as_str());
    Ok(found.ok_or_else(absent)?.value)
}

fn version<'a>(
    provider: Node<'a>,
    text: &str,
    dialect: Dialect,
    instance: &InstanceName,
) -> Result<Node<'a>, EditError> {
    let found = find(provider, text, dialect, "version")?;
    found.ok_or_else(|| EditError::NoVersion { instance: instance.clone() })
}

fn find<'a>(
    table: Node<'a>,
    text: &str,
    dialect: Dialect,
    key: &str,
) -> Result<Option<Node<'a>>, EditError> {
    let fits = |name: &str| match dialect {
        Dialect::Json => name.eq_ignore_ascii_case(key),
        // Go's names, such as `Version`.
        Dialect::Toml => name.strip_prefix(|c: char| c.is_ascii_uppercase()) == key.get(1..),
    };
    Ok(entries(table, text)?.into_iter().find(|entry| fits(&entry.name)).map(|entry| entry.value))
}

fn entries<'a>(table: Node<'a>, text: &str) -> Result<Vec<Entry<'a>>, EditError> {
    table.entries(text).map_err(EditError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(format: SettingsFormat, text: &str, config: Option<&str>) -> String {
        try_edit(format, text, config).unwrap()
    }

    fn try_edit(
        format: SettingsFormat,
        text: &str,
        config: Option<&str>,
    ) -> Result<String, EditError> {
        let config = config.map(|config| RawValue::from_string(config.to_owned()).unwrap());
        let version = "2.0.0".parse().unwrap();
        let edit = ProviderEdit { version: &version, config: config.as_deref() };
        let instance = InstanceName::parse("helloworld").unwrap();
        edit_provider(format, text.as_bytes(), &instance, &edit)
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_version_changes_and_every_other_byte_stays() {
        for (before, after) in [
            (
                "\u{feff}{ \"Providers\" : {\"HelloWorld\":\t{\"VERSION\":\"1.0.0\" ,\"name\":\"x\"}}}  trailing",
                "\u{feff}{ \"Providers\" : {\"HelloWorld\":\t{\"VERSION\":\"2.0.0\" ,\"name\":\"x\"}}}  trailing",
            ),
            (
                r#"{"providers":{"account":{"version":"1.0.0"},"helloworld":{"version":"1.0.0"}}}"#,
                r#"{"providers":{"account":{"version":"1.0.0"},"helloworld":{"version":"2.0.0"}}}"#,
            ),
        ] {
            assert_eq!(edited(SettingsFormat::Json, before, None), after);
        }
        let before = "# a node\n[Eth]\nX = 1\n[Node.Plugins.Providers.HelloWorld]\nName = 'x' # y\nVersion = '1.0.0' # pinned\n";
        let after = before.replace("'1.0.0'", "\"2.0.0\"");
        assert_eq!(edited(SettingsFormat::Toml, before, None), after);
    }

    #[test]
    fn a_config_is_replaced_or_added() {
        let before = r#"{"providers":{"helloworld":{"config":{"a":[1]},"version":"1"}}}"#;
        let after = r#"{"providers":{"helloworld":{"config":{"b":2},"version":"2.0.0"}}}"#;
        assert_eq!(edited(SettingsFormat::Json, before, Some(r#"{"b":2}"#)), after);
        let before = r#"{"providers":{"helloworld":{"version":"1"}}}"#;
        let after = r#"{"providers":{"helloworld":{"version":"2.0.0", "config": "x"}}}"#;
        assert_eq!(edited(SettingsFormat::Json, before, Some(r#""x""#)), after);
    }

    #[test]
    fn what_does_not_stand_in_the_file_cannot_be_changed_there() {
        let json = |text| try_edit(SettingsFormat::Json, text, None).unwrap_err();
        assert!(matches!(json("{}"), EditError::NoProvider { .. }));
        assert!(matches!(json(r#"{"providers":{"x":{}}}"#), EditError::NoProvider { .. }));
        let no_version = json(r#"{"providers":{"helloworld":{"name":"x"}}}"#);
        assert!(matches!(no_version, EditError::NoVersion { .. }));
        assert!(matches!(json("{"), EditError::Syntax(_)));
        assert!(matches!(json(r#"{"providers":[]}"#), EditError::Syntax(_)));
        let toml = "[Node.Plugins.Providers.helloworld]\nVersion = '1'\n";
        let error = try_edit(SettingsFormat::Toml, toml, Some("{}")).unwrap_err();
        assert!(matches!(error, EditError::TomlConfig { .. }));
        let error = try_edit(SettingsFormat::Toml, "[Node]\n", None).unwrap_err();
        assert!(matches!(error, EditError::Syntax(_)), "{error}");
    }
}
