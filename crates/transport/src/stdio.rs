//! A plugin's output: always drained, within bounds, never in the way of calls.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::time::Instant;
use tracing::Level;

use crate::logs::{LogLine, LogParser, escape};

/// A line longer than this is logged in pieces. go-plugin's figure.
const LONGEST_LINE: usize = 64 * 1024;

/// What is kept of standard error for error texts and crash reports.
const TAIL_BYTES: usize = 4 * 1024;

/// Past this much in one interval a plugin's output is slowed down.
const BUDGET_BYTES: usize = 8 * 1024 * 1024;
const BUDGET_INTERVAL: Duration = Duration::from_millis(125);

/// The last 4 KiB that a plugin wrote to standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..surplus);
    }

    /// The text on one line: control characters escaped, lines joined by ` / `.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(escape).collect::<Vec<_>>().join(" / ")
    }
}

/// Slows a flood down to 64 MiB/s and never stops it.
#[derive(Debug)]
pub(crate) struct Throttle {
    until: Instant,
    left: usize,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + BUDGET_INTERVAL, left: BUDGET_BYTES }
    }

    pub(crate) async fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        if self.left > 0 {
            return;
        }
        tokio::time::sleep_until(self.until).await;
        *self = Self::new();
    }
}

/// Reads standard error to its end: lines to the log, the last of it to `tail`.
pub(crate) async fn drain_stderr(mut pipe: Receiver, plugin: Arc<str>, tail: Tail) {
    let mut lines = Lines::new(plugin);
    let mut buffer = vec![0; LONGEST_LINE];
    let mut throttle = Throttle::new();
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        tail.push(&buffer[..read]);
        lines.push(&buffer[..read]);
        throttle.spend(read).await;
    }
    lines.finish();
}

/// Reads standard output to its end and drops it: what a plugin prints there
/// past the handshake is no part of the protocol.
pub(crate) async fn drain_stdout(mut pipe: Receiver) {
    let mut buffer = vec![0; 16 * 1024];
    let mut throttle = Throttle::new();
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        throttle.spend(read).await;
    }
}

/// Reads what there is, waiting for the first byte; 0 at the end.
pub(crate) async fn read_some(pipe: &mut Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    pipe.read(buffer).await
}

struct Lines {
    plugin: Arc<str>,
    parser: LogParser,
    partial: Vec<u8>,
    overlong: bool,
}

impl Lines {
    fn new(plugin: Arc<str>) -> Self {
        Self { plugin, parser: LogParser::default(), partial: Vec::new(), overlong: false }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(&bytes[..end]);
            self.flush();
            self.overlong = false;
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() >= LONGEST_LINE {
            self.overlong = true;
            self.flush();
        }
    }

    fn finish(&mut self) {
        if !self.partial.is_empty() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.partial);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        if self.overlong {
            log(
                &self.plugin,
                &LogLine { level: Level::DEBUG, message: escape(text), fields: String::new() },
            );
        } else {
            log(&self.plugin, &self.parser.parse(text));
        }
    }
}

/// One log event of a plugin, marked as the plugin's.
pub(crate) fn log(plugin: &str, line: &LogLine) {
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "outrigger::plugin",
                Level::$level,
                from = "plugin",
                plugin,
                fields = line.fields,
                "{}",
                line.message
            )
        };
    }
    match line.level {
        Level::ERROR => event!(ERROR),
        Level::WARN => event!(WARN),
        Level::INFO => event!(INFO),
        Level::DEBUG => event!(DEBUG),
        _ => event!(TRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_the_end_and_one_line() {
        let tail = Tail::default();
        tail.push(&[b'x'; 10_000]);
        tail.push(b"\nlast\r\nwords\n");
        let text = tail.text();
        assert!(text.ends_with("x / last / words"), "{text}");
        assert!(text.len() <= TAIL_BYTES + 6);
    }

    #[test]
    fn a_line_without_end_is_cut_into_pieces_and_not_kept() {
        let mut lines = Lines::new("p".into());
        for _ in 0..100 {
            lines.push(&[b'x'; 10_000]);
            assert!(lines.partial.len() < LONGEST_LINE);
        }
        assert!(lines.overlong);
        lines.push(b"\nshort\n");
        assert!(!lines.overlong && lines.partial.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_slowed_to_64_mib_a_second_and_goes_on() {
        let mut throttle = Throttle::new();
        let start = Instant::now();
        for _ in 0..(256 * 16) {
            throttle.spend(64 * 1024).await;
        }
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(3_900) && took <= Duration::from_millis(4_100),
            "{took:?}"
        );
    }
}
