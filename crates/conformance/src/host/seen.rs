//! What one run showed, and the questions that cases ask of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fact::{Fact, Output, Speaks, Started, Tls};
use super::plugins::Plugin;
use super::process::HostEnd;
use crate::report::Verdict;

mod crash;
mod habits;
mod leftovers;

pub(crate) use habits::Habits;
pub(crate) use leftovers::Leftovers;

/// What a case finds: nothing to complain of, or another verdict.
pub(crate) type Outcome = Result<(), Verdict>;

/// Signs of the host's output that a verdict shows.
const SHOWN: usize = 240;

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Name and value that the host is to set.
    pub(crate) cookie: (String, String),
    /// Whether the host multiplexes.
    pub(crate) multiplex: bool,
    /// Whether the host does no TLS.
    pub(crate) plain: bool,
    /// What the host is said to speak.
    pub(crate) versions: Option<Vec<u32>>,
    /// How long it was allowed to take.
    pub(crate) limit: Duration,
    /// The path that it was given.
    pub(crate) plugin_path: PathBuf,
    /// What the kernel calls its standard streams.
    pub(crate) streams: [String; 3],
    /// What it was started with beside them, by whoever started the kit.
    pub(crate) inherited: Vec<String>,
    /// How it ended.
    pub(crate) end: HostEnd,
    /// What it started.
    pub(crate) plugins: Vec<Plugin>,
    /// What it left.
    pub(crate) left: Leftovers,
}

impl Seen {
    /// All that the first plugin told, and when.
    pub(crate) fn facts(&self) -> impl DoubleEndedIterator<Item = &(Duration, Fact)> {
        self.plugins.iter().take(1).flat_map(|plugin| &plugin.facts)
    }

    /// The first thing of its kind that the plugin told, and when.
    pub(crate) fn find<T>(&self, wanted: impl Fn(&Fact) -> Option<T>) -> Option<(Duration, T)> {
        let mut facts = self.facts();
        facts.find_map(|(at, fact)| wanted(fact).map(|found| (*at, found)))
    }

    /// How the plugin was started.
    pub(crate) fn started(&self) -> Result<&Started, Verdict> {
        let started = self.facts().find_map(|(_, fact)| match fact {
            Fact::Started(started) => Some(started),
            _ => None,
        });
        started.ok_or_else(|| self.failed("it did not start the plugin"))
    }

    /// A variable that the plugin was started with.
    pub(crate) fn variable(&self, name: &str) -> Result<Option<&str>, Verdict> {
        Ok(self.started()?.variable(name))
    }

    /// `PLUGIN_CLIENT_CERT`; a case about TLS does not apply without.
    pub(crate) fn certificate(&self) -> Result<&str, Verdict> {
        let pem = self.variable("PLUGIN_CLIENT_CERT")?.filter(|pem| !pem.is_empty());
        pem.ok_or_else(|| Verdict::not_applicable("it set no PLUGIN_CLIENT_CERT (see 1.7)"))
    }

    /// What the first connection spoke.
    pub(crate) fn speaks(&self) -> Result<Speaks, Verdict> {
        let speaks = self.find(|fact| match fact {
            Fact::Connected { speaks, .. } => Some(*speaks),
            _ => None,
        });
        speaks.map(|(_, speaks)| speaks).ok_or_else(|| self.failed("it did not connect"))
    }

    /// The host's side of TLS.
    pub(crate) fn tls(&self) -> Result<&Tls, Verdict> {
        self.certificate()?;
        if self.speaks()? != Speaks::Tls {
            return Err(Verdict::not_applicable("it spoke no TLS (see 4.1)"));
        }
        let tls = self.facts().find_map(|(_, fact)| match fact {
            Fact::Tls(tls) => Some(tls),
            _ => None,
        });
        tls.ok_or_else(|| self.failed("no TLS handshake was finished"))
    }

    /// The host began a TLS handshake, whatever became of it.
    pub(crate) fn spoke_tls(&self) -> Outcome {
        self.certificate()?;
        match self.speaks() {
            Ok(Speaks::Tls) | Err(_) => Ok(()),
            Ok(_) => Err(Verdict::not_applicable("it spoke no TLS (see 4.1)")),
        }
    }

    /// When a method was called first.
    pub(crate) fn called(&self, wanted: &str) -> Option<Duration> {
        let called = self.find(|fact| match fact {
            Fact::Call { path, .. } if path == wanted => Some(()),
            _ => None,
        });
        called.map(|(at, ())| at)
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, wanted: &str) -> usize {
        let of_it = |fact: &Fact| matches!(fact, Fact::Call { path, .. } if path == wanted);
        self.facts().filter(|(_, fact)| of_it(fact)).count()
    }

    /// It hosted the plugin: it ended in time and said that all went well.
    pub(crate) fn hosted(&self) -> Outcome {
        self.ended()?;
        if self.end.status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        Err(self.failed("it failed, though it should have hosted the plugin"))
    }

    /// It refused the plugin: it ended in time and said that it failed.
    pub(crate) fn refused(&self) -> Outcome {
        self.started()?;
        self.ended()?;
        if self.end.status.is_some_and(|status| status.success()) {
            return Err(self.failed("it took the plugin and exited with 0"));
        }
        Ok(())
    }

    /// It ended in time, well or not.
    pub(crate) fn ended(&self) -> Outcome {
        if self.end.status.is_some() {
            return Ok(());
        }
        let why = format!("it was still running after {} s", self.limit.as_secs());
        Err(self.failed(&why))
    }

    /// It ended within a time of this moment.
    pub(crate) fn ended_within(&self, limit: Duration, since: Duration, what: &str) -> Outcome {
        self.ended()?;
        let took = self.end.after.saturating_sub(since);
        if took <= limit {
            return Ok(());
        }
        let why = format!("it ended {:.1} s after {what}", took.as_secs_f64());
        Err(self.failed(&why))
    }

    /// Its output holds one word of each of these lists.
    pub(crate) fn says(&self, wanted: &[&[&str]]) -> Outcome {
        let output = self.end.output.to_lowercase();
        let missing = wanted
            .iter()
            .find(|words| !words.iter().any(|word| has_word(&output, &word.to_lowercase())));
        missing.map_or(Ok(()), |words| {
            Err(self.failed(&format!("its output does not name {}", words.join(" or "))))
        })
    }

    /// No plugin is left.
    pub(crate) fn no_plugin_left(&self) -> Outcome {
        if self.plugins.iter().all(|plugin| plugin.ended.is_some()) {
            return Ok(());
        }
        Err(Verdict::fail("the plugin's process was still there after the host had ended"))
    }

    /// No file or directory of the host's is left.
    pub(crate) fn nothing_left(&self) -> Outcome {
        let left = self.left.paths();
        let names = left.iter().map(|path| path.to_string_lossy());
        let names = names.collect::<Vec<_>>().join(", ");
        if left.is_empty() { Ok(()) } else { Err(Verdict::fail(format!("{names} was left"))) }
    }

    /// The plugin's socket was made in this directory.
    pub(crate) fn socket_was_made_in(&self, directory: &str) -> bool {
        let made = self.find(|fact| match fact {
            Fact::Listening { socket } => socket.clone(),
            _ => None,
        });
        made.is_none_or(|(_, socket)| socket.parent() == Some(Path::new(directory)))
    }

    /// All of an output was taken.
    pub(crate) fn drained(&self, output: Output) -> Outcome {
        self.started()?;
        let drained = self.find(|fact| match fact {
            Fact::Drained { what } if *what == output => Some(()),
            _ => None,
        });
        drained.map(|_| ()).ok_or_else(|| self.failed("the plugin was blocked: not all was read"))
    }

    /// A failure that shows how the host ended and what it said last.
    pub(crate) fn failed(&self, why: &str) -> Verdict {
        let status = match self.end.status {
            Some(status) => format!("{status}"),
            None => "killed by the kit".to_owned(),
        };
        let last = last_line(&self.end.output);
        Verdict::fail(format!("{why} ({status}; it said last: {last:?})"))
    }
}

/// Whether `text` holds `word` with no letter or digit beside it, if the word
/// begins and ends with one.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric();
    let alone = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let joins = |edge: Option<char>, beside: Option<char>| {
            edge.is_some_and(inside) && beside.is_some_and(inside)
        };
        !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
    };
    text.match_indices(word).any(|(at, _)| alone(at))
}

/// The end of the last line that says something.
fn last_line(output: &str) -> String {
    let line = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let skipped = line.chars().count().saturating_sub(SHOWN);
    line.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_an_output_is_found_only_as_a_whole() {
        assert!(has_word("version 2, not 1", "2"));
        assert!(!has_word("version 12", "2") && !has_word("2nd", "2"));
        assert!(has_word("`1|2|x`", "1|2") && !has_word("11|2", "1|2"));
        assert_eq!(last_line("a\nb \n\n"), "b ");
    }
}
