//! A plugin's configuration: bytes that the host passes on and never prints.

use std::fmt;
use std::sync::Arc;

/// The bytes that reach a plugin's initialisation. They may hold secrets, so
/// `Debug` shows their length only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RawConfig(Arc<[u8]>);

impl RawConfig {
    /// Wraps bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the one place that sends them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RawConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawConfig({} bytes)", self.0.len())
    }
}

/// The forms that a definition's `config` can take. It is read anew for every
/// generation, so that a changed file is picked up by a reload.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum ConfigSource {
    /// No `config`, or `null`: the plugin gets zero bytes.
    #[default]
    None,
    /// An object or array: its JSON text.
    Inline(RawConfig),
    /// A string: a `file:` or `env:` URL, or the text itself.
    Text(RawConfig),
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Inline(raw) => write!(f, "Inline({raw:?})"),
            Self::Text(raw) => write!(f, "Text({raw:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_the_bytes() {
        let raw = RawConfig::new(b"hunter2".as_slice());
        assert_eq!(format!("{raw:?}"), "RawConfig(7 bytes)");
        assert_eq!(format!("{:?}", ConfigSource::Text(raw)), "Text(RawConfig(7 bytes))");
    }
}
