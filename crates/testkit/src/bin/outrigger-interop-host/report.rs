//! What is printed.

use std::collections::BTreeMap;

use serde::Serialize;

/// What came of a run. The names are those of the Go host's report.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// The library and its release.
    pub(crate) host: String,
    pub(crate) protocol: String,
    pub(crate) negotiated_version: u32,
    pub(crate) pid: u32,
    /// What each step saw.
    pub(crate) done: BTreeMap<String, String>,
    /// The step that failed, `start` among them, and why.
    pub(crate) failed: BTreeMap<String, String>,
    pub(crate) exited: bool,
    pub(crate) forced_kill: bool,
    pub(crate) kill_ms: f64,
    pub(crate) sync_stdout: String,
    pub(crate) sync_stderr: String,
    /// What the library logged, the plugin's records among it.
    pub(crate) log: Vec<String>,
}

impl Report {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("invariant: texts and numbers have a JSON form")
    }
}
