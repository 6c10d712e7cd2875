//! What the library logs, kept for the report.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that are kept; a plugin may flood its log.
const KEPT: usize = 1 << 20;

/// A text that grows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    /// Keeps what there is room for.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(text.len());
        text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(crate) fn read(&self) -> String {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Everything that is logged from now on.
pub(crate) fn collect() -> Text {
    let text = Text::default();
    let _twice = tracing_subscriber::fmt()
        .with_env_filter("outrigger=trace,outrigger_transport=trace,info")
        .with_writer(text.clone())
        .with_ansi(false)
        .try_init();
    text
}
