//! Log lines as they stand beside each other in a terminal: who, level, text.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::show::prefix;

/// Everything that the plugin says, and of the host what is out of the ordinary.
const DEFAULT: &str = "warn,outrigger::plugin=trace";

/// The target of what a plugin logs.
const PLUGIN: &str = "outrigger::plugin";

/// Shows log lines on standard error; the plugin's bear its label.
pub(super) fn install(label: &str) {
    let filter = std::env::var("OUTRIGGER_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::try_new(filter.as_deref().unwrap_or(DEFAULT));
    let installed = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new(DEFAULT)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .event_format(Lines { label: label.to_owned() })
        .try_init();
    // Only a second call fails, and then the first one's lines are shown.
    drop(installed);
}

struct Lines {
    label: String,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        let colours = writer.has_ansi_escapes();
        let who = if event.metadata().target() == PLUGIN { &self.label } else { "outrigger" };
        let level = level(*event.metadata().level(), colours);
        writeln!(writer, "{} {level} {}{}", prefix(who, colours), said.message, said.fields)
    }
}

fn level(level: Level, colours: bool) -> String {
    let name = format!("{level:5}");
    if !colours {
        return name;
    }
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        _ => 35,
    };
    format!("\u{1b}[{colour}m{name}\u{1b}[0m")
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: String,
}

impl Said {
    fn take(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let written = match field.name() {
            "message" => write!(self.message, "{value}"),
            // Whose line it is, stands in front of it.
            "from" | "plugin" => Ok(()),
            "fields" => match value.to_string() {
                none if none.is_empty() => Ok(()),
                fields => write!(self.fields, " {fields}"),
            },
            name => write!(self.fields, " {name}={value}"),
        };
        // A string takes everything.
        debug_assert!(written.is_ok());
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, format_args!("{value}"));
    }
}
