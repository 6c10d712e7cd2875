//! What the plugin finds when it starts, and what the host hears when it does
//! not.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use outrigger_launcher::{ByteString, End, Exec, ExitCode, Report, Spec, Stage};
use rustix::fs::SealFlags;
use tempfile::TempDir;

use crate::harness::{Launcher, memfd, path, shell};

const SEALS: SealFlags =
    SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK).union(SealFlags::SEAL);

fn write(directory: &TempDir, name: &str, mode: u32, bytes: &[u8]) -> String {
    let file = directory.path().join(name);
    fs::write(&file, bytes).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    file.into_os_string().into_string().unwrap()
}

fn text_of(line: &[&str]) -> String {
    let mut launcher = Launcher::start();
    launcher.send(path(line));
    launcher.started();
    launcher.text()
}

fn failure_of(spec: Spec) -> (Stage, i32) {
    let mut launcher = Launcher::start();
    launcher.send(spec);
    let (Report::ExecFailed { stage, errno }, None) = launcher.report() else {
        panic!("it did not fail");
    };
    assert_eq!(launcher.code(), Some(ExitCode::Exec.code()));
    (stage, errno)
}

#[test]
fn execs_from_a_sealed_memfd() {
    let bytes = memfd(&fs::read("/bin/sh").unwrap(), SEALS);
    let script = "echo $$; readlink /proc/$$/exe";
    let spec = Spec::new(Exec::Memfd, ["sh", "-c", script], "/").with_env("PATH", "/usr/bin:/bin");
    // One memfd serves several generations.
    for _ in 0..2 {
        let mut launcher = Launcher::start();
        launcher.send_with(spec.clone(), Some(&bytes));
        let (pid, _pidfd) = launcher.started();
        assert_eq!(launcher.line(), pid.to_string());
        assert_eq!(launcher.line(), "/memfd:plugin (deleted)");
        assert_eq!(launcher.ended(), (End::Code(0), 0));
        assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
    }
}

#[test]
fn a_script_runs_from_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let script = write(&directory, "plugin", 0o755, b"#!/bin/sh\necho $0 $1\n");
    assert_eq!(text_of(&[&script, "one"]), format!("{script} one\n"));
}

#[test]
fn exec_failure_names_the_errno() {
    let directory = tempfile::tempdir().unwrap();
    let mut elf = fs::read("/bin/sh").unwrap();
    // The machine's number in an ELF header: AArch64.
    elf[18..20].copy_from_slice(&183_u16.to_le_bytes());
    let foreign = write(&directory, "foreign", 0o755, &elf);
    let plain = write(&directory, "plain", 0o644, b"#!/bin/sh\n");
    let no_interpreter = write(&directory, "script", 0o755, b"#!/nowhere/sh\n");
    for (program, errno) in [
        ("/nowhere/plugin", libc::ENOENT),
        (&foreign, libc::ENOEXEC),
        (&plain, libc::EACCES),
        (&no_interpreter, libc::ENOENT),
        ("/", libc::EACCES),
    ] {
        assert_eq!(failure_of(path(&[program])), (Stage::Exec, errno), "{program}");
    }
}

#[test]
fn a_working_directory_that_is_not_there_is_named_as_the_failure() {
    let spec = Spec::new(Exec::Path("/bin/true".into()), ["true"], "/nowhere");
    assert_eq!(failure_of(spec), (Stage::Cwd, libc::ENOENT));
}

#[test]
fn a_program_that_stays_open_for_writing_is_reported_as_busy() {
    let directory = tempfile::tempdir().unwrap();
    let busy = write(&directory, "busy", 0o755, &fs::read("/bin/true").unwrap());
    let writer = OpenOptions::new().append(true).open(&busy).unwrap();
    assert_eq!(failure_of(path(&[&busy])), (Stage::Exec, libc::ETXTBSY));
    drop(writer);
    assert_eq!(text_of(&[&busy]), "");
}

#[test]
fn a_program_whose_writer_goes_away_is_tried_again_and_runs() {
    let directory = tempfile::tempdir().unwrap();
    let busy = write(&directory, "busy", 0o755, &fs::read("/bin/true").unwrap());
    let writer = OpenOptions::new().append(true).open(&busy).unwrap();
    let mut launcher = Launcher::start();
    launcher.send(path(&[&busy]));
    drop(writer);
    launcher.started();
    assert_eq!(launcher.ended(), (End::Code(0), 0));
}

#[test]
fn the_environment_is_exactly_the_specs() {
    let exec = Exec::Path("/bin/cat".into());
    let spec = Spec::new(exec, ["cat", "/proc/self/environ"], "/")
        .with_env("B", "two = 2")
        .with_env("A", "")
        .with_env(ByteString(b"N\xff".into()), ByteString(b"\x80\n".into()))
        .with_env("B", "again");
    let mut launcher = Launcher::start();
    launcher.send(spec);
    launcher.started();
    let mut expected = b"B=two = 2\0A=\0N\xff=\x80\n\0B=again\0".to_vec();
    expected.extend(format!("OUTRIGGER_LAUNCHER_TEST={}\0", launcher.mark).into_bytes());
    assert_eq!(launcher.output(), expected);
}

#[test]
fn an_environment_of_half_a_megabyte_arrives_whole() {
    let value = "x".repeat(100_000);
    let mut spec = path(&["/bin/cat", "/proc/self/environ"]);
    for name in ["A", "B", "C", "D", "E"] {
        spec = spec.with_env(name, value.as_str());
    }
    let mut launcher = Launcher::start();
    launcher.send(spec);
    launcher.started();
    let output = launcher.output();
    assert_eq!(output.iter().filter(|byte| **byte == b'x').count(), 5 * value.len());
}

#[test]
fn descriptors_above_two_are_closed_in_the_plugin() {
    let mut launcher = Launcher::start_after("exec 5</dev/null 7</dev/null 9</dev/null");
    launcher.send(path(&["/bin/ls", "/proc/self/fd"]));
    launcher.started();
    // The last is the directory that the listing reads.
    assert_eq!(launcher.text(), "0\n1\n2\n3\n");
}

#[test]
fn standard_input_is_the_null_device() {
    assert_eq!(text_of(&["/usr/bin/readlink", "/proc/self/fd/0"]), "/dev/null\n");
    assert_eq!(text_of(&["/bin/cat"]), "");
}

#[test]
fn the_working_directory_is_the_specs() {
    let directory = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(directory.path()).unwrap();
    let mut spec = path(&["/usr/bin/readlink", "/proc/self/cwd"]);
    spec.cwd = real.as_path().into();
    let mut launcher = Launcher::start();
    launcher.send(spec);
    launcher.started();
    assert_eq!(Path::new(launcher.text().trim_end()), real);
}

#[test]
fn files_are_private_and_there_are_no_core_dumps() {
    let mut launcher = Launcher::start();
    launcher.send(shell(
        "umask; while read -r line; do case $line in *core*) echo $line;; esac; done \
         </proc/self/limits",
    ));
    launcher.started();
    assert_eq!(launcher.line(), "0077");
    assert_eq!(launcher.line(), "Max core file size 0 0 bytes");
}

#[test]
fn the_plugin_inherits_no_signal_state() {
    let mut launcher = Launcher::start_after("trap '' CHLD PIPE HUP USR1 TERM");
    launcher.send(path(&["/bin/grep", "^Sig[BI]", "/proc/self/status"]));
    launcher.started();
    for name in ["SigBlk", "SigIgn"] {
        assert_eq!(launcher.line(), format!("{name}:\t{:016x}", 0));
    }
    // The status was not lost although the children's signal came in ignored.
    assert_eq!(launcher.ended(), (End::Code(0), 0));
}

#[test]
fn the_plugin_leads_a_process_group_of_its_own() {
    let mut launcher = Launcher::start();
    launcher.send(shell("trap '' TERM; kill -TERM 0; echo survived; exit 4"));
    launcher.started();
    assert_eq!(launcher.line(), "survived");
    assert_eq!(launcher.ended(), (End::Code(4), 0));
    assert_eq!(launcher.code(), Some(ExitCode::Done.code()));
}
