//! The process's environment behind a trait, so that tests inject theirs.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Environment variables, as settings and configurations see them.
pub trait Env: Send + Sync {
    /// The value of a variable, or `None` when it is unset.
    fn var(&self, name: &str) -> Option<OsString>;

    /// All variables, in any order.
    fn vars(&self) -> Vec<(OsString, OsString)>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn var(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }
}

impl Env for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<OsString> {
        self.get(name).map(OsString::from)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        self.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}
