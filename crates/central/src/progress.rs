//! How far a download has come, for whoever wants to show it.

use std::fmt;
use std::sync::Arc;

/// How far the download of a distribution has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Download<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Bytes so far, those of an earlier try that are kept included.
    pub bytes: u64,
    /// All of them, where the server says how many there are.
    pub of: Option<u64>,
    /// Whether this was the last of them.
    pub done: bool,
}

impl<'a> Download<'a> {
    /// For whoever shows one.
    #[must_use]
    pub const fn new(file: &'a str, bytes: u64, of: Option<u64>, done: bool) -> Self {
        Self { file, bytes, of, done }
    }
}

/// Told for each piece that has come, on the thread that downloads: it must not wait.
#[derive(Clone)]
pub struct OnDownload(Arc<dyn Fn(Download<'_>) + Send + Sync>);

impl OnDownload {
    /// Has this function told.
    pub fn new(told: impl Fn(Download<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self, download: Download<'_>) {
        (self.0)(download);
    }
}

impl fmt::Debug for OnDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDownload")
    }
}
