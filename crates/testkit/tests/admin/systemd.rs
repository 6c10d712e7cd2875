//! What a service manager hears of a host, and what plugins do not get of it.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::Command;
use std::time::Duration;

use outrigger_testkit::hosted::Hosted;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::json;

use crate::running::Running;

/// A service manager's socket.
struct Manager(UnixDatagram);

impl Manager {
    fn at(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(socket)
    }

    /// The next datagram with this line, and those before it.
    fn hears(&self, line: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let length = self.0.recv(&mut buffer).unwrap_or_else(|error| {
                panic!("{line} was not heard ({error}) after {heard:#?}");
            });
            heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
            if heard.last().unwrap().lines().any(|found| found.starts_with(line)) {
                return heard;
            }
        }
    }
}

fn host(kit: &Kit, variables: &[(&str, &str)]) -> Hosted {
    let mut command = Command::new(artifacts::command());
    command.args(["run", "--json", "--plugins.skipverify", "--plugins", &kit.settings_url()]);
    command.envs(variables.iter().copied());
    Hosted::start(command)
}

fn text(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}

e2e! {
    async fn a_service_manager_hears_of_readiness_illness_reloads_and_the_end() {
        let mut kit = Kit::with("ok");
        let path = kit.path().join("notify");
        let manager = Manager::at(&SocketAddr::from_pathname(&path).unwrap());
        let mut host = host(&kit, &[("NOTIFY_SOCKET", &text(&path))]);
        let heard = manager.hears("READY=1");
        assert_eq!(heard[0], "STATUS=starting");
        assert_eq!(heard.last().unwrap(), "READY=1\nSTATUS=1 of 1 plugins serve");

        let reload = |manager: &Manager| {
            let reloading = manager.hears("RELOADING=1").pop().unwrap();
            let usec = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
            let age = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000 - usec.parse::<i64>().unwrap();
            assert!((0..30_000_000).contains(&age), "{age} us ago");
            manager.hears("READY=1").pop().unwrap()
        };
        kit.set("/providers/helloworld/config", json!({ "language": "de" }));
        host.hang_up();
        assert_eq!(reload(&manager), "READY=1\nSTATUS=1 of 1 plugins serve");
        std::fs::write(kit.settings_file(), "{").unwrap();
        host.hang_up();
        let refused = reload(&manager);
        assert!(refused.contains("1 of 1 plugins serve; the last settings were not taken up"), "{refused}");
        kit.set("/providers/helloworld/config", json!({ "language": "en" }));
        host.hang_up();
        assert_eq!(reload(&manager), "READY=1\nSTATUS=1 of 1 plugins serve");

        let running = Running(host);
        assert!(running.outrigger(&["stop", "helloworld"]).status.success());
        manager.hears("STATUS=0 of 1 plugins serve; `helloworld` is stopped");
        // A second signal would take its patience.
        running.ends();
        let heard = manager.hears("STOPPING=1");
        assert!(!heard.concat().contains("WATCHDOG"), "nobody asked to be told: {heard:?}");
        kit.assert_clean();
    }

    async fn the_watchdog_is_fed_by_an_abstract_name_and_the_plugin_knows_nothing_of_it() {
        let kit = Kit::with("ok");
        let name = format!("outrigger-systemd-{}", std::process::id());
        let manager = Manager::at(&SocketAddr::from_abstract_name(&name).unwrap());
        let socket = format!("@{name}");
        let host = host(&kit, &[("NOTIFY_SOCKET", &socket), ("WATCHDOG_USEC", "200000")]);
        manager.hears("READY=1");
        for _ in 0..3 {
            manager.hears("WATCHDOG=1");
        }
        let plugin = host.ready["plugins"][0]["pid"].as_u64().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{plugin}/status")).unwrap();
        let launcher = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap();
        for process in [plugin.to_string(), launcher.to_owned()] {
            let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC"] {
                assert!(!environment.contains(variable), "process {process}: {environment}");
            }
        }
        host.stop();
        manager.hears("STOPPING=1");
        kit.assert_clean();
    }

    async fn a_watchdog_that_is_another_process_s_is_not_fed_and_no_manager_is_no_error() {
        let kit = Kit::with("ok");
        let path = kit.path().join("notify");
        let manager = Manager::at(&SocketAddr::from_pathname(&path).unwrap());
        let variables =
            [("NOTIFY_SOCKET", &*text(&path)), ("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")];
        host(&kit, &variables).stop();
        let heard = manager.hears("STOPPING=1");
        assert!(!heard.concat().contains("WATCHDOG"), "{heard:?}");
        host(&kit, &[("NOTIFY_SOCKET", "/nonexistent/notify")]).stop();
        kit.assert_clean();
    }
}

/// The command's path in the unit, which the machine need not have.
const INSTALLED: &str = "/usr/bin/outrigger";

#[test]
fn the_unit_file_is_one_that_systemd_understands() {
    let unit = artifacts::repository().join("packaging/systemd/outrigger.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    for line in ["Type=notify-reload", "Delegate=yes", "KillMode=mixed", "WatchdogSec=30"] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    let seconds = |key: &str| -> u64 {
        let rest = unit.split(key).nth(1).unwrap_or_else(|| panic!("{key} is missing"));
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (ours, systemd_s) = (
        seconds(
            "run --plugins file:///etc/outrigger/plugins.json --plugins.localverify --stop-timeout ",
        ),
        seconds("\nTimeoutStopSec="),
    );
    assert!((ours + 5..=ours + 30).contains(&systemd_s), "{systemd_s} s for {ours} s");

    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("outrigger.service");
    let command = artifacts::command();
    std::fs::write(&copy, unit.replace(INSTALLED, command.to_str().unwrap())).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output();
    let Ok(verified) = verified else {
        artifacts::skipped("systemd-analyze is missing; the unit file was not verified");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    // systemd before 253 does not know this type.
    let wrong: Vec<&str> = said.lines().filter(|line| !line.ends_with("notify-reload")).collect();
    assert!(verified.status.success() && wrong.is_empty(), "{said}");
    // The check is one that fails.
    std::fs::write(&copy, unit.replace("KillMode=mixed", "KillMood=mixed")).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output();
    assert!(String::from_utf8_lossy(&verified.unwrap().stderr).contains("KillMood"));
}
