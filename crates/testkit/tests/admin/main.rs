//! The admin API of a real host, as its operators and others reach it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod audit;
mod call;
mod chaos;
mod command;
mod dashboards;
mod doctor;
mod http;
mod metrics;
mod page;
mod running;
mod systemd;
mod tls;
mod ws;

fn kill(pid: Option<u32>) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid.unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
