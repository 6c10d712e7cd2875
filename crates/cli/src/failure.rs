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
}

impl Failure {
    /// `what` and everything that an error says, on one line.
    pub(crate) fn failed(what: &str, error: &dyn Error) -> Self {
        Self::Failed(format!("{what}: {}", chain(error)))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
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
