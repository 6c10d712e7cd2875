//! What a line on a plugin's standard error says: a pure parser.
//!
//! go-plugin's plugins log hclog JSON there; others log text with a `[LEVEL]`
//! in front, or anything at all, or a panic. A plugin's text never becomes a
//! log line of the host's own: control characters are escaped, and fields stay
//! inside the one field that marks them as the plugin's.

use serde_json::{Map, Value};
use tracing::Level;

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) level: Level,
    pub(crate) message: String,
    /// Further keys of a JSON line, as JSON text; empty if there are none.
    pub(crate) fields: String,
}

/// Reads lines in order; a panic colours the plain lines that follow it.
#[derive(Debug, Default)]
pub(crate) struct LogParser {
    in_panic: bool,
}

impl LogParser {
    /// Reads one line without its line end.
    pub(crate) fn parse(&mut self, line: &str) -> LogLine {
        if let Some(parsed) = parse_json(line) {
            self.in_panic = false;
            return parsed;
        }
        let prefixed = prefix_level(line);
        self.in_panic = prefixed.is_none() && (self.in_panic || starts_panic(line));
        let plain = if self.in_panic { Level::ERROR } else { Level::DEBUG };
        LogLine { level: prefixed.unwrap_or(plain), message: escape(line), fields: String::new() }
    }
}

fn parse_json(line: &str) -> Option<LogLine> {
    if !line.starts_with('{') {
        return None;
    }
    let Value::Object(mut record) = serde_json::from_str(line).ok()? else { return None };
    let mut take = |key: &str| match record.remove(key) {
        Some(Value::String(text)) => Some(text),
        // A reserved key that is no text: not a record of hclog's.
        Some(_) => None,
        None => Some(String::new()),
    };
    let message = take("@message")?;
    let level = json_level(&take("@level")?)?;
    take("@timestamp")?;
    Some(LogLine { level, message: escape(&message), fields: fields(record) })
}

fn fields(record: Map<String, Value>) -> String {
    // JSON text escapes the control characters below 0x20 by itself.
    if record.is_empty() { String::new() } else { escape(&Value::Object(record).to_string()) }
}

fn json_level(text: &str) -> Option<Level> {
    let level = match text.to_ascii_lowercase().as_str() {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "info" => Level::INFO,
        "warn" => Level::WARN,
        "error" => Level::ERROR,
        _ => return None,
    };
    Some(level)
}

fn prefix_level(line: &str) -> Option<Level> {
    let prefixes = [
        ("[TRACE]", Level::TRACE),
        ("[DEBUG]", Level::DEBUG),
        ("[INFO]", Level::INFO),
        ("[WARN]", Level::WARN),
        ("[ERROR]", Level::ERROR),
    ];
    prefixes.into_iter().find(|(prefix, _)| line.starts_with(prefix)).map(|(_, level)| level)
}

fn starts_panic(line: &str) -> bool {
    let rust = || line.starts_with("thread '") && line.contains(" panicked at ");
    line.starts_with("panic: ") || line.starts_with("fatal error: ") || rust()
}

/// Escapes control characters; everything else stays as it is.
pub(crate) fn escape(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\t' => escaped.push('\t'),
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> (Level, String, String) {
        let LogLine { level, message, fields } = LogParser::default().parse(line);
        (level, message, fields)
    }

    #[test]
    fn hclog_records_keep_level_message_and_keys() {
        let line = r#"{"@level":"INFO","@message":"hi","@timestamp":"2026-11-21T10:00:00.000000Z","@module":"m","n":3}"#;
        assert_eq!(parse(line), (Level::INFO, "hi".into(), r#"{"@module":"m","n":3}"#.into()));
    }

    #[test]
    fn json_that_is_no_hclog_record_is_plain_text() {
        for line in [
            "[1,2]",
            "3",
            "null",
            r#"{"a":1}"#,
            r#"{"@level":"warning","@message":"x"}"#,
            r#"{"@level":3,"@message":"x"}"#,
            r#"{"@level":"info","@message":{}}"#,
            r#"{"@level":"info","@message":"x","@timestamp":7}"#,
            "{",
        ] {
            assert_eq!(parse(line), (Level::DEBUG, line.into(), String::new()), "{line}");
        }
    }

    #[test]
    fn a_level_in_brackets_counts_at_the_start_only() {
        assert_eq!(parse("[WARN] low").0, Level::WARN);
        assert_eq!(parse("[ERR] low").0, Level::DEBUG);
        assert_eq!(parse("x [WARN] low").0, Level::DEBUG);
    }

    #[test]
    fn a_panic_colours_its_stack_until_the_next_record() {
        for start in ["panic: boom", "fatal error: x", "thread 'main' panicked at src/main.rs:1:1:"]
        {
            let mut parser = LogParser::default();
            assert_eq!(parser.parse(start).level, Level::ERROR);
            assert_eq!(parser.parse("goroutine 1 [running]:").level, Level::ERROR);
            assert_eq!(parser.parse("[INFO] after").level, Level::INFO);
            assert_eq!(parser.parse("plain").level, Level::DEBUG);
        }
    }

    #[test]
    fn control_characters_cannot_forge_a_line() {
        let (_, message, fields) =
            parse("{\"@level\":\"info\",\"@message\":\"a\\nb\\u001b[31m\",\"k\":\"\\u0085\"}");
        assert_eq!(message, r"a\nb\u{1b}[31m");
        assert!(!fields.contains(char::is_control), "{fields:?}");
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic_or_forge(line in "\\PC*|.*|\\{.*\\}") {
            let parsed = LogParser::default().parse(&line);
            let forged = |c: char| c.is_control() && c != '\t';
            prop_assert!(!parsed.message.contains(forged));
            prop_assert!(!parsed.fields.contains(forged));
        }
    }
}
