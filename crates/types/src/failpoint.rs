//! Places where a test can have a step fail, be late, panic or end the process.
//! Without the feature `failpoints`, which no build for use has, nothing of this is
//! there.

use std::io;

#[cfg(feature = "failpoints")]
static HITS: std::sync::Mutex<std::collections::BTreeMap<String, u64>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());

/// Whether the step of this name is to fail here; a test may have it wait, panic or
/// abort instead. Always false without the feature.
#[must_use]
#[inline]
pub fn fails(step: &str) -> bool {
    #[cfg(feature = "failpoints")]
    {
        *hit().entry(step.to_owned()).or_default() += 1;
        fail::eval(step, drop).is_some()
    }
    #[cfg(not(feature = "failpoints"))]
    {
        let _unused = step;
        false
    }
}

/// The same, for a step that a disk or a kernel may fail.
///
/// # Errors
///
/// Only where a test asks for it.
#[inline]
pub fn io(step: &str) -> io::Result<()> {
    if fails(step) { Err(io::Error::other("a failpoint")) } else { Ok(()) }
}

/// How often a step was come to in this process.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn hits(step: &str) -> u64 {
    hit().get(step).copied().unwrap_or_default()
}

#[cfg(feature = "failpoints")]
fn hit() -> std::sync::MutexGuard<'static, std::collections::BTreeMap<String, u64>> {
    HITS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
