//! The standard error that the process was started with, where the host reads
//! the log.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

/// Where it is while descriptor 2 leads elsewhere.
static ELSEWHERE: Mutex<Option<Arc<File>>> = Mutex::new(None);

/// Says where the host's standard error is: `None` for descriptor 2 itself.
pub(crate) fn redirect(to: Option<Arc<File>>) {
    *ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner) = to;
}

/// Writes whole lines, so that those of threads do not mix. Whatever goes wrong
/// is ignored: a plugin does not end because nobody reads its log.
pub(crate) fn write(text: &str) {
    let elsewhere = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // The lock of standard error orders writers in either case.
    let mut stderr = io::stderr().lock();
    let _unread = match elsewhere {
        Some(file) => (&*file).write_all(text.as_bytes()),
        None => stderr.write_all(text.as_bytes()),
    };
}
