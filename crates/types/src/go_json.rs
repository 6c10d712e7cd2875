//! JSON as Go's `encoding/json` writes it again after reading it.
//!
//! GoQuorum hands a plugin no text of its settings file: it decodes a `config`
//! into Go's values and encodes those. Keys are sorted then, white space is
//! gone, `<`, `>` and `&` are escaped, and a number is what a float64 keeps of
//! it. A plugin that compares or signs these bytes must get the same ones here.
//!
//! The bytes are those of the Go that GoQuorum is built with: before Go 1.22,
//! `\b` and `\f` are written as `\u0008` and `\u000c`.

mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt;

/// How deeply objects and arrays may nest. Go allows 10,000, which no plugin's
/// configuration needs and a small stack does not hold.
const MAX_DEPTH: usize = 128;

/// What Go decodes a JSON text to.
#[derive(Clone, PartialEq)]
pub enum GoValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is kept as one. JSON has none; TOML does.
    Integer(i64),
    /// Any number in JSON. Finite; what is not is written as `null`.
    Float(f64),
    /// A text.
    Text(String),
    /// An array.
    Array(Vec<Self>),
    /// An object. Of keys that are given twice, the last one counts.
    Object(BTreeMap<String, Self>),
}

impl GoValue {
    /// Reads one JSON value, as `json.Unmarshal` does into an `interface{}`:
    /// bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD.
    ///
    /// # Errors
    ///
    /// [`GoJsonError`] for anything but one JSON value with white space around
    /// it, for a number that float64 cannot hold, and for more than 128 objects
    /// and arrays in each other.
    pub fn parse(json: &[u8]) -> Result<Self, GoJsonError> {
        read::value(json)
    }

    /// Writes it as `json.Marshal` does.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write::value(&mut out, self);
        out
    }
}

/// Content may be secret, so `Debug` shows the kind only.
impl fmt::Debug for GoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        })
    }
}

/// Reads a JSON text as Go does and writes it again as Go does.
///
/// ```
/// let json = br#"{ "b": 1.0, "a": "<", "c": 12345678901234567890 }"#;
/// assert_eq!(
///     outrigger_types::go_json(json)?,
///     r#"{"a":"\u003c","b":1,"c":12345678901234567000}"#,
/// );
/// # Ok::<(), outrigger_types::GoJsonError>(())
/// ```
///
/// # Errors
///
/// As [`GoValue::parse`].
pub fn go_json(json: impl AsRef<[u8]>) -> Result<String, GoJsonError> {
    GoValue::parse(json.as_ref()).map(|value| value.to_json())
}

/// Why a text is no JSON to Go. It holds no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
#[non_exhaustive]
pub struct GoJsonError {
    /// Where reading stopped, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}
