//! Text that does not grow beyond its room.

use std::io::{self, Write};
use std::string::FromUtf8Error;

/// What is written, up to a number of bytes.
#[derive(Debug)]
pub(super) struct Bounded {
    text: Vec<u8>,
    room: usize,
    is_full: bool,
}

impl Bounded {
    pub(super) const fn new(room: usize) -> Self {
        Self { text: Vec::new(), room, is_full: false }
    }

    /// Whether something was to be written that had no room.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn into_text(self) -> Result<String, FromUtf8Error> {
        String::from_utf8(self.text)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.room - self.text.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
