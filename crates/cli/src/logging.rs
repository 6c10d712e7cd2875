//! Log lines on standard error, and traces to a collector.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use outrigger::telemetry::Telemetry;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// How a line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Shows lines from `default` on; the variable `OUTRIGGER_LOG` can say
/// otherwise.
pub(crate) fn install(default: &str) {
    install_with(default, LogFormat::Human, None);
}

/// The same in this form, and sends traces.
pub(crate) fn install_with(default: &str, format: LogFormat, traces: Option<&Telemetry>) {
    let filter = std::env::var("OUTRIGGER_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.as_deref().unwrap_or(default);
    // A filter that cannot be understood shows more, not less.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<_> + Send + Sync> = match format {
        LogFormat::Human => Box::new(lines.with_ansi(std::io::stderr().is_terminal())),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            Box::new(lines.with_current_span(false).with_span_list(false))
        }
    };
    let traces = traces.map(Telemetry::layer::<Registry>);
    let subscriber = tracing_subscriber::registry().with(traces).with(lines.with_filter(filter));
    // Only a second call fails, and then the first one's lines are shown.
    let _second = subscriber.try_init();
}
