//! Public keys.

use std::path::Path;
use std::time::SystemTime;

use outrigger::distribution::inspect_keys;

use super::report::Report;
use crate::failure::chain;

/// Whether a file holds public keys, and one that may sign.
pub(super) fn check(report: &mut Report, name: &str, path: &Path) {
    let keys = match inspect_keys(path, SystemTime::now()) {
        Ok(keys) => keys,
        Err(error) => {
            return report.fail(
                name,
                chain(&error),
                "put the publisher's ASCII-armoured public key there",
            );
        }
    };
    let (bad, good): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.problem.is_some());
    for key in &bad {
        let problem = key.problem.as_ref().map(ToString::to_string).unwrap_or_default();
        let seen = format!("{} in {}: {problem}", key.fingerprint, path.display());
        let remedy = "get a newer key from the publisher, or correct the clock";
        if good.is_empty() {
            report.fail(name, seen, remedy);
        } else {
            report.warn(name, seen, remedy);
        }
    }
    for key in good {
        let user = key.user_id.as_deref().unwrap_or("no name");
        report.ok(name, format!("{} ({user}) in {}", key.fingerprint, path.display()));
    }
}
