//! Why a fetch failed, and whether it may pass.

use std::error::Error as _;

use crate::address::without_secrets;

/// Largest part of an answer that an error shows, in characters.
const SHOWN: usize = 200;

/// Why one address did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] crate::AddressError),
    /// The server answered with another status than 200. The text is GoQuorum's.
    #[error("HTTP GET error: code={code}, status={status}, body={body}")]
    Status {
        /// The status code.
        code: u16,
        /// Its number and words.
        status: String,
        /// The start of the answer, escaped.
        body: String,
    },
    /// The server could not be reached, or broke off.
    #[error("{url}: {text}")]
    Http {
        /// The address.
        url: String,
        /// What went wrong.
        text: String,
        /// Whether another try may help.
        passing: bool,
    },
    /// The answer is larger than allowed.
    #[error("{url} has more than {limit} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// What is allowed.
        limit: u64,
    },
    /// The answer is no zip.
    #[error("{url} is no zip but {kind}")]
    NoZip {
        /// The address.
        url: String,
        /// What it says that it is.
        kind: String,
    },
    /// It took too long, all in all.
    #[error("{url} took longer than {limit:?}")]
    Late {
        /// The address.
        url: String,
        /// The limit.
        limit: std::time::Duration,
    },
    /// The disk did not take it, or a mirror's file cannot be read.
    #[error("{what}: {source}")]
    Disk {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody wants it to end.
    #[error("it was stopped")]
    Cancelled,
}

impl FetchError {
    /// Whether the same request may succeed a moment later.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500..=599),
            Self::Http { passing, .. } => *passing,
            _ => false,
        }
    }

    pub(crate) fn http(error: &reqwest::Error) -> Self {
        let url = error.url().map(without_secrets).unwrap_or_default();
        let mut text = String::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let words = inner.to_string();
            if !text.contains(&words) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&words);
            }
            cause = inner.source();
        }
        if text.is_empty() {
            text = if error.is_timeout() { "no answer in time" } else { "no answer" }.to_owned();
        }
        let passing = !error.is_redirect() && !error.is_builder() && !is_certificate(error);
        Self::Http { url, text, passing }
    }
}

/// Whether a certificate was refused, which no other try changes.
fn is_certificate(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("invalid peer certificate") || text.contains("pinning failed") {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The start of a foreign text, for a log.
pub(crate) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().take(SHOWN).collect::<String>().escape_debug().to_string()
}
