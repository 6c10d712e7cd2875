//! JSON as GoQuorum's decoder takes it: one value, of which each part knows
//! where in the text it stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deeply objects and arrays may nest.
pub(super) const MAX_DEPTH: usize = 128;

/// Where and why a text is not JSON.
#[derive(Debug)]
pub(super) struct JsonError {
    /// Offset in bytes.
    pub(super) offset: usize,
    pub(super) reason: String,
}

/// The first value of a text. What follows it is ignored, even if it is no
/// JSON.
pub(super) fn first_value(bytes: &[u8]) -> Result<(&str, &RawValue), JsonError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let (text, cut) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            (std::str::from_utf8(valid).unwrap_or_default(), true)
        }
    };
    let error = |offset, reason: &str| JsonError { offset, reason: reason.to_owned() };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(value)) => match too_deep(value.get()) {
            None => Ok((text, value)),
            Some(at) => Err(error(
                offset(text, value) + at,
                &format!("more than {MAX_DEPTH} objects and arrays in each other; nest less"),
            )),
        },
        Some(Err(failure)) if cut && failure.is_eof() => {
            Err(error(text.len(), "not UTF-8; write the file in UTF-8"))
        }
        Some(Err(failure)) => Err(error(
            offset_of(text, failure.line(), failure.column()),
            &format!("not JSON: {}; correct the file", message(&failure)),
        )),
        None if cut => Err(error(text.len(), "not UTF-8; write the file in UTF-8")),
        None => Err(error(0, "the file is empty; write at least `{}`")),
    }
}

/// The entries of an object in their order, or what keeps them from being read.
pub(super) fn entries(value: &RawValue) -> Result<Vec<(&RawValue, &RawValue)>, String> {
    parse::<Entries<'_>>(value).map(|entries| entries.0)
}

/// Reads a part as a type; errors never hold the part's text.
pub(super) fn parse<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|error| message(&error))
}

/// Where a part of `text` stands in it.
pub(super) fn offset(text: &str, part: &RawValue) -> usize {
    part.get().as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// An error's text without its position, which is told apart.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The offset of serde's line and column, both of which count bytes from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// Where nesting first exceeds the limit in a valid JSON value.
fn too_deep(json: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if depth == MAX_DEPTH => return Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
