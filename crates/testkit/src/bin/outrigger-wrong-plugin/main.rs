//! A plugin that is wrong on purpose, in one way at a time, to see whether the
//! conformance kit says so: `outrigger-wrong-plugin [WRONG]`.
//!
//! Without an argument nothing is wrong with it. `--list` prints, a line each,
//! the name of a wrong, the cases of the kit that are to fail for it, and what
//! it is. It shares no code with the SDK's server, so that a misunderstanding
//! of the kit's and the SDK's would show.

use std::io::{self, Write as _};
use std::process::ExitCode;

use outrigger_sdk::{HostWatch, quorum};

mod broker;
mod line;
mod listen;
mod peer;
mod probe;
mod serve;
mod services;
mod stdio;
mod tls;
mod wrong;

use wrong::{WRONGS, is};

/// Its application versions, lowest first.
const VERSIONS: [u32; 2] = [1, 2];

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "--list" {
        return list();
    }
    if !wrong::choose(&name) {
        complain(&format!("no wrong is called `{name}`; --list names them"));
        return ExitCode::from(2);
    }
    let _ends_with_host = (!is("orphan")).then(HostWatch::start);
    if !cookie() {
        if !is("silent-refusal") {
            complain("this is a plugin, and is not to be run by hand");
        }
        return ExitCode::from(1);
    }
    if is("banner") {
        print("welcome to the wrong plugin\n");
    }
    if is("reads-stdin") {
        std::thread::spawn(|| io::copy(&mut io::stdin(), &mut io::sink()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a fixture has descriptors to spare");
    let served = runtime.block_on(serve::serve());
    runtime.shutdown_background();
    match served {
        Ok(()) if is("status-1") => ExitCode::from(1),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(1)
        }
    }
}

fn list() -> ExitCode {
    let line = |wrong: &wrong::Wrong| format!("{}\t{}\t{}\n", wrong.name, wrong.fails, wrong.about);
    print(&WRONGS.iter().map(line).collect::<String>());
    ExitCode::SUCCESS
}

/// Whether the host knows the cookie.
fn cookie() -> bool {
    let found = std::env::var(quorum::COOKIE_KEY).unwrap_or_default();
    if is("cookie-ignored") {
        return true;
    }
    if is("cookie-in-any-case") {
        return found.trim().eq_ignore_ascii_case(quorum::COOKIE_VALUE);
    }
    found == quorum::COOKIE_VALUE
}

/// Prints whole, and at once.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _host_gone = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn complain(text: &str) {
    let _unread = writeln!(io::stderr(), "{text}");
}
