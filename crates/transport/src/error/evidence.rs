//! What goes with the error of a failed start.

use std::fmt;
use std::path::PathBuf;

use crate::handshake::shorten;

/// What is known of a program whose start failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The program: its path, or its name if it runs from memory or a runner
    /// started it.
    pub program: PathBuf,
    /// What the system knows of it: mode, owner, format, what it needs and lacks.
    /// Empty where that says nothing about the failure.
    pub notes: String,
    /// The end of its standard error, on one line.
    pub last_words: String,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "; the program is {}", shorten(&self.program.to_string_lossy()))?;
        if !self.notes.is_empty() {
            write!(f, " ({})", self.notes)?;
        }
        if self.last_words.is_empty() {
            Ok(())
        } else {
            write!(f, "; its last words: {}", self.last_words)
        }
    }
}
