//! A plugin's output: always drained, within bounds, never in the way of calls.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Level;

use crate::logs::{LogLine, escape};
use crate::spec::{LineSink, Origin, Output};

mod drain;
mod lines;

pub(crate) use drain::Drain;
pub(crate) use lines::{LONGEST_LINE, Lines, Reading};

/// A stream of a plugin's output.
pub(crate) type Pipe = Box<dyn AsyncRead + Send + Unpin>;

/// What is kept of standard error for error texts and crash reports.
const TAIL_BYTES: usize = 4 * 1024;

/// Past this much in one interval a plugin's output is slowed down.
const BUDGET_BYTES: usize = 8 * 1024 * 1024;
const BUDGET_INTERVAL: Duration = Duration::from_millis(125);

/// What is still read once a stream is to end: more than a pipe holds.
pub(crate) const LAST_BYTES: usize = 2 * 1024 * 1024;

/// How long nothing may come until a stream that is to end counts as read.
pub(crate) const QUIET: Duration = Duration::from_millis(20);

/// For a descendant that got away and trickles into the pipe.
const LAST_WAITS: Duration = Duration::from_millis(500);

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

/// Reads standard error to its end: lines to the log and to whoever wants them, an
/// exact copy to whoever wants that, the last of it to `tail`. Once `finish` is cancelled, what is there is read
/// and no more is waited for: a descendant may hold the pipe open for ever.
pub(crate) async fn drain_stderr(
    pipe: Pipe,
    origin: Arc<Origin>,
    tail: Tail,
    output: Output,
    finish: CancellationToken,
) {
    let mut lines = Lines::new(Reading::log());
    let take = |bytes: &[u8]| {
        tail.push(bytes);
        if let Some(copy) = &output.raw_stderr {
            copy(bytes);
        }
        lines.push(bytes, |line| log(&origin, line, output.lines.as_ref()));
    };
    read_out(pipe, &finish, take).await;
    lines.finish(|line| log(&origin, line, output.lines.as_ref()));
}

/// Reads standard output to its end and drops it: what a plugin prints there
/// past the handshake is no part of the protocol.
pub(crate) async fn drain_stdout(pipe: Pipe, finish: CancellationToken) {
    read_out(pipe, &finish, |_| {}).await;
}

async fn read_out(mut pipe: Pipe, finish: &CancellationToken, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; LONGEST_LINE];
    let mut throttle = Throttle::new();
    loop {
        let read = tokio::select! {
            biased;
            read = pipe.read(&mut buffer) => read,
            () = finish.cancelled() => break,
        };
        let Ok(read @ 1..) = read else { return };
        take(&buffer[..read]);
        tokio::select! {
            () = throttle.spend(read) => {}
            () = finish.cancelled() => {}
        }
    }
    let (mut bytes, mut waits) = (LAST_BYTES, LAST_WAITS);
    while bytes > 0 && !waits.is_zero() {
        let before = Instant::now();
        let Ok(Ok(read @ 1..)) = timeout(QUIET, pipe.read(&mut buffer)).await else { return };
        waits = waits.saturating_sub(before.elapsed());
        take(&buffer[..read]);
        bytes = bytes.saturating_sub(read);
    }
}

/// Reads what there is, waiting for the first byte; 0 at the end.
pub(crate) async fn read_some(pipe: &mut Pipe, buffer: &mut [u8]) -> io::Result<usize> {
    pipe.read(buffer).await
}

/// One log event of a plugin, marked as the plugin's.
pub(crate) fn log(origin: &Origin, line: &LogLine, lines: Option<&LineSink>) {
    if let Some(lines) = lines {
        lines(line);
    }
    macro_rules! event {
        ($level:ident) => {
            tracing::event!(
                target: "outrigger::plugin",
                Level::$level,
                from = "plugin",
                plugin = origin.plugin,
                interface = origin.interface,
                version = origin.version,
                generation = origin.generation.0,
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
mod tests;
