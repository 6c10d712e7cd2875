//! The clock and the source of random numbers.

use std::path::Path;
use std::time::{Duration, SystemTime};

use outrigger::settings::Settings;
use rustix::rand::{GetRandomFlags, getrandom};

use super::report::Report;

/// Clocks of machines that share a disk differ.
const TOLERANCE: Duration = Duration::from_secs(60);

pub(super) fn check(report: &mut Report, settings: Option<&Settings>) {
    let made = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let program = std::env::current_exe().ok().and_then(|path| made(&path));
    let base = settings.and_then(|settings| made(&settings.base_dir));
    clock(report, SystemTime::now(), &[("this program", program), ("what is in `baseDir`", base)]);
    let mut bytes = [0_u8; 16];
    match getrandom(&mut bytes, GetRandomFlags::NONBLOCK) {
        Ok(_) => report.ok("entropy", "random numbers can be had"),
        Err(error) => report.fail(
            "entropy",
            format!("none can be had yet: {error}"),
            "wait for the system, or give the virtual machine a virtio-rng",
        ),
    }
}

/// A clock that is behind what was made on this machine is not set. Certificates and
/// signatures are then not valid yet.
fn clock(report: &mut Report, now: SystemTime, made: &[(&str, Option<SystemTime>)]) {
    let ahead = made.iter().find(|(_, at)| at.is_some_and(|at| at > now + TOLERANCE));
    match ahead {
        Some((what, _)) => report.fail(
            "clock",
            format!("it is earlier than {what}"),
            "set it (timedatectl set-ntp true): signatures and certificates are not valid yet",
        ),
        None => report.ok("clock", "it is later than what was made on this machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;

    #[test]
    fn a_clock_that_is_behind_what_was_made_is_wrong() {
        let now = SystemTime::now();
        let of = |at| {
            let mut report = Report::default();
            clock(&mut report, now, &[("x", at)]);
            report.checks()[0].result
        };
        assert_eq!(of(None), Outcome::Ok);
        assert_eq!(of(Some(now + Duration::from_secs(30))), Outcome::Ok);
        assert_eq!(of(Some(now + Duration::from_secs(3_600))), Outcome::Failed);
    }
}
