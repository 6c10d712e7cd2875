//! This user's limits, against the number of plugins.

use rustix::process::{Resource, getrlimit};

use super::report::Report;

/// Descriptors of a host without plugins.
const OWN_FILES: u64 = 128;
/// Of each plugin: pipes, pidfds, sockets, sealed memory, those of a reload too.
const FILES: u64 = 16;
/// Processes and threads of a plugin: a Go runtime's on a large machine.
const THREADS: u64 = 32;

pub(super) fn check(report: &mut Report, plugins: usize) {
    let plugins = plugins as u64;
    let files = getrlimit(Resource::Nofile).current;
    judge(
        report,
        "open-files",
        files,
        OWN_FILES + FILES * plugins,
        "LimitNOFILE= in the unit, or ulimit -n",
    );
    let processes = getrlimit(Resource::Nproc).current;
    judge(
        report,
        "processes",
        processes,
        64 + THREADS * plugins,
        "LimitNPROC= in the unit, or ulimit -u",
    );
}

fn judge(report: &mut Report, name: &str, limit: Option<u64>, needed: u64, remedy: &str) {
    let seen = limit.map_or_else(
        || "no limit".to_owned(),
        |limit| format!("at most {limit}; {needed} may be needed"),
    );
    if limit.is_none_or(|limit| limit >= needed) {
        report.ok(name, seen);
    } else {
        report.fail(name, seen, &format!("raise it: {remedy}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;

    #[test]
    fn a_limit_below_what_the_plugins_need_fails() {
        for (limit, expected) in
            [(None, Outcome::Ok), (Some(1_024), Outcome::Ok), (Some(100), Outcome::Failed)]
        {
            let mut report = Report::default();
            judge(&mut report, "open-files", limit, 144, "ulimit -n");
            assert_eq!(report.checks()[0].result, expected, "{limit:?}");
        }
        let mut report = Report::default();
        check(&mut report, 100_000_000);
        assert!(
            report.checks().iter().any(|check| check.result == Outcome::Failed)
                || getrlimit(Resource::Nofile).current.is_none()
        );
    }
}
