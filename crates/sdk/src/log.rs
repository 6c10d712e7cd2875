//! The plugin's log, in the form that hosts read: one JSON object a line on
//! standard error, as Go's hclog writes it.
//!
//! Write with `tracing`'s macros. An event's message, level and target become
//! `@message`, `@level` and `@module`; its fields follow as keys. Spans are not
//! part of the form and are left out.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::panic::PanicHookInfo;
use std::time::SystemTime;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::stderr;
use record::Record;

mod record;
mod time;

/// A stack trace longer than this is cut, in bytes.
const LONGEST_TRACE: usize = 16 * 1024;

/// Go's hosts read numbers as floating-point ones, in which larger integers are
/// rounded. Those are written as texts.
const EXACT: u64 = 1 << 53;

/// Sends log and panics to the host: a global subscriber with [`Hclog`], unless
/// the program has set one, and a panic hook that writes one error record in
/// place of Rust's own text, which hosts take for debug output.
///
/// The variable `RUST_LOG` filters (`debug`, `my_plugin=trace,h2=warn`);
/// without it `info` and above are written, and the host filters again.
pub fn install() {
    install_with(None::<tracing_subscriber::layer::Identity>);
}

/// The same, with a further layer.
pub(crate) fn install_with(further: Option<impl Layer<Registry> + Send + Sync>) {
    std::panic::set_hook(Box::new(write_panic));
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let log = Hclog::default().with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(further).with(log);
    // The program's own, if it has one, stays.
    let _present = tracing::subscriber::set_global_default(subscriber);
}

/// Writes one record as it is, past every filter: for fields whose names are
/// known only at run time, and for values that `tracing` has no form for, such
/// as lists. Fields never replace the record's own keys. Whatever goes wrong is
/// ignored.
pub fn record<N, V>(
    level: Level,
    module: &str,
    message: &str,
    fields: impl IntoIterator<Item = (N, V)>,
) where
    N: AsRef<str>,
    V: Into<Value>,
{
    let mut record = Record::new(level, module, SystemTime::now());
    record.message(message);
    for (name, value) in fields {
        record.field(name.as_ref(), value);
    }
    write(record);
}

/// A layer that writes each event to standard error. Whatever goes wrong in
/// writing is ignored: a plugin does not end because nobody reads its log.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Hclog {}

impl<S: Subscriber> Layer<S> for Hclog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut record = Record::new(*metadata.level(), metadata.target(), SystemTime::now());
        event.record(&mut Visitor(&mut record));
        write(record);
    }
}

/// One write for the whole line, so that lines of threads and of child
/// processes do not mix.
fn write(record: Record) {
    stderr::write(&record.into_line());
}

fn write_panic(panic: &PanicHookInfo<'_>) {
    let record = |level, message: &str| {
        let mut record = Record::new(level, "panic", SystemTime::now());
        record.message(message);
        record
    };
    // Captured only where RUST_BACKTRACE asks for it, and written first: what
    // a host keeps of a plugin's last words is to end with the panic itself.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        write(record(Level::DEBUG, record::cut(&trace.to_string(), LONGEST_TRACE)));
    }
    let what = panic.payload_as_str().unwrap_or("a value that is no text");
    let mut record = record(Level::ERROR, &format!("panic: {what}"));
    if let Some(location) = panic.location() {
        record.field("location", location.to_string());
    }
    if let Some(thread) = std::thread::current().name() {
        record.field("thread", thread);
    }
    write(record);
}

struct Visitor<'a>(&'a mut Record);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.0.message(value),
            name => self.0.field(name, value),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.field(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if value.unsigned_abs() > EXACT {
            return self.0.field(field.name(), value.to_string());
        }
        self.0.field(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if value > EXACT {
            return self.0.field(field.name(), value.to_string());
        }
        self.0.field(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.field(field.name(), value);
    }
}
