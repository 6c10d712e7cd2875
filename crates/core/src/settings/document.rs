//! One view of a JSON and of a TOML value, for the walk that reads settings.

use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::DeValue;

use super::{json, toml_file};
use outrigger_types::{ConfigSource, RawConfig};

/// A value in a file.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    /// In JSON, as its text.
    Json(&'a RawValue),
    /// In TOML.
    Toml(&'a Spanned<DeValue<'a>>),
}

/// A key with its value.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    /// Where the key stands, as an offset in bytes.
    pub(super) at: usize,
    pub(super) value: Node<'a>,
}

impl<'a> Node<'a> {
    /// Where the value stands in `text`, as an offset in bytes.
    pub(super) fn at(self, text: &str) -> usize {
        match self {
            Self::Json(raw) => json::offset(text, raw),
            Self::Toml(value) => value.span().start,
        }
    }

    /// Whether this is JSON's `null`, which leaves a key unset.
    pub(super) fn is_null(self) -> bool {
        matches!(self, Self::Json(raw) if raw.get() == "null")
    }

    pub(super) fn text(self) -> Result<String, String> {
        self.read_as("a text in double quotes", |node| match node {
            Self::Json(raw) if raw.get().starts_with('"') => Some(json::parse(raw)),
            Self::Json(_) => None,
            Self::Toml(value) => value.get_ref().as_str().map(|text| Ok(text.to_owned())),
        })
    }

    pub(super) fn flag(self) -> Result<bool, String> {
        self.read_as("`true` or `false`", |node| match node {
            Self::Json(raw) => json::parse(raw).ok().map(Ok),
            Self::Toml(value) => value.get_ref().as_bool().map(Ok),
        })
    }

    pub(super) fn count(self) -> Result<u64, String> {
        self.read_as("a whole number without quotes", |node| match node {
            Self::Json(raw) => json::parse(raw).ok().map(Ok),
            Self::Toml(value) => toml_file::integer(value.get_ref())
                .and_then(|number| u64::try_from(number).ok())
                .map(Ok),
        })
    }

    pub(super) fn items(self) -> Result<Vec<Self>, String> {
        self.read_as("a list in brackets", |node| match node {
            Self::Json(raw) if raw.get().starts_with('[') => {
                let items = json::parse::<Vec<&'a RawValue>>(raw);
                Some(items.map(|items| items.into_iter().map(Self::Json).collect()))
            }
            Self::Json(_) => None,
            Self::Toml(value) => {
                value.get_ref().as_array().map(|items| Ok(items.iter().map(Self::Toml).collect()))
            }
        })
    }

    /// The entries of a table; `text` is the whole file.
    pub(super) fn entries(self, text: &str) -> Result<Vec<Entry<'a>>, String> {
        self.read_as("a table", |node| match node {
            Self::Json(raw) if raw.get().starts_with('{') => Some(json_entries(raw, text)),
            Self::Json(_) => None,
            Self::Toml(value) => value.get_ref().as_table().map(|table| {
                let entries = table.iter().map(|(key, value)| Entry {
                    name: key.get_ref().to_string(),
                    at: key.span().start,
                    value: Self::Toml(value),
                });
                // The table is sorted by key; messages follow the text.
                let mut entries: Vec<Entry<'a>> = entries.collect();
                entries.sort_by_key(|entry| entry.at);
                Ok(entries)
            }),
        })
    }

    /// A plugin's configuration. The text of a JSON object or array is kept as
    /// it stands; a TOML table or array becomes JSON with its keys sorted.
    pub(super) fn config(self) -> Result<ConfigSource, String> {
        let unsupported = match self {
            Self::Json(raw) => match raw.get().as_bytes().first() {
                Some(b'{' | b'[') => return Ok(ConfigSource::Inline(bytes(raw.get()))),
                Some(b'"') => return Ok(ConfigSource::Text(bytes(&json::parse::<String>(raw)?))),
                Some(b't' | b'f') => "bool",
                _ => "float64",
            },
            Self::Toml(value) => match value.get_ref() {
                DeValue::String(text) => return Ok(ConfigSource::Text(bytes(text))),
                value @ (DeValue::Table(_) | DeValue::Array(_)) => {
                    let json = toml_file::to_json(value)
                        .map_err(|what| format!("config holds {what}, which JSON cannot say"))?;
                    return Ok(ConfigSource::Inline(bytes(&json.to_string())));
                }
                DeValue::Boolean(_) => "bool",
                DeValue::Integer(_) => "int64",
                DeValue::Float(_) => "float64",
                DeValue::Datetime(_) => "time.Time",
            },
        };
        Err(format!(
            "unsupported type of config [{unsupported}]; give an object, an array or a text"
        ))
    }

    fn read_as<T>(
        self,
        what: &str,
        read: impl FnOnce(Self) -> Option<Result<T, String>>,
    ) -> Result<T, String> {
        read(self).unwrap_or_else(|| Err(format!("{} stands here; give {what}", self.kind())))
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Json(raw) => match raw.get().as_bytes().first() {
                Some(b'{') => "an object",
                Some(b'[') => "an array",
                Some(b'"') => "a text",
                Some(b't' | b'f') => "a truth value",
                Some(b'n') => "null",
                _ => "a number",
            },
            Self::Toml(value) => match value.get_ref() {
                DeValue::Table(_) => "a table",
                DeValue::Array(_) => "an array",
                DeValue::String(_) => "a text",
                DeValue::Boolean(_) => "a truth value",
                DeValue::Integer(_) | DeValue::Float(_) => "a number",
                DeValue::Datetime(_) => "a time",
            },
        }
    }
}

fn json_entries<'a>(raw: &'a RawValue, text: &str) -> Result<Vec<Entry<'a>>, String> {
    json::entries(raw)?
        .into_iter()
        .map(|(key, value)| {
            Ok(Entry {
                name: json::parse(key)?,
                at: json::offset(text, key),
                value: Node::Json(value),
            })
        })
        .collect()
}

fn bytes(text: &str) -> RawConfig {
    RawConfig::new(text.as_bytes())
}
