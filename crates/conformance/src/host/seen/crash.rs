//! Whether the host crashed, rather than ended.

use std::os::unix::process::ExitStatusExt as _;

use super::{Outcome, Seen};

/// A shell's statuses for SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV.
const OF_A_SHELL: [i32; 6] = [132, 133, 134, 135, 136, 139];

impl Seen {
    /// It did not crash: by a signal, or by a panic of Rust or Go.
    pub(crate) fn not_crashed(&self) -> Outcome {
        let Some(status) = self.end.status else { return Ok(()) };
        let output = &self.end.output;
        let code = status.code();
        let crashed = status.signal().is_some()
            || code.is_some_and(|code| OF_A_SHELL.contains(&code))
            || (code == Some(101) && output.contains("panicked at"))
            || (code == Some(2) && output.contains("goroutine ") && has_go_panic(output));
        if !crashed {
            return Ok(());
        }
        let why = match output.lines().find(|line| is_reason(line)) {
            Some(reason) => format!("it crashed: {}", reason.trim()),
            None => "it crashed".to_owned(),
        };
        Err(self.failed(&why))
    }
}

fn is_reason(line: &str) -> bool {
    line.starts_with("panic: ") || line.starts_with("fatal error: ") || line.contains("panicked at")
}

fn has_go_panic(output: &str) -> bool {
    output.lines().any(|line| line.starts_with("panic: ") || line.starts_with("fatal error: "))
}
