//! Log lines on standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// A JSON object a line.
    Json,
}

/// Shows lines from `default` on; the variable `OUTRIGGER_LOG` can say
/// otherwise.
pub(crate) fn install(default: &str) {
    install_as(default, LogFormat::Human);
}

/// As [`install`], in one of the forms.
pub(crate) fn install_as(default: &str, format: LogFormat) {
    let filter = std::env::var("OUTRIGGER_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.as_deref().unwrap_or(default);
    // A filter that cannot be understood shows more, not less.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Human => lines.with_ansi(colours(&std::io::stderr())).try_init(),
        // Fields stay beneath `fields`, where a plugin cannot forge a level or a time.
        LogFormat::Json => lines.json().with_current_span(false).with_span_list(false).try_init(),
    };
    // Only a second call fails, and then the first one's lines are shown.
    drop(installed);
}

/// Whether a stream shows colours: a terminal, unless `NO_COLOR` says no.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
