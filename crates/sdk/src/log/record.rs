//! One record, from its parts to a line of JSON.

use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::Level;

use super::time::timestamp;

/// Hosts cut a line into pieces at 64 KiB and then take it for plain text.
const LONGEST_LINE: usize = 64 * 1024 - 1;

/// What is kept of each text of a record that is too long, in bytes. Each may
/// take six in JSON.
const SHORT_TEXT: usize = 4 * 1024;

/// Before a user's key that looks like one of the form's own. A Go host ends
/// with a panic where `@message`, `@level` or `@timestamp` is no text.
const PREFIX: &str = "field_";

/// A log record in the making.
#[derive(Debug)]
pub(super) struct Record {
    head: Map<String, Value>,
    fields: Map<String, Value>,
}

impl Record {
    pub(super) fn new(level: Level, module: &str, now: SystemTime) -> Self {
        let mut head = Map::new();
        head.insert("@level".to_owned(), level_name(level).into());
        head.insert("@message".to_owned(), "".into());
        head.insert("@module".to_owned(), module.into());
        head.insert("@timestamp".to_owned(), timestamp(now).into());
        Self { head, fields: Map::new() }
    }

    pub(super) fn message(&mut self, text: &str) {
        self.head.insert("@message".to_owned(), text.into());
    }

    pub(super) fn field(&mut self, name: &str, value: impl Into<Value>) {
        let name = if name.starts_with('@') { format!("{PREFIX}{name}") } else { name.to_owned() };
        self.fields.insert(name, value.into());
    }

    /// The line with its end, at most 64 KiB: where that is too little, the
    /// fields go and the message is cut.
    pub(super) fn into_line(self) -> String {
        let Self { head, fields } = self;
        let mut whole = head.clone();
        whole.extend(fields);
        let line = line(whole);
        if line.len() <= LONGEST_LINE { line } else { cut_line(head) }
    }
}

fn cut_line(mut head: Map<String, Value>) -> String {
    for text in head.values_mut() {
        if let Value::String(text) = text {
            *text = cut(text, SHORT_TEXT).to_owned();
        }
    }
    head.insert("truncated".to_owned(), true.into());
    line(head)
}

fn line(record: Map<String, Value>) -> String {
    let mut line = Value::Object(record).to_string();
    line.push('\n');
    line
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        _ => "trace",
    }
}

/// The start of a text, at most `limit` bytes and whole characters.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(Level::WARN, "my_plugin", SystemTime::UNIX_EPOCH)
    }

    fn parsed(record: Record) -> Value {
        let line = record.into_line();
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line}");
        assert!(line.len() <= LONGEST_LINE, "{}", line.len());
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_record_has_the_form_s_keys_and_its_fields() {
        let mut record = record();
        record.message("two\nlines");
        record.field("count", 3_u64);
        record.field("why", "\u{1b}[31m");
        let expected = serde_json::json!({
            "@level": "warn",
            "@message": "two\nlines",
            "@module": "my_plugin",
            "@timestamp": "1970-01-01T00:00:00.000000Z",
            "count": 3,
            "why": "\u{1b}[31m",
        });
        assert_eq!(parsed(record), expected);
    }

    #[test]
    fn a_field_never_overwrites_a_key_of_the_form() {
        let mut record = record();
        record.message("kept");
        for key in ["@message", "@level", "@timestamp", "@module"] {
            record.field(key, 1_u64);
        }
        let line = parsed(record);
        assert_eq!(line["@message"], "kept");
        assert_eq!(line["@level"], "warn");
        assert!(line["@timestamp"].is_string() && line["@module"] == "my_plugin");
        assert_eq!(line["field_@level"], 1);
    }

    #[test]
    fn a_record_that_is_too_long_is_cut_and_says_so() {
        for text in ["x".repeat(100_000), "\u{1}".repeat(100_000), "é".repeat(40_000)] {
            let mut long_message = record();
            long_message.message(&text);
            let line = parsed(long_message);
            assert_eq!(line["truncated"], true);
            assert!(text.starts_with(line["@message"].as_str().unwrap()));

            let mut long_field = record();
            long_field.message("kept");
            long_field.field("text", text);
            let line = parsed(long_field);
            assert_eq!((&line["@message"], &line["truncated"]), (&"kept".into(), &true.into()));
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_null() {
        let mut record = record();
        record.field("ratio", f64::NAN);
        assert!(parsed(record)["ratio"].is_null());
    }
}
