//! Children that were dropped before they ended: reaped by the next spawn, so
//! that an abandoned launch leaves no zombie for longer than that.

use std::process::Child;
use std::sync::{Mutex, PoisonError};

static ORPHANS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// A child that is reaped whatever becomes of its owner.
#[derive(Debug)]
pub(super) struct Reaped(Option<Child>);

impl Reaped {
    pub(super) const fn new(child: Child) -> Self {
        Self(Some(child))
    }

    pub(super) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("invariant: taken only by drop")
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        if !matches!(child.try_wait(), Ok(Some(_))) {
            ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        }
    }
}

/// Reaps those that have ended meanwhile.
pub(super) fn reap() {
    let mut orphans = ORPHANS.lock().unwrap_or_else(PoisonError::into_inner);
    orphans.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_)) | Err(_)));
}
