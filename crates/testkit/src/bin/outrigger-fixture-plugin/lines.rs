//! What goes wrong before and in the handshake line.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use outrigger_sdk::{HostRequest, Listening};

use crate::hello::plugin;

/// Prints a line, whole and at once.
pub(crate) fn print(line: &str) {
    let mut stdout = io::stdout().lock();
    let _host_gone = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
}

/// Runs `future` on a runtime of one thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a fixture has descriptors to spare").block_on(future)
}

/// Stays until it is killed, or its host is.
pub(crate) fn hang() -> ExitCode {
    loop {
        std::thread::park();
    }
}

pub(crate) fn slow(ms: u64) -> ExitCode {
    block_on(async { tokio::time::sleep(Duration::from_millis(ms)).await });
    plugin().run()
}

pub(crate) fn banner(lines: u64) -> ExitCode {
    for line in 1..=lines {
        print(&format!("{line} of {lines}: welcome to the fixture"));
    }
    plugin().run()
}

pub(crate) fn garbage() -> ExitCode {
    print("usage: fixture [FLAGS]");
    hang()
}

pub(crate) fn exit(code: u64) -> ExitCode {
    let _unread = writeln!(io::stderr(), "the fixture exits with code {code}");
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// A handshake line as it should be, but for one field; its socket listens.
pub(crate) fn field(index: usize, value: &str) -> ExitCode {
    block_on(async {
        let listening = Listening::bind(&HostRequest::from_environment(), 1);
        let listening = listening.expect("a fixture can listen");
        print(&with_field(listening.line(), index, value));
        hang()
    })
}

/// `line` with another value in one field.
pub(crate) fn with_field(line: &str, index: usize, value: &str) -> String {
    let mut fields: Vec<&str> = line.split('|').collect();
    fields[index] = value;
    fields.join("|")
}
