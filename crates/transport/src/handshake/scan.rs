//! Cuts a plugin's first output into lines, within a budget, until the one that
//! is the handshake.

use super::{looks_like_handshake, shorten};

/// Lines before the handshake that are logged and skipped.
const SKIPPED_LINES: usize = 64;

/// Bytes before the handshake that are logged and skipped.
const SKIPPED_BYTES: usize = 8 * 1024;

/// The longest handshake line: 8 KiB of certificate and the other fields.
const LONGEST_LINE: usize = 10 * 1024;

/// What a scan of new bytes found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// No handshake yet; read on.
    More,
    /// The handshake line. Bytes after it are dropped: nothing of the protocol
    /// follows on standard output.
    Line(String),
    /// The budget for other output is used up; this is its first line.
    Exhausted(String),
}

/// Collects standard output until the handshake line.
#[derive(Debug, Default)]
pub(crate) struct LineScanner {
    buffer: Vec<u8>,
    first: Option<String>,
    lines: usize,
    bytes: usize,
}

impl LineScanner {
    /// Takes new bytes; `skipped` is called for each line that is none.
    pub(crate) fn push(&mut self, bytes: &[u8], mut skipped: impl FnMut(&str)) -> Scanned {
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
            self.buffer.drain(..=end);
            if looks_like_handshake(&line) {
                return Scanned::Line(line);
            }
            self.lines += 1;
            self.bytes += end + 1;
            skipped(&shorten(&line));
            self.first.get_or_insert(line);
            if self.lines >= SKIPPED_LINES || self.bytes >= SKIPPED_BYTES {
                return self.exhausted();
            }
        }
        if self.buffer.len() > LONGEST_LINE { self.exhausted() } else { Scanned::More }
    }

    /// Takes the end of output: a last line may lack its line end.
    pub(crate) fn finish(self) -> Scanned {
        let last = String::from_utf8_lossy(&self.buffer).into_owned();
        if looks_like_handshake(&last) {
            return Scanned::Line(last);
        }
        Scanned::Exhausted(self.first.unwrap_or(last))
    }

    fn exhausted(&self) -> Scanned {
        let rest = || String::from_utf8_lossy(&self.buffer).into_owned();
        Scanned::Exhausted(self.first.clone().unwrap_or_else(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = "1|1|unix|/tmp/p|grpc|";

    fn scan(chunks: &[&[u8]]) -> Scanned {
        let mut scanner = LineScanner::default();
        for chunk in chunks {
            match scanner.push(chunk, |_| {}) {
                Scanned::More => {}
                found => return found,
            }
        }
        scanner.finish()
    }

    #[test]
    fn lines_before_the_handshake_are_skipped() {
        let text = format!("banner\n\nloading…\n{LINE}\nafter");
        assert_eq!(scan(&[text.as_bytes()]), Scanned::Line(LINE.into()));
    }

    #[test]
    fn a_line_may_come_one_byte_at_a_time() {
        let text = format!("banner\n{LINE}\n");
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(scan(&bytes), Scanned::Line(LINE.into()));
    }

    #[test]
    fn a_last_line_without_line_end_is_read_at_the_end_of_output() {
        assert_eq!(scan(&[LINE.as_bytes()]), Scanned::Line(LINE.into()));
    }

    #[test]
    fn too_many_lines_end_the_scan_with_the_first_one() {
        let text = "chatter\n".repeat(SKIPPED_LINES);
        assert_eq!(scan(&[text.as_bytes()]), Scanned::Exhausted("chatter".into()));
    }

    #[test]
    fn endless_output_without_a_line_end_is_cut_off() {
        let mut scanner = LineScanner::default();
        let found = (0..1_000).find_map(|_| match scanner.push(&[b'x'; 1024], |_| {}) {
            Scanned::More => None,
            found => Some(found),
        });
        assert!(matches!(found, Some(Scanned::Exhausted(_))));
        assert!(scanner.buffer.len() <= LONGEST_LINE + 1024);
    }

    #[test]
    fn silence_until_the_end_is_no_handshake() {
        assert_eq!(scan(&[]), Scanned::Exhausted(String::new()));
    }

    proptest! {
        #[test]
        fn how_output_is_cut_into_reads_does_not_matter(
            noise in "[a-z \n]{0,200}", size in 1usize..50,
        ) {
            let text = format!("{noise}\n{LINE}\n");
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(scan(&chunks), scan(&[text.as_bytes()]));
        }
    }
}
