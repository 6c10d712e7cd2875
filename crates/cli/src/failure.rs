//! Errors as the command shows them: one line, the cause included.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense; exit status 2.
    Usage(String),
    /// It was tried and failed; exit status 1.
    Failed(String),
    /// No host answers; exit status 3.
    NoHost(String),
    /// The host does not let this caller do that; exit status 4.
    Refused(String),
    /// The host has no such instance; exit status 5.
    NoInstance(String),
}

impl Failure {
    /// `what` and everything that an error says, on one line.
    pub(crate) fn failed(what: &str, error: &dyn Error) -> Self {
        Self::Failed(format!("{what}: {}", chain(error)))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.status().0.into()
    }

    /// What scripts get of it: `{"error": {"status", "kind", "message"}}`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let (status, kind) = self.status();
        let error =
            serde_json::json!({ "status": status, "kind": kind, "message": self.to_string() });
        serde_json::json!({ "error": error })
    }

    const fn status(&self) -> (u8, &'static str) {
        match self {
            Self::Failed(_) => (1, "failed"),
            Self::Usage(_) => (2, "usage"),
            Self::NoHost(_) => (3, "no-host"),
            Self::Refused(_) => (4, "refused"),
            Self::NoInstance(_) => (5, "no-instance"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text)
            | Self::Failed(text)
            | Self::NoHost(text)
            | Self::Refused(text)
            | Self::NoInstance(text) => f.write_str(text),
        }
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(chain(&error))
    }
}

/// An error and its causes, each said once, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Self>>,
    }

    #[test]
    fn causes_are_said_once_and_on_one_line() {
        let inner = Layer { text: "no\nspace", source: None };
        let middle = Layer { text: "write failed", source: Some(Box::new(inner)) };
        let outer = Layer { text: "pack: write failed", source: Some(Box::new(middle)) };
        assert_eq!(Failure::from(outer).to_string(), "pack: write failed: no space");
    }
}
