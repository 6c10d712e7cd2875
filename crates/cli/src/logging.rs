//! Log lines on standard error, and traces to a collector.

use std::io::IsTerminal;

use clap::ValueEnum;
use outrigger::telemetry::Telemetry;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

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
    install_as(default, LogFormat::Human, None);
}

/// As [`install`], in one of the forms, and sends traces.
pub(crate) fn install_as(default: &str, format: LogFormat, traces: Option<&Telemetry>) {
    let filter = std::env::var("OUTRIGGER_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.as_deref().unwrap_or(default);
    // A filter that cannot be understood shows more, not less.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // It logs whole requests at `trace`, in which there may be secrets.
    let filter = match "jsonrpsee_core=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Human => Box::new(lines.with_ansi(colours(&std::io::stderr()))),
        // Fields stay beneath `fields`, where a plugin cannot forge a level or a time.
        LogFormat::Json => Box::new(lines.json().with_current_span(false).with_span_list(false)),
    };
    let traces = traces.map(Telemetry::layer::<Registry>);
    let subscriber = tracing_subscriber::registry().with(traces).with(lines.with_filter(filter));
    // Only a second call fails, and then the first one's lines are shown.
    let _second = subscriber.try_init();
}

/// Whether a stream shows colours: a terminal, unless `NO_COLOR` says no.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
