//! A small host of its own, right in all that `outrigger check --host` asks
//! of one, or wrong in one thing: `outrigger-wrong-host [--wrong NAME] PLUGIN`.
//!
//! It knows nothing of Outrigger's transport: it is also the smallest whole
//! host that there is here.

use std::path::PathBuf;
use std::process::ExitCode;

mod environment;
mod identity;
mod line;
mod output;
mod process;
mod session;
mod tls;

use outrigger_testkit::wrong_host::WRONGS;

/// What it does wrong, if anything.
#[derive(Debug, Clone)]
pub(crate) struct Wrong(Option<String>);

impl Wrong {
    /// Whether it is this.
    pub(crate) fn is(&self, name: &str) -> bool {
        debug_assert!(WRONGS.iter().any(|wrong| wrong.name == name), "{name} is in no table");
        self.0.as_deref() == Some(name)
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let mut first = arguments.next();
    let mut wrong = Wrong(None);
    if first.as_deref().is_some_and(|first| first == "--wrong") {
        let name = arguments.next().unwrap_or_default().to_string_lossy().into_owned();
        if !WRONGS.iter().any(|wrong| wrong.name == name) {
            return fail(2, &format!("no wrong is called `{name}`"));
        }
        wrong = Wrong(Some(name));
        first = arguments.next();
    }
    let Some(plugin) = first.map(PathBuf::from) else {
        return fail(2, "name the plugin to host");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let hosted = match runtime {
        Ok(runtime) => {
            let hosted = runtime.block_on(session::host(&wrong, &plugin));
            // Nobody waits for what still reads from the plugin.
            runtime.shutdown_background();
            hosted
        }
        Err(error) => Err(error.to_string()),
    };
    match hosted {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(1, &why),
    }
}

#[expect(clippy::print_stderr, reason = "a program says why it failed")]
fn fail(status: u8, why: &str) -> ExitCode {
    eprintln!("outrigger-wrong-host: {why}");
    ExitCode::from(status)
}
