//! Names that reach file paths, log lines and wire messages. A value of one of
//! these types has passed its grammar; inner code never checks again.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest accepted name, in bytes. Leaves room for version, platform and
/// suffixes within the 255 bytes of a file name.
const MAX_LEN: usize = 96;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("{what} is empty; give it a value such as `{example}`")]
    Empty {
        /// The kind of name.
        what: &'static str,
        /// A valid value.
        example: &'static str,
    },
    /// The text is longer than 96 bytes.
    #[error("{what} has {len} bytes; at most {MAX_LEN} are allowed")]
    TooLong {
        /// The kind of name.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// The text holds a character outside the grammar.
    #[error(
        "{what} `{text}` may not contain {character:?}; allowed are letters, digits, {allowed}"
    )]
    Character {
        /// The kind of name.
        what: &'static str,
        /// The offending text, escaped.
        text: String,
        /// The first character that is not allowed.
        character: char,
        /// The punctuation that is allowed.
        allowed: &'static str,
    },
    /// The text starts with punctuation.
    #[error("{what} `{text}` must start with a letter or a digit")]
    Start {
        /// The kind of name.
        what: &'static str,
        /// The offending text.
        text: String,
    },
}

struct Grammar {
    what: &'static str,
    example: &'static str,
    punctuation: &'static [char],
    allowed: &'static str,
}

impl Grammar {
    fn check(&self, text: &str) -> Result<(), NameError> {
        let Self { what, example, punctuation, allowed } = *self;
        if text.is_empty() {
            return Err(NameError::Empty { what, example });
        }
        if text.len() > MAX_LEN {
            return Err(NameError::TooLong { what, len: text.len() });
        }
        let bad = text.chars().find(|c| !c.is_ascii_alphanumeric() && !punctuation.contains(c));
        if let Some(character) = bad {
            let text = text.escape_debug().to_string();
            return Err(NameError::Character { what, text, character, allowed });
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError::Start { what, text: text.to_owned() });
        }
        Ok(())
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $grammar:expr, $normalise:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Parses a text.
            ///
            /// # Errors
            ///
            /// [`NameError`] says which rule the text breaks.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let grammar: Grammar = $grammar;
                grammar.check(text)?;
                let normalise: fn(&str) -> Arc<str> = $normalise;
                Ok(Self(normalise(text)))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// A kind of service that the node needs, such as `account`: 1 to 96 ASCII
    /// letters, digits, `-` and `_`, kept in lower case as GoQuorum keeps it.
    InterfaceName,
    Grammar {
        what: "interface name",
        example: "helloworld",
        punctuation: &['-', '_'],
        allowed: "`-` and `_`",
    },
    |text| text.to_ascii_lowercase().into()
);

name!(
    /// A configured plugin, whatever its generation. It is named by its
    /// interface's key while it is the only provider: same grammar, lower case.
    InstanceName,
    Grammar {
        what: "instance name",
        example: "helloworld",
        punctuation: &['-', '_'],
        allowed: "`-` and `_`",
    },
    |text| text.to_ascii_lowercase().into()
);

name!(
    /// The name of a distribution: 1 to 96 ASCII letters, digits and `._+-`,
    /// first a letter or digit, so that it is always one path component.
    PluginName,
    Grammar {
        what: "plugin name",
        example: "quorum-plugin-hello-world",
        punctuation: &['.', '_', '+', '-'],
        allowed: "`.`, `_`, `+` and `-`",
    },
    |text| text.into()
);

name!(
    /// The version of a distribution. It is compared as text and has the grammar
    /// of [`PluginName`]; semantic versioning is a convention, not a rule.
    PluginVersion,
    Grammar {
        what: "plugin version",
        example: "1.0.0",
        punctuation: &['.', '_', '+', '-'],
        allowed: "`.`, `_`, `+` and `-`",
    },
    |text| text.into()
);

impl From<InterfaceName> for InstanceName {
    fn from(interface: InterfaceName) -> Self {
        Self(interface.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn interface_names_are_lower_cased() {
        assert_eq!(InterfaceName::parse("HelloWorld").unwrap().as_str(), "helloworld");
    }

    #[test]
    fn names_that_could_climb_out_of_a_directory_are_refused() {
        for text in ["..", ".", "../x", "a/b", "a\\b", "", " a", "a b", "-rf", "a\0b", "é", "a\n"]
        {
            assert!(PluginName::parse(text).is_err(), "{text:?} was taken");
            assert!(PluginVersion::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn an_error_names_the_character_and_what_is_allowed() {
        let error = PluginName::parse("a/b").unwrap_err().to_string();
        assert_eq!(
            error,
            "plugin name `a/b` may not contain '/'; allowed are letters, digits, `.`, `_`, `+` and `-`"
        );
    }

    #[test]
    fn long_names_are_refused_with_their_length() {
        let error = PluginVersion::parse(&"1".repeat(97)).unwrap_err();
        assert_eq!(error, NameError::TooLong { what: "plugin version", len: 97 });
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_one_path_component(text in ".*") {
            if let Ok(name) = PluginName::parse(&text) {
                let path = std::path::Path::new(name.as_str());
                prop_assert_eq!(path.components().count(), 1);
                prop_assert_eq!(path.file_name().and_then(|n| n.to_str()), Some(name.as_str()));
            }
        }
    }
}
