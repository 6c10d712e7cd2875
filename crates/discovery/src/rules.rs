//! What a signed distribution may still be refused for.

use std::str::FromStr;

/// What to do with something that GoQuorum lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doubt {
    /// Say so, and go on.
    #[default]
    Warn,
    /// Refuse the distribution.
    Refuse,
}

/// A text that is neither `warn` nor `refuse`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is neither `warn` nor `refuse`; give one of them", .0.escape_debug())]
pub struct DoubtError(String);

impl FromStr for Doubt {
    type Err = DoubtError;

    fn from_str(text: &str) -> Result<Self, DoubtError> {
        match text {
            "warn" => Ok(Self::Warn),
            "refuse" => Ok(Self::Refuse),
            _ => Err(DoubtError(text.to_owned())),
        }
    }
}

/// How strictly distributions are taken at their word. The default warns of
/// everything and refuses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// The metadata's name or version is not the definition's: a signature
    /// says who made a zip, and not that the file bears the right name.
    pub identity: Doubt,
    /// The version is older than the one that ran last: an old version with a
    /// known hole is as well signed as the one that closed it.
    pub downgrade: Doubt,
}
