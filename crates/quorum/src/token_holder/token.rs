//! A token as text.

use std::fmt;
use std::sync::Arc;

/// Longest token, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// A token: what an `Authorization` header has, the scheme included. `Debug`
/// does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

/// A text that is no token. It is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It has too many bytes.
    #[error("a token of {0} bytes, where {LONGEST} are allowed")]
    TooLong(usize),
    /// It would break the header that it is sent in.
    #[error("a token with characters that no header may have")]
    Characters,
    /// A manager gave an empty one.
    #[error("an empty token")]
    Empty,
}

impl Token {
    /// Checks a token; it may be empty.
    pub(super) fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > LONGEST {
            return Err(TokenError::TooLong(text.len()));
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(text.into()))
    }

    /// The token, which is a secret.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
