//! What a line on a plugin's standard error says: a pure parser.
//!
//! go-plugin's plugins log hclog JSON there; others log text with a `[LEVEL]`
//! in front, or anything at all, or a panic. A plugin's text never becomes a
//! log line of the host's own: control characters are escaped, and fields stay
//! inside the one field that marks them as the plugin's.

use serde_json::{Map, Value};
use tracing::Level;

/// A line that a plugin wrote, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The plugin's own level; `DEBUG` for a line without one, `ERROR` for one of a
    /// panic.
    pub level: Level,
    /// What it says, control characters escaped.
    pub message: String,
    /// Further keys of a JSON line, as JSON text; empty if there are none.
    pub fields: String,
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
    if record.is_empty() {
        return String::new();
    }
    // JSON text escapes the characters below 0x20 by itself, and the rest of it
    // stays JSON.
    let text = Value::Object(record).to_string();
    escape_with(&text, |c, escaped| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    })
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

/// Escapes what could make a line look like two, or like another one; all else
/// stays as it is.
pub(crate) fn escape(text: &str) -> String {
    escape_with(text, |c, escaped| escaped.extend(c.escape_default()))
}

fn escape_with(text: &str, write: impl Fn(char, &mut String)) -> String {
    if !text.contains(deceives) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if deceives(character) { write(character, &mut escaped) } else { escaped.push(character) }
    }
    escaped
}

/// Whether a character ends a line, moves a terminal's cursor, or changes the
/// direction of what stands beside it.
fn deceives(c: char) -> bool {
    let separator = matches!(c, '\u{2028}' | '\u{2029}');
    let direction = matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    (c.is_control() && c != '\t') || separator || direction
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
        assert_eq!(fields, r#"{"k":"\u0085"}"#);
    }

    #[test]
    fn separators_and_changes_of_direction_are_escaped_in_text_keys_and_values() {
        let strange = "\u{85}\u{2028}\u{2029}\u{202e}\u{2066}\u{200f}\u{61c}\u{7f}";
        let (_, message, _) = parse(strange);
        assert!(!message.contains(deceives), "{message:?}");
        assert_eq!(message.matches('\\').count(), strange.chars().count());
        let record = serde_json::json!({ "@level": "warn", "@message": strange, strange: strange });
        let (level, message, fields) = parse(&record.to_string());
        assert_eq!(level, Level::WARN);
        assert!(!message.contains(deceives) && !fields.contains(deceives), "{fields:?}");
        let back: Value = serde_json::from_str(&fields).unwrap();
        assert_eq!(back[strange], strange);
    }

    /// What a Go host takes for strings unchecked, and other lines that have
    /// ended hosts.
    #[test]
    fn strange_records_are_text_or_records_and_never_the_end_of_the_host() {
        let deep = format!(
            "{{\"@level\":\"info\",\"@message\":\"x\",\"k\":{}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        let stamped = |digits: &str| {
            format!(
                r#"{{"@level":"error","@message":"m","@timestamp":"2026-11-21T10:00:00.{digits}Z"}}"#
            )
        };
        let rows: &[(&str, Level)] = &[
            (&stamped("123"), Level::ERROR),
            (&stamped("123456"), Level::ERROR),
            (&stamped("123456789"), Level::ERROR),
            (r#"{"@level":"info","@message":"x","n":12345678901234567890123}"#, Level::INFO),
            (r#"{"@level":"error","@message":null}"#, Level::DEBUG),
            (r#"{"@level":"error","@message":"x","@timestamp":null}"#, Level::DEBUG),
            (r#"{"@level":["error"],"@message":"x"}"#, Level::DEBUG),
            (r#"{"@level":"error","@message":"x","n":1e999}"#, Level::DEBUG),
            (r#"{"@level":"error","@message":"x"} trailing"#, Level::DEBUG),
            (r#"{"@level":"error","@message":"\ud800"}"#, Level::DEBUG),
            (&deep, Level::DEBUG),
            ("null", Level::DEBUG),
            ("\u{fffd}", Level::DEBUG),
        ];
        for (line, level) in rows {
            assert_eq!(parse(line).0, *level, "{line:.100}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic_or_forge(line in "\\PC*|.*|\\{.*\\}") {
            let parsed = LogParser::default().parse(&line);
            prop_assert!(!parsed.message.contains(deceives));
            prop_assert!(!parsed.fields.contains(deceives));
        }

        #[test]
        fn any_record_keeps_its_level_and_its_fields(
            message in any::<String>(),
            level in "trace|debug|info|warn|error|WARN",
            key in any::<String>().prop_filter("reserved", |key| !key.starts_with('@')),
            value in any::<String>(),
        ) {
            let record = serde_json::json!({ "@level": level, "@message": message, &key: value });
            let parsed = LogParser::default().parse(&record.to_string());
            prop_assert_eq!(Some(parsed.level), json_level(&level));
            prop_assert!(!parsed.message.contains(deceives));
            prop_assert!(!parsed.fields.contains(deceives));
            let fields: Value = serde_json::from_str(&parsed.fields).unwrap();
            prop_assert_eq!(&fields[&key], &Value::String(value));
        }
    }
}
