//! What the kernel can do, and what of it this user may use.

use std::path::Path;

use outrigger::diagnosis::landlock_abi;
use rustix::fs::{Access, MemfdFlags, access, memfd_create};
use rustix::process::{PidfdFlags, child_subreaper, getpid, pidfd_open};

use super::report::Report;

pub(super) fn check(report: &mut Report) {
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => report.ok("pidfd", "deaths are seen at once"),
        Err(error) => report.fail(
            "pidfd",
            format!("pidfd_open: {error}"),
            "run Linux 5.3 or newer; a seccomp filter of the container may forbid it",
        ),
    }
    match child_subreaper() {
        Ok(_) => report.ok("subreaper", "process trees can be held"),
        Err(error) => report.fail(
            "subreaper",
            format!("PR_GET_CHILD_SUBREAPER: {error}"),
            "let the container's seccomp filter allow prctl",
        ),
    }
    let read = |path: &str| std::fs::read_to_string(path).ok();
    memfd(report, read("/proc/sys/vm/memfd_noexec").as_deref());
    match landlock_abi() {
        Some(abi) => report.ok("landlock", format!("ABI {abi}")),
        None => report.warn(
            "landlock",
            "the kernel has none, or it is switched off",
            "boot with lsm=…,landlock to confine file access",
        ),
    }
    match read("/proc/sys/kernel/seccomp/actions_avail") {
        Some(actions) => report.ok("seccomp", actions.trim().to_owned()),
        None => {
            report.warn("seccomp", "the kernel has none", "run a kernel with CONFIG_SECCOMP_FILTER")
        }
    }
    let spaces = |name: &str| read(&format!("/proc/sys/{name}"));
    namespaces(
        report,
        spaces("user/max_user_namespaces").as_deref(),
        spaces("kernel/unprivileged_userns_clone").as_deref(),
        spaces("kernel/apparmor_restrict_unprivileged_userns").as_deref(),
    );
    cgroup(report, read("/proc/self/cgroup").as_deref(), Path::new("/sys/fs/cgroup"));
    proc(report, read("/proc/self/mountinfo").as_deref());
}

fn memfd(report: &mut Report, noexec: Option<&str>) {
    if let Err(error) =
        memfd_create("outrigger-doctor", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
    {
        return report.fail("memfd", format!("memfd_create: {error}"), "let the container's seccomp filter allow it: distributions are verified in sealed memory");
    }
    if noexec.map(str::trim) == Some("2") {
        report.warn(
            "memfd",
            "vm.memfd_noexec is 2: nothing runs from memory",
            "sysctl vm.memfd_noexec=1, or let plugins run from their trees",
        );
    } else {
        report.ok("memfd", "verified programs run from sealed memory");
    }
}

fn namespaces(
    report: &mut Report,
    most: Option<&str>,
    clone: Option<&str>,
    apparmor: Option<&str>,
) {
    let is = |text: Option<&str>, value: &str| text.map(str::trim) == Some(value);
    let name = "user-namespaces";
    if most.is_none() || is(most, "0") || is(clone, "0") {
        report.warn(name, "this user may make none", "sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone, for a sandbox of namespaces");
    } else if is(apparmor, "1") {
        report.warn(
            name,
            "AppArmor restricts them",
            "give the node's program an AppArmor profile with `userns,`",
        );
    } else {
        report.ok(name, "this user may make them");
    }
}

/// `own` is `/proc/self/cgroup`.
fn cgroup(report: &mut Report, own: Option<&str>, root: &Path) {
    let name = "cgroup";
    let path = own.and_then(|own| own.lines().find_map(|line| line.strip_prefix("0::")));
    let Some(path) = path.filter(|_| root.join("cgroup.controllers").exists()) else {
        return report.warn(name, "no version 2 hierarchy is mounted", "boot with systemd.unified_cgroup_hierarchy=1; without it plugins have no limits of memory");
    };
    let own = root.join(path.trim_start_matches('/'));
    let files = [own.clone(), own.join("cgroup.procs")];
    if files.iter().all(|file| access(file, Access::WRITE_OK).is_ok()) {
        report.ok(name, format!("{path} is this user's to divide"));
    } else {
        report.warn(
            name,
            format!("{path} is not this user's"),
            "set Delegate=yes in the unit; without it plugins have no limits of memory",
        );
    }
}

fn proc(report: &mut Report, mounts: Option<&str>) {
    let mount = mounts
        .and_then(|mounts| mounts.lines().find(|line| line.split(' ').nth(4) == Some("/proc")));
    let Some(mount) = mount else {
        return report.fail(
            "proc",
            "/proc is not mounted",
            "mount it: process trees are read from it",
        );
    };
    let hidden = mount.split([' ', ',']).find_map(|option| option.strip_prefix("hidepid="));
    match hidden {
        None | Some("0" | "off") => report.ok("proc", "processes can be seen"),
        Some(level) => report.warn("proc", format!("mounted with hidepid={level}"), "this user's own processes are still seen; those that change their user are not, and may survive their plugin"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;

    fn result(check: impl FnOnce(&mut Report)) -> Outcome {
        let mut report = Report::default();
        check(&mut report);
        let [check] = report.checks() else { panic!("{report:?}") };
        check.result
    }

    #[test]
    fn what_a_machine_lacks_is_told_from_its_files() {
        assert_eq!(result(|report| memfd(report, Some("2\n"))), Outcome::Warning);
        for text in [None, Some("0\n"), Some("1\n")] {
            assert_eq!(result(|report| memfd(report, text)), Outcome::Ok);
        }
        let rows = [
            (Some("15000\n"), None, None, Outcome::Ok),
            (Some("15000\n"), Some("1\n"), Some("0\n"), Outcome::Ok),
            (Some("0\n"), None, None, Outcome::Warning),
            (None, None, None, Outcome::Warning),
            (Some("15000\n"), Some("0\n"), None, Outcome::Warning),
            (Some("15000\n"), Some("1\n"), Some("1\n"), Outcome::Warning),
        ];
        for (most, clone, apparmor, expected) in rows {
            assert_eq!(result(|report| namespaces(report, most, clone, apparmor)), expected);
        }
        let mount =
            |options: &str| format!("23 29 0:22 / /proc rw,nosuid - proc proc rw{options}\n");
        assert_eq!(result(|report| proc(report, Some(&mount("")))), Outcome::Ok);
        assert_eq!(result(|report| proc(report, Some(&mount(",hidepid=2")))), Outcome::Warning);
        assert_eq!(
            result(|report| proc(report, Some(&mount(",hidepid=invisible")))),
            Outcome::Warning
        );
        assert_eq!(
            result(|report| proc(report, Some("1 1 0:1 / / rw - x x rw\n"))),
            Outcome::Failed
        );
    }

    #[test]
    fn a_control_group_is_delegated_if_its_directory_and_its_processes_can_be_written() {
        let root = tempfile::tempdir().unwrap();
        let own = Some("0::/a.slice/b.service\n");
        assert_eq!(result(|report| cgroup(report, own, root.path())), Outcome::Warning);
        std::fs::write(root.path().join("cgroup.controllers"), "memory").unwrap();
        assert_eq!(
            result(|report| cgroup(report, own, root.path())),
            Outcome::Warning,
            "it is not there"
        );
        let group = root.path().join("a.slice/b.service");
        std::fs::create_dir_all(&group).unwrap();
        std::fs::write(group.join("cgroup.procs"), "").unwrap();
        assert_eq!(result(|report| cgroup(report, own, root.path())), Outcome::Ok);
        assert_eq!(
            result(|report| cgroup(report, Some("1:memory:/x\n"), root.path())),
            Outcome::Warning
        );
    }
}
