//! What is known of a generation that died.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_transport::ExitStatus;
use outrigger_types::{Generation, PluginVersion};

use crate::live::LostCalls;

/// Crashes that are kept for each instance.
const KEPT: usize = 10;

/// The number of SIGKILL.
const SIGKILL: i32 = 9;

/// One death of a serving generation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrashReport {
    /// When it was seen.
    pub at: SystemTime,
    /// The generation.
    pub generation: Generation,
    /// Its process.
    pub pid: Option<u32>,
    /// Its distribution's version.
    pub version: PluginVersion,
    /// How long it served.
    pub served: Duration,
    /// How its process ended; `None` for one that was found hanging, and killed.
    pub status: Option<ExitStatus>,
    /// Whether the kernel ended a process for lack of memory at that time, and
    /// this one by SIGKILL.
    pub out_of_memory: bool,
    /// Why it is taken for dead, in a few words.
    pub reason: Arc<str>,
    /// The end of its standard error, 4 KiB at most, on one line.
    pub last_words: String,
    /// Of that, what a panic, a fatal error or an exception said.
    pub panic: Option<String>,
    /// Calls that ended with it.
    pub calls: u64,
    /// The same by method, once their callers have heard of it.
    pub lost: LostCalls,
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generation, version, served, calls, reason, .. } = self;
        write!(f, "generation {generation} ({version}) served {served:.1?} and ended: {reason}")?;
        if self.out_of_memory {
            f.write_str(" (the kernel was out of memory)")?;
        }
        if let Some(panic) = &self.panic {
            write!(f, "; it said: {panic}")?;
        }
        if *calls > 0 {
            write!(f, "; {calls} calls ended with it")?;
            let lost = self.lost.by_method();
            let lost: Vec<_> =
                lost.iter().map(|(method, count)| format!("{count} {method}")).collect();
            if !lost.is_empty() {
                write!(f, " ({})", lost.join(", "))?;
            }
        }
        Ok(())
    }
}

/// The latest crashes of an instance, the newest last; a cheap clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crashes(Arc<VecDeque<CrashReport>>);

impl Crashes {
    /// From the oldest of the last ten to the newest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &CrashReport> {
        self.0.iter()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there was none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, report: CrashReport) {
        let kept = Arc::make_mut(&mut self.0);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(report);
    }
}

/// Processes that the kernel ended for lack of memory since the machine's start;
/// `None` where it does not tell.
pub(crate) fn out_of_memory_kills() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}

/// Whether a death is one for lack of memory.
pub(crate) fn is_out_of_memory(
    status: Option<ExitStatus>,
    before: Option<u64>,
    after: Option<u64>,
) -> bool {
    let killed = matches!(status, Some(ExitStatus::Signal { signal: SIGKILL, .. }));
    killed && matches!((before, after), (Some(before), Some(after)) if after > before)
}

/// How the last words of programs in several languages begin.
const PANICS: [&str; 5] =
    ["panicked at ", "panic: ", "fatal error: ", "Traceback (", "Exception in"];

/// What a panic, a fatal error or an exception said, of a text on one line.
pub(crate) fn panic_text(last_words: &str) -> Option<String> {
    /// Enough to see what it was.
    const LONGEST: usize = 300;
    let start = PANICS.iter().filter_map(|mark| last_words.find(mark)).min()?;
    Some(last_words[start..].chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(generation: u64) -> CrashReport {
        CrashReport {
            at: SystemTime::UNIX_EPOCH,
            generation: Generation(generation),
            pid: None,
            version: "1.0.0".parse().unwrap(),
            served: Duration::from_secs(1),
            status: None,
            out_of_memory: false,
            reason: "signal 9".into(),
            last_words: String::new(),
            panic: None,
            calls: 0,
            lost: LostCalls::default(),
        }
    }

    #[test]
    fn the_last_ten_crashes_are_kept() {
        let mut crashes = Crashes::default();
        let empty = crashes.clone();
        (1..=12).for_each(|generation| crashes.push(report(generation)));
        let kept: Vec<u64> = crashes.iter().map(|crash| crash.generation.0).collect();
        assert_eq!(kept, (3..=12).collect::<Vec<_>>());
        assert!(empty.is_empty(), "a clone is a picture of its time");
    }

    #[test]
    fn what_a_panic_said_is_found_in_the_last_words_of_several_languages() {
        for (words, expected) in [
            (
                "ready / thread 'main' panicked at src/main.rs:3:5: / boom",
                "panicked at src/main.rs:3:5: / boom",
            ),
            ("panic: boom / goroutine 1 [running]:", "panic: boom / goroutine 1 [running]:"),
            ("fatal error: out of memory", "fatal error: out of memory"),
            (
                "x / Traceback (most recent call last): / ValueError",
                "Traceback (most recent call last): / ValueError",
            ),
        ] {
            assert_eq!(panic_text(words).as_deref(), Some(expected));
        }
        assert_eq!(panic_text("all is well"), None);
        assert_eq!(
            panic_text(&format!("panic: {}", "é".repeat(5_000))).unwrap().chars().count(),
            300
        );
    }

    #[test]
    fn lack_of_memory_is_a_kill_while_the_kernel_counted_one() {
        let killed = Some(ExitStatus::Signal { signal: SIGKILL, core: false });
        assert!(is_out_of_memory(killed, Some(1), Some(2)));
        assert!(!is_out_of_memory(killed, Some(2), Some(2)));
        assert!(!is_out_of_memory(Some(ExitStatus::Code(1)), Some(1), Some(2)));
        assert!(!is_out_of_memory(killed, None, None));
    }
}
