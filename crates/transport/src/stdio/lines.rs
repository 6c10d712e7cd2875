//! Lines out of a stream that is cut anywhere: in the middle of a line, of a
//! character, of a record.

use std::mem;

use tracing::Level;

use crate::logs::{LogLine, LogParser, escape};

/// A line of this many bytes or more is logged in pieces. go-plugin's figure.
pub(crate) const LONGEST_LINE: usize = 64 * 1024;

/// What the lines of a stream are.
#[derive(Debug)]
pub(crate) enum Reading {
    /// A log: records, levels in brackets, crashes.
    Log(LogParser),
    /// What a program prints, on the channel of this name.
    Prints(&'static str),
}

impl Reading {
    pub(crate) fn log() -> Self {
        Self::Log(LogParser::default())
    }
}

/// Joins pieces into lines and hands each on, read.
#[derive(Debug)]
pub(crate) struct Lines {
    reading: Reading,
    partial: Vec<u8>,
    /// The line under way has been handed on in part.
    overlong: bool,
}

impl Lines {
    pub(crate) const fn new(reading: Reading) -> Self {
        Self { reading, partial: Vec::new(), overlong: false }
    }

    /// Takes the next bytes; `line` gets every line that is complete, and the
    /// pieces of one that is too long to wait for its end.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&LogLine)) {
        while !bytes.is_empty() {
            let room = bytes.len().min(LONGEST_LINE - self.partial.len());
            if let Some(end) = bytes[..room].iter().position(|byte| *byte == b'\n') {
                self.partial.extend_from_slice(&bytes[..end]);
                bytes = &bytes[end + 1..];
                let mut whole = mem::take(&mut self.partial);
                if whole.last() == Some(&b'\r') {
                    whole.pop();
                }
                self.end(&whole, &mut line);
                continue;
            }
            self.partial.extend_from_slice(&bytes[..room]);
            bytes = &bytes[room..];
            if self.partial.len() == LONGEST_LINE {
                let rest = self.partial.split_off(boundary(&self.partial));
                let piece = mem::replace(&mut self.partial, rest);
                self.overlong = true;
                line(&self.piece(&piece));
            }
        }
    }

    /// Takes the end of the stream: a last line may lack its line end.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(&LogLine)) {
        if !self.partial.is_empty() {
            let whole = mem::take(&mut self.partial);
            self.end(&whole, &mut line);
        }
    }

    fn end(&mut self, bytes: &[u8], line: &mut impl FnMut(&LogLine)) {
        match (mem::take(&mut self.overlong), &mut self.reading) {
            // The last piece ended where the line did.
            (true, _) if bytes.is_empty() => {}
            (false, Reading::Log(parser)) => line(&parser.parse(&String::from_utf8_lossy(bytes))),
            _ => line(&self.piece(bytes)),
        }
    }

    /// Plain text, whatever it holds.
    fn piece(&self, bytes: &[u8]) -> LogLine {
        let fields = match self.reading {
            Reading::Log(_) => String::new(),
            Reading::Prints(channel) => format!("{{\"channel\":\"{channel}\"}}"),
        };
        LogLine { level: Level::DEBUG, message: escape(&String::from_utf8_lossy(bytes)), fields }
    }
}

/// Where to cut bytes so that no character is cut: at their end, or before the
/// last character if it is not whole.
fn boundary(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(4);
    let Some(start) = bytes[last..].iter().rposition(|byte| byte & 0xc0 != 0x80) else {
        return bytes.len();
    };
    let start = last + start;
    let whole = match bytes[start] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    if start > 0 && bytes.len() - start < whole { start } else { bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(reading: Reading, pieces: &[&[u8]]) -> Vec<LogLine> {
        let mut lines = Lines::new(reading);
        let mut seen = Vec::new();
        for piece in pieces {
            lines.push(piece, |line| seen.push(line.clone()));
        }
        lines.finish(|line| seen.push(line.clone()));
        seen
    }

    fn messages(reading: Reading, pieces: &[&[u8]]) -> Vec<String> {
        read(reading, pieces).into_iter().map(|line| line.message).collect()
    }

    #[test]
    fn lines_of_either_ending_and_a_last_one_without_are_read() {
        let text = b"one\r\ntwo\n\nlast\r";
        assert_eq!(messages(Reading::log(), &[text]), ["one", "two", "", r"last\r"]);
    }

    #[test]
    fn bytes_that_are_no_text_lose_no_line() {
        assert_eq!(messages(Reading::log(), &[b"a\xffb\nc"]), ["a\u{fffd}b", "c"]);
    }

    #[test]
    fn a_line_without_end_is_cut_into_pieces_and_not_kept() {
        let mut lines = Lines::new(Reading::log());
        let mut logged = 0;
        for _ in 0..100 {
            lines.push(&[b'x'; 10_000], |line| logged += line.message.len());
            assert!(lines.partial.len() < LONGEST_LINE);
        }
        assert!(lines.overlong);
        lines.push(b"\nshort\n", |line| logged += line.message.len());
        assert!(!lines.overlong && lines.partial.is_empty());
        assert_eq!(logged, 100 * 10_000 + "short".len());
    }

    #[test]
    fn a_record_just_under_the_limit_keeps_its_level_and_one_over_it_does_not() {
        let record = |length: usize| {
            let head = r#"{"@level":"error","@message":""#;
            let fill = "x".repeat(length - head.len() - 2);
            format!("{head}{fill}\"}}\n")
        };
        let levels = |length: usize| -> Vec<Level> {
            let text = record(length);
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(1_000).collect();
            read(Reading::log(), &pieces).into_iter().map(|line| line.level).collect()
        };
        assert_eq!(levels(LONGEST_LINE - 1), [Level::ERROR]);
        assert_eq!(levels(LONGEST_LINE + 2_000), [Level::DEBUG, Level::DEBUG]);
        // It ends where its only piece does.
        assert_eq!(levels(LONGEST_LINE), [Level::DEBUG]);
    }

    #[test]
    fn what_a_program_prints_is_plain_text_and_names_its_channel() {
        let seen = read(Reading::Prints("stdout"), &[b"[ERROR] x", b"y\n{}"]);
        let expected = |message: &str| LogLine {
            level: Level::DEBUG,
            message: message.into(),
            fields: r#"{"channel":"stdout"}"#.into(),
        };
        assert_eq!(seen, [expected("[ERROR] xy"), expected("{}")]);
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_does_not_matter(text in "\\PC{0,80}(\n\\PC{0,40}){0,6}", size in 1usize..9) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(read(Reading::log(), &pieces), read(Reading::log(), &[text.as_bytes()]));
        }

        #[test]
        fn a_long_line_is_never_cut_within_a_character(
            character in "[é€😀x]", shift in 0usize..4, size in 500usize..5_000,
        ) {
            let text = "x".repeat(shift) + &character.repeat(100_000);
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let seen = messages(Reading::Prints("stdout"), &pieces);
            prop_assert_eq!(seen.concat(), text);
        }
    }
}
