//! Bytes that are text most of the time: arguments, environment and paths.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A string of the operating system: any bytes, usually UTF-8.
///
/// Its JSON form is a string when the bytes are UTF-8, and otherwise an array
/// of numbers from 0 to 255. That is readable and compact for what environments
/// really hold, and loses nothing for the rest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteString(pub Vec<u8>);

impl ByteString {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as the standard library's operating system string.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// The bytes as a path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_os_str())
    }
}

/// The bytes in quotes, with escapes where they are no printable text.
impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_os_str(), f)
    }
}

impl From<&str> for ByteString {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for ByteString {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&OsStr> for ByteString {
    fn from(text: &OsStr) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<OsString> for ByteString {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl From<&Path> for ByteString {
    fn from(path: &Path) -> Self {
        path.as_os_str().into()
    }
}

impl From<PathBuf> for ByteString {
    fn from(path: PathBuf) -> Self {
        path.into_os_string().into()
    }
}

impl From<Vec<u8>> for ByteString {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrNumbers)
    }
}

struct TextOrNumbers;

impl<'de> Visitor<'de> for TextOrNumbers {
    type Value = ByteString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteString, E> {
        Ok(text.into())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<ByteString, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<ByteString, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(ByteString(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> String {
        serde_json::to_string(&ByteString(bytes.into())).unwrap()
    }

    #[test]
    fn text_is_a_json_string_and_other_bytes_are_numbers() {
        assert_eq!(json("ünï".as_bytes()), "\"ünï\"");
        assert_eq!(json(b"a\xff"), "[97,255]");
        assert_eq!(json(b""), "\"\"");
    }

    #[test]
    fn every_byte_survives_the_round_trip() {
        for bytes in [(0..=255).collect::<Vec<u8>>(), b"\"\\\n".to_vec(), vec![0]] {
            let back: ByteString = serde_json::from_str(&json(&bytes)).unwrap();
            assert_eq!(back.0, bytes);
        }
    }

    #[test]
    fn numbers_that_are_no_bytes_are_refused() {
        for text in ["[256]", "[-1]", "[\"a\"]", "{}", "1"] {
            assert!(serde_json::from_str::<ByteString>(text).is_err(), "{text}");
        }
    }
}
