//! One view of a JSON and of a TOML value, for the walk that reads settings.

use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::DeValue;

use super::{json, toml_file};
use outrigger_types::{ConfigSource, GoValue, RawConfig};

/// A plugin's configuration as a layer has it.
#[derive(Clone)]
pub(super) enum Written {
    /// Whatever else is set, this.
    As(ConfigSource),
    /// A JSON object or array, by its text.
    Json(RawConfig),
}

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

    /// A plugin's configuration. A JSON text can go two ways, by a key that
    /// stands beside it; a TOML table or array has no text in JSON, so it becomes
    /// what Go would write.
    pub(super) fn config(self) -> Result<Written, String> {
        let unsupported = match self {
            Self::Json(raw) => match raw.get().as_bytes().first() {
                Some(b'{' | b'[') => return Ok(Written::Json(bytes(raw.get()))),
                Some(b'"') => {
                    let text = go_text(raw)?;
                    return Ok(Written::As(ConfigSource::Text(bytes(&text))));
                }
                Some(b't' | b'f') => "bool",
                _ => "float64",
            },
            Self::Toml(value) => match value.get_ref() {
                DeValue::String(text) => return Ok(Written::As(ConfigSource::Text(bytes(text)))),
                value @ (DeValue::Table(_) | DeValue::Array(_)) => {
                    let value = toml_file::to_go(value)
                        .map_err(|what| format!("config holds {what}, which JSON cannot say"))?;
                    return Ok(Written::As(ConfigSource::Inline(bytes(&value.to_json()))));
                }
                DeValue::Boolean(_) => "bool",
                DeValue::Integer(_) => "int64",
                DeValue::Float(_) => "float64",
                DeValue::Datetime(_) => "struct",
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

/// A text in which half a surrogate pair stands for no character, which Go
/// replaces and serde refuses.
fn go_text(raw: &RawValue) -> Result<String, String> {
    match GoValue::parse(raw.get().as_bytes()) {
        Ok(GoValue::Text(text)) => Ok(text),
        Ok(_) => Err("no text".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn bytes(text: &str) -> RawConfig {
    RawConfig::new(text.as_bytes())
}
