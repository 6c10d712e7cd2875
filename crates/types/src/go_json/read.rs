//! From bytes to values.

use std::collections::BTreeMap;

use super::{GoJsonError, GoValue as Value, MAX_DEPTH};

/// Stands for what is no character.
const REPLACEMENT: char = '\u{fffd}';

pub(super) fn value(json: &[u8]) -> Result<Value, GoJsonError> {
    let mut reader = Reader { json, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error("more than one JSON value")),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    const fn error(&self, reason: &'static str) -> GoJsonError {
        GoJsonError { offset: self.at, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Takes `byte` if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, GoJsonError> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                Err(self.error("too many objects and arrays in each other"))
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.text().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.error("no JSON value")),
            None => Err(self.error("unexpected end of JSON input")),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, GoJsonError> {
        if !self.json[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("no JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, GoJsonError> {
        self.at += 1;
        let mut entries = BTreeMap::new();
        self.space();
        if self.take(b'}') {
            return Ok(Value::Object(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.error("no key in double quotes"));
            }
            let key = self.text()?;
            self.space();
            if !self.take(b':') {
                return Err(self.error("no `:` after a key"));
            }
            entries.insert(key, self.value(depth + 1)?);
            self.space();
            if self.take(b'}') {
                return Ok(Value::Object(entries));
            }
            if !self.take(b',') {
                return Err(self.error("neither `,` nor `}` after a value"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, GoJsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.error("neither `,` nor `]` after a value"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, GoJsonError> {
        let start = self.at;
        let _negative = self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let out_of_range = GoJsonError { offset: start, reason: "a number beyond float64" };
        // Only ASCII was taken, in the form that Rust reads too.
        let text = std::str::from_utf8(&self.json[start..self.at]).map_err(|_| out_of_range)?;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(out_of_range),
        }
    }

    fn digits(&mut self) -> Result<(), GoJsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.error("no digit in a number"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// A text; the quote that opens it comes next.
    fn text(&mut self) -> Result<String, GoJsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.json[self.at..];
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f));
            let Some(plain) = plain else {
                self.at = self.json.len();
                return Err(self.error("unexpected end of JSON input"));
            };
            push_plain(&mut out, &rest[..plain]);
            self.at += plain;
            if self.take(b'"') {
                return Ok(out);
            }
            if !self.take(b'\\') {
                return Err(self.error("a control character in a text"));
            }
            self.escape(&mut out)?;
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), GoJsonError> {
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                out.push(self.unicode()?);
                return Ok(());
            }
            Some(_) => return Err(self.error("an unknown escape in a text")),
            None => return Err(self.error("unexpected end of JSON input")),
        };
        self.at += 1;
        out.push(escaped);
        Ok(())
    }

    /// A character by its number, or by a pair of surrogates.
    fn unicode(&mut self) -> Result<char, GoJsonError> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(REPLACEMENT));
        }
        let back = self.at;
        if self.take(b'\\') && self.take(b'u') {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(REPLACEMENT));
            }
        }
        // What follows half a pair stands for itself.
        self.at = back;
        Ok(REPLACEMENT)
    }

    fn hex(&mut self) -> Result<u32, GoJsonError> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.error("no hexadecimal digit in an escape"))?;
            number = number * 16 + digit;
            self.at += 1;
        }
        Ok(number)
    }
}

/// Each byte that belongs to no character counts by itself, as in Go; Rust's
/// own replacement takes several together.
fn push_plain(out: &mut String, mut bytes: &[u8]) {
    loop {
        match std::str::from_utf8(bytes) {
            Ok(text) => return out.push_str(text),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                out.push_str(&String::from_utf8_lossy(valid));
                out.push(REPLACEMENT);
                bytes = &rest[1..];
            }
        }
    }
}
