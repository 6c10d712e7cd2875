//! Every step of load, launch, initialise, swap, drain and stop is made to fail, to be
//! late, to panic and to end the process, once each, in a process of its own; then
//! the same must hold as always.
//!
//! `cargo test -p outrigger-testkit --features failpoints --test failpoints [-- STEP]`
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and tests start processes and say how they fared"
)]

mod case;
mod steps;

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use outrigger_testkit::census::descendants;
use outrigger_testkit::harness;
use outrigger_testkit::kit::Kit;
use rustix::process::{WaitId, WaitIdOptions, set_child_subreaper, waitid};

use steps::{Action, Case, cases};

/// For one case, from start to clean end.
const LIMIT: Duration = Duration::from_secs(30);

/// For what a host that was ended left to be gone.
const GONE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--case", action, step, when, kit] => {
            case::run(&Case::of(action, step, when), Path::new(kit));
            ExitCode::SUCCESS
        }
        // What cargo itself passes to any test.
        filter => all(filter.iter().find(|text| !text.starts_with('-')).copied()),
    }
}

fn all(filter: Option<&str>) -> ExitCode {
    set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let (mut passed, mut failed) = (0, Vec::new());
    for case in cases() {
        let name = case.to_string();
        if filter.is_some_and(|text| !name.contains(text)) {
            continue;
        }
        match one(&case) {
            Ok(()) => {
                println!("test {name} ... ok");
                passed += 1;
            }
            Err(text) => {
                println!("test {name} ... FAILED\n{text}");
                failed.push(name);
            }
        }
    }
    println!("\n{passed} passed; {} failed", failed.len());
    for name in &failed {
        println!("    {name}");
    }
    if failed.is_empty() && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(case: &Case) -> Result<(), String> {
    // Outlives a host that is ended.
    let kit = Kit::with("ok");
    kit.pack_fixture(case::SECOND, "ok");
    let (status, text) = child(case, kit.path());
    let Some(status) = status else {
        return Err(format!("it did not end within {LIMIT:?}\n{text}"));
    };
    if case.action == Action::Abort {
        if status.signal() != Some(6) {
            return Err(format!("it ended otherwise ({status})\n{text}"));
        }
        let left = settled();
        if !left.is_empty() {
            return Err(format!("a host that was ended left {left:?}\n{text}"));
        }
        let (status, text) = child(&case.without(), kit.path());
        if !status.is_some_and(|status| status.success()) {
            return Err(format!("the next host fails ({status:?})\n{text}"));
        }
    } else if !status.success() {
        return Err(format!("{status}\n{text}"));
    }
    let left = settled();
    if !left.is_empty() {
        return Err(format!("processes are left: {left:?}\n{text}"));
    }
    let files = outrigger_testkit::census::files(&kit.path().join("run"));
    if files.is_empty() { Ok(()) } else { Err(format!("files are left: {files:?}\n{text}")) }
}

fn child(case: &Case, kit: &Path) -> (Option<ExitStatus>, String) {
    let mut output = tempfile::tempfile().unwrap();
    let both = || Stdio::from(output.try_clone().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--case", case.action.name(), case.step, case.when.name()])
        .arg(kit)
        .stdin(Stdio::null())
        .stdout(both())
        .stderr(both())
        .spawn()
        .unwrap();
    let status = harness::wait(&mut child, LIMIT);
    if status.is_none() {
        harness::kill_tree(child.id());
        let _reaped = child.wait();
    }
    let mut text = String::new();
    std::io::Seek::rewind(&mut output).unwrap();
    output.read_to_string(&mut text).unwrap();
    (status, text)
}

/// What is left below once the dying have died.
fn settled() -> Vec<String> {
    let step = rustix::event::Timespec::try_from(Duration::from_millis(10)).unwrap();
    for _ in 0..GONE.as_millis() / 10 {
        while let Ok(Some(_)) = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
        }
        if descendants().is_empty() {
            break;
        }
        let _elapsed = rustix::event::poll(&mut [], Some(&step));
    }
    descendants().into_iter().map(|left| left.command).collect()
}
