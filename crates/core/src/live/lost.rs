//! The calls that ended with a generation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Methods that are told apart.
const METHODS: usize = 64;

/// Calls that a generation took along, counted by method. A call adds itself when
/// its caller hears of the end, which is a moment after the death.
#[derive(Clone, Default)]
pub struct LostCalls(Arc<Mutex<BTreeMap<Box<str>, u64>>>);

impl LostCalls {
    /// How many of each method, in the methods' order.
    #[must_use]
    pub fn by_method(&self) -> Vec<(String, u64)> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().map(|(method, count)| (method.to_string(), *count)).collect()
    }

    pub(super) fn add(&self, method: &str) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = calls.get_mut(method) {
            *count += 1;
        } else if calls.len() < METHODS {
            calls.insert(method.into(), 1);
        }
    }
}

impl fmt::Debug for LostCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_method()).finish()
    }
}

impl PartialEq for LostCalls {
    /// Whether both are of the same generation.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LostCalls {}

/// What a generation's end took along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lost {
    /// Calls under way at that moment.
    pub(crate) calls: u64,
    pub(crate) methods: LostCalls,
}
