//! `outrigger run`, or a node like it, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::artifacts;

/// A host that is ready. Dropping it kills it, so that a test that fails leaves none.
#[derive(Debug)]
pub struct Hosted {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Hosted {
    /// `outrigger run --json` with these arguments.
    ///
    /// # Panics
    ///
    /// When it does not get ready, as everything here does: these are tests.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "tests start processes")]
    pub fn run(arguments: &[&str]) -> Self {
        let mut command = Command::new(artifacts::command());
        command.args(["run", "--json"]).args(arguments);
        Self::start(command)
    }

    /// Any command that prints a line of JSON when it is ready.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut hosted = Self { child, lines, ready: Value::Null };
        hosted.ready = hosted.line();
        hosted
    }

    /// Its next line.
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("its output can be read");
        assert!(read > 0, "it ended");
        serde_json::from_str(&line).expect("a line of JSON")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it is there");
    }

    /// Has it take up its settings, and waits until it has.
    pub fn hang_up(&mut self) {
        self.signal(Signal::HUP);
        while self.line()["event"] != "reloaded" {}
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Asks it to end, which it must do well.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        assert!(self.child.wait().expect("it can be waited for").success());
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.kill();
    }
}
