//! The last lines of each instance, whatever its generation.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use outrigger_transport::LogLine;
use tokio::sync::broadcast;

/// Lines that are kept of an instance, and their bytes all together.
const LINES: usize = 1_000;
const BYTES: usize = 256 * 1024;

/// Of one line, what is kept.
const LONGEST: usize = 4 * 1024;

/// Lines that whoever follows may fall behind.
const BEHIND: usize = 256;

/// A line of a plugin's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedLine {
    /// Counted from 1 for each instance.
    pub number: u64,
    /// When it was read.
    pub at: SystemTime,
    /// What it says; of a long one the first 4 KiB.
    pub line: Arc<LogLine>,
}

#[derive(Debug)]
struct Kept {
    lines: VecDeque<LoggedLine>,
    bytes: usize,
    last: u64,
}

/// The last lines of an instance: 1,000 and 256 KiB at most. A cheap clone.
#[derive(Clone)]
pub struct Logs {
    kept: Arc<Mutex<Kept>>,
    following: broadcast::Sender<LoggedLine>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logs")
    }
}

impl Default for Logs {
    fn default() -> Self {
        let kept = Kept { lines: VecDeque::new(), bytes: 0, last: 0 };
        let (following, _) = broadcast::channel(BEHIND);
        Self { kept: Arc::new(Mutex::new(kept)), following }
    }
}

impl Logs {
    /// The last lines, at most so many, the newest last.
    #[must_use]
    pub fn last(&self, lines: usize) -> Vec<LoggedLine> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.lines.len().saturating_sub(lines);
        kept.lines.iter().skip(first).cloned().collect()
    }

    /// Lines from now on. A reader that falls more than 256 behind is told how many
    /// it lost. To miss none, follow first, and then take the last ones: a line that
    /// is in both has the same number.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<LoggedLine> {
        self.following.subscribe()
    }

    /// Whether only its beginning was kept.
    pub(crate) fn push(&self, line: &LogLine) -> bool {
        let cut = line.message.len() > LONGEST || line.fields.len() > LONGEST;
        let mut line = line.clone();
        shorten(&mut line.message);
        shorten(&mut line.fields);
        let line = Arc::new(line);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        let logged = LoggedLine { number: kept.last, at: SystemTime::now(), line };
        kept.bytes += size(&logged);
        kept.lines.push_back(logged.clone());
        while kept.lines.len() > LINES || kept.bytes > BYTES {
            let Some(oldest) = kept.lines.pop_front() else { break };
            kept.bytes -= size(&oldest);
        }
        // Under the lock, so that they come in their order. Nobody needs to listen.
        let _unheard = self.following.send(logged);
        cut
    }
}

fn size(logged: &LoggedLine) -> usize {
    size_of::<LoggedLine>()
        + size_of::<LogLine>()
        + logged.line.message.len()
        + logged.line.fields.len()
}

fn shorten(text: &mut String) {
    let end = text.floor_char_boundary(LONGEST);
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(message: &str) -> LogLine {
        let (level, fields) = (tracing::Level::INFO, String::new());
        LogLine { level, message: message.to_owned(), fields }
    }

    #[test]
    fn the_last_thousand_lines_are_kept_within_a_budget_of_bytes() {
        let logs = Logs::default();
        for number in 0..1_500 {
            let _whole = logs.push(&line(&number.to_string()));
        }
        let kept = logs.last(usize::MAX);
        assert_eq!((kept.len(), kept[0].number), (1_000, 501));
        assert_eq!(logs.last(2)[1].line.message, "1499");
        for _ in 0..100 {
            assert!(logs.push(&line(&"é".repeat(10_000))));
        }
        let kept = logs.last(usize::MAX);
        assert!(kept.iter().all(|logged| logged.line.message.len() <= LONGEST));
        assert!(kept.len() * LONGEST <= BYTES, "{}", kept.len());
    }

    #[test]
    fn whoever_follows_gets_each_line_and_is_told_how_many_it_lost() {
        let logs = Logs::default();
        let mut following = logs.follow();
        assert!(!logs.push(&line("one")));
        assert_eq!(following.try_recv().unwrap().line.message, "one");
        for _ in 0..300 {
            let _whole = logs.push(&line("more"));
        }
        assert!(matches!(following.try_recv(), Err(broadcast::error::TryRecvError::Lagged(44))));
    }
}
