//! Cases for a plugin: an executable that is started, over and over, as hosts
//! start it.

mod answer;
mod bench;
mod brokering;
mod cases;
mod line;
mod muxed;
mod outcome;
mod run;
mod streams;
mod survey;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use run::{CheckError, Options, Progress, check};

use crate::report::Strength;

/// What is checked: a program, and what it has to be told.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What the report calls it.
    pub name: String,
    /// The executable's path, absolute.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it is started.
    pub directory: PathBuf,
    /// The cookie's variable and its value.
    pub cookie: (String, String),
    /// The application versions that it is offered, unless a case is about them.
    pub versions: Vec<u32>,
    /// How long it may take until its line comes.
    pub start_timeout: Duration,
}

/// What a case is about, before it was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseInfo {
    /// The rule's number in `docs/wire-protocol.md`.
    pub rule: &'static str,
    /// The case's own name.
    pub name: &'static str,
    /// How strongly it binds.
    pub strength: Strength,
    /// What the rule asks for, in one line.
    pub expected: &'static str,
    /// What a plugin must have for the case to concern it, in words; empty for
    /// every plugin.
    pub needs: &'static [&'static str],
}

/// All cases, in the order of the rules' sections.
pub fn cases() -> impl Iterator<Item = CaseInfo> {
    cases::all().map(cases::PluginCase::info)
}
