//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Shows lines from `default` on; the variable `OUTRIGGER_LOG` can say
/// otherwise.
pub(crate) fn install(default: &str) {
    let filter = std::env::var("OUTRIGGER_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.as_deref().unwrap_or(default);
    // A filter that cannot be understood shows more, not less.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let installed = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    // Only a second call fails, and then the first one's lines are shown.
    drop(installed);
}
