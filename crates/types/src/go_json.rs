//! JSON as Go's `encoding/json` writes what it has read: the form in which
//! GoQuorum hands a plugin its config.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

/// How deeply objects and arrays may nest.
const MAX_DEPTH: usize = 128;

/// Why a text has no such form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoJsonError {
    /// It is not JSON. No part of it is shown, since it may be a secret.
    #[error("it is not JSON: {0}")]
    Syntax(String),
    /// A number is too large for a float of 64 bits.
    #[error("a number in it is too large")]
    Number,
    /// It nests too deeply.
    #[error("more than {MAX_DEPTH} objects and arrays stand in each other")]
    Depth,
}

/// Writes a JSON text anew as Go would: keys sorted, of equal ones the last; no
/// spaces; `<`, `>` and `&` escaped; numbers through a float of 64 bits, so that
/// `1.0` becomes `1` and `12345678901234567890` becomes `12345678901234567000`.
/// Rust's shortest digits are Go's.
///
/// # Errors
///
/// [`GoJsonError`].
pub fn go_json(text: &str) -> Result<String, GoJsonError> {
    let value: &RawValue = parse(text)?;
    let mut out = String::with_capacity(text.len());
    write_value(value.get(), MAX_DEPTH, &mut out)?;
    Ok(out)
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, GoJsonError> {
    serde_json::from_str(text).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "it ends too early",
            _ => "it is malformed",
        };
        let (line, column) = (error.line(), error.column());
        GoJsonError::Syntax(format!("{kind} at line {line}, column {column}"))
    })
}

fn write_value(text: &str, depth: usize, out: &mut String) -> Result<(), GoJsonError> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let depth = depth.checked_sub(1).ok_or(GoJsonError::Depth)?;
            let entries: BTreeMap<String, &RawValue> = parse(text)?;
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_value(value.get(), depth, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let depth = depth.checked_sub(1).ok_or(GoJsonError::Depth)?;
            let items: Vec<&RawValue> = parse(text)?;
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(item.get(), depth, out)?;
            }
            out.push(']');
        }
        Some(b'"') => write_text(&parse::<String>(text)?, out),
        Some(b'-' | b'0'..=b'9') => write_number(text, out)?,
        _ => out.push_str(text),
    }
    Ok(())
}

fn write_number(text: &str, out: &mut String) -> Result<(), GoJsonError> {
    let number: f64 = text.parse().map_err(|_| GoJsonError::Number)?;
    if !number.is_finite() {
        return Err(GoJsonError::Number);
    }
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let digits = format!("{number:e}");
        match digits.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                out.push_str(digits);
                out.push_str("e+");
                out.push_str(exponent);
            }
            _ => out.push_str(&digits),
        }
    } else {
        // Writing to a string cannot fail.
        let _written = write!(out, "{number}");
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _written = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_written_as_go_writes_it() {
        // The right column is what Go's encoding/json printed.
        for (text, expected) in [
            (r#" { "b" : 1 , "a" : [ true, null ] } "#, r#"{"a":[true,null],"b":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#""<a href='x'>&""#, r#""\u003ca href='x'\u003e\u0026""#),
            ("\"\u{2028}\u{2029}\u{7f}\"", "\"\\u2028\\u2029\u{7f}\""),
            (r#""\u0041\n\r\t\"\\\/\u0001""#, r#""A\n\r\t\"\\/\u0001""#),
            ("1.0", "1"),
            ("-0", "-0"),
            ("12345678901234567890", "12345678901234567000"),
            ("100000000000000000000", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.5e300", "1.5e+300"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-2.5E-9", "-2.5e-9"),
            ("0.1", "0.1"),
            ("123456.789", "123456.789"),
            ("[]", "[]"),
            ("{}", "{}"),
            ("\"\u{e9}\u{1f600}\"", "\"\u{e9}\u{1f600}\""),
        ] {
            assert_eq!(go_json(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_go_would_not_read_is_refused_and_never_shown() {
        assert_eq!(go_json("1e400"), Err(GoJsonError::Number));
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(go_json(&deep).is_err());
        for text in ["", "{", "{\"secret\":hunter2}", "[1,]", "{\"a\":1} x"] {
            let error = go_json(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn writing_twice_changes_nothing(number: f64, text in ".*", deep in 0_usize..20) {
            prop_assume!(number.is_finite());
            let text = serde_json::to_string(&text).unwrap();
            let json = format!("{}[{number:?},{text}]{}", "[".repeat(deep), "]".repeat(deep));
            let once = go_json(&json).unwrap();
            prop_assert_eq!(go_json(&once).unwrap(), once);
        }
    }
}
