//! What a person, or a script, sees of it all.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use outrigger::{Health, PluginStatus};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Changed files that are named on one line.
const NAMED: usize = 3;

/// Narrower names are padded, so that what is said stands in one column.
const WIDTH: usize = 9;

/// Lines for a person on standard error, or JSON objects on standard output.
#[derive(Debug)]
pub(super) struct Show {
    json: bool,
    colours: bool,
    label: String,
}

/// Who says something, in front of what it says.
pub(super) fn prefix(who: &str, colours: bool) -> String {
    let padded = format!("{who:WIDTH$} |");
    if colours { format!("\u{1b}[2m{padded}\u{1b}[0m") } else { padded }
}

impl Show {
    pub(super) fn new(json: bool, label: &str) -> Self {
        let colours = std::io::stderr().is_terminal();
        Self { json, colours, label: label.to_owned() }
    }

    pub(super) fn building(&self, changed: &[PathBuf]) {
        let names: Vec<String> = changed.iter().map(|path| path.display().to_string()).collect();
        let more = names.len().saturating_sub(NAMED);
        let named = names.iter().take(NAMED).map(|name| name.escape_debug().to_string());
        let named = named.collect::<Vec<_>>().join(", ");
        let text = match (names.is_empty(), more) {
            (true, _) => "building".to_owned(),
            (false, 0) => format!("{named} changed; building"),
            (false, more) => format!("{named} and {more} more changed; building"),
        };
        self.event(&text, json!({ "event": "building", "changed": names }));
    }

    pub(super) fn built(&self, took: Duration) {
        let ms = milliseconds(took);
        self.event(&format!("built in {ms:.0} ms"), json!({ "event": "built", "ms": ms }));
    }

    pub(super) fn build_failed(&self, reason: &str, serves: bool) {
        let rest = if serves { "; the generation before goes on serving" } else { "" };
        let text = format!("the build failed: {reason}{rest}");
        self.event(&text, json!({ "event": "build-failed", "reason": reason, "serves": serves }));
    }

    pub(super) fn ready(&self, status: &PluginStatus, took: Option<Duration>) {
        let took = took.map(milliseconds);
        let pid = status.pid.map_or("-".to_owned(), |pid| pid.to_string());
        let text = format!(
            "generation {} serves{}: pid {pid}, protocol version {}, TLS {}",
            status.generation.unwrap_or_default(),
            took.map(|ms| format!(" after {ms:.0} ms")).unwrap_or_default(),
            status.app_version.map_or("-".to_owned(), |version| version.to_string()),
            status.security.map_or("-".to_owned(), |security| security.to_string()),
        );
        let event = json!({
            "event": "ready",
            "generation": status.generation,
            "pid": status.pid,
            "version": status.app_version,
            "security": status.security,
            "multiplexed": status.multiplexed,
            "ms": took,
        });
        self.event(&text, event);
    }

    pub(super) fn failed(&self, error: &Failure, serves: bool) {
        let rest = if serves { "; the generation before goes on serving" } else { "" };
        let text = format!("{error}{rest}");
        let event = json!({ "event": "failed", "error": error.to_string(), "serves": serves });
        self.event(&text, event);
    }

    pub(super) fn died(&self, reason: &str) {
        self.event(&format!("it died: {reason}"), json!({ "event": "died", "reason": reason }));
    }

    pub(super) fn waiting(&self, directory: &dyn Display) {
        let text = format!("waiting for changes in {directory}; Ctrl-C ends");
        self.event(&text, json!({ "event": "waiting" }));
    }

    pub(super) fn health(&self, health: Health) {
        let word = match health {
            Health::Serving => "serving",
            Health::NotServing => "not-serving",
            Health::Unsupported => "unsupported",
            Health::Unreachable => "unreachable",
        };
        self.event(&format!("health: {word}"), json!({ "event": "health", "health": word }));
    }

    pub(super) fn answer(&self, answer: &str) {
        if self.json {
            return line(&json!({ "event": "answer", "answer": answer }).to_string());
        }
        line(&format!("{} {}", prefix(&self.label, false), answer.escape_debug()));
    }

    pub(super) fn call_failed(&self, error: &dyn Display) {
        let error = error.to_string();
        self.event(
            &format!("a call failed: {error}"),
            json!({ "event": "call-failed", "error": error }),
        );
    }

    pub(super) fn stopped(&self, calls: u64, failed: u64) {
        let counted = format!("; {calls} calls, {failed} failed");
        let text = format!("stopped{}", if calls + failed > 0 { &counted } else { "" });
        self.event(&text, json!({ "event": "stopped", "calls": calls, "failed": failed }));
    }

    /// A line of the build's, whatever is in it but what would move the cursor.
    pub(super) fn build_line(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\r');
        // Compilers colour what they say to a terminal, and this is a pipe.
        let shown: String = text
            .chars()
            .map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c })
            .collect();
        note(&format!("{} {shown}", prefix("build", self.colours)));
    }

    fn event(&self, text: &str, event: Value) {
        if self.json {
            return line(&event.to_string());
        }
        note(&format!("{} {text}", prefix("outrigger", self.colours)));
    }
}

/// A reader that has gone away is no reason for a host to end.
fn note(text: &str) {
    let _unread = writeln!(std::io::stderr(), "{text}");
}

fn line(text: &str) {
    let _unread = writeln!(std::io::stdout(), "{text}");
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
