//! What is checked, and how.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Stands in a command for the plugin's path.
const PLACEHOLDER: &[u8] = b"{plugin}";

/// The host that is checked, and what is known of it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Program and arguments; `{plugin}` in an argument stands for the plugin's
    /// path, which otherwise comes last.
    pub command: Vec<OsString>,
    /// Name and value of the cookie that the host is to set.
    pub cookie: (String, String),
    /// The application versions that the host speaks, if that is to be checked.
    pub versions: Option<Vec<u32>>,
    /// The host does no TLS.
    pub plain: bool,
    /// The host multiplexes.
    pub multiplex: bool,
    /// For a run of the host.
    pub limit: Duration,
    /// For a run in which the host has to wait for its own start time.
    pub start_limit: Duration,
    /// The executable that is the fixture plugin when it is started with
    /// [`FIXTURE_COMMAND`](super::FIXTURE_COMMAND): the caller's own, as a rule.
    pub fixture: PathBuf,
}

/// Why a host could not be checked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no such case.
    #[error("no case, rule or section with cases is called `{0}`; list them all to see which are")]
    NoSuchCase(String),
    /// No command.
    #[error("name the host's command after `--`")]
    NoCommand,
    /// It did not start.
    #[error("{program} could not be started; check the command after `--`", program = program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A plugin that does nothing wrong was not hosted.
    #[error(
        "the command does not host a plugin that does nothing wrong, so nothing can be said of \
         it: {why}. It has to start the plugin that it is given, make a call, stop it, and exit \
         with 0; its output ended with: {output:?}"
    )]
    NotHosted {
        /// What was missing.
        why: String,
        /// The end of what the command printed.
        output: String,
    },
    /// Directory, socket or script of a case could not be made.
    #[error("a case could not be set up; check the temporary directory's space and permissions")]
    Setup(#[from] io::Error),
}

impl Subject {
    /// The command line for a report.
    pub(crate) fn name(&self) -> String {
        let words = self.command.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Program and arguments for one run.
    pub(crate) fn command_for(&self, plugin: &Path) -> Result<Vec<OsString>, CheckError> {
        if self.command.is_empty() {
            return Err(CheckError::NoCommand);
        }
        let mut named = false;
        let words = self.command.iter().map(|word| {
            let (word, replaced) = replaced(word, plugin.as_os_str());
            named |= replaced;
            word
        });
        let mut words: Vec<OsString> = words.collect();
        if !named {
            words.push(plugin.as_os_str().to_owned());
        }
        Ok(words)
    }
}

/// `word` with the placeholder replaced, and whether there was one.
fn replaced(word: &OsStr, plugin: &OsStr) -> (OsString, bool) {
    let (mut out, mut rest, mut found) = (Vec::new(), word.as_bytes(), false);
    while let Some(at) = rest.windows(PLACEHOLDER.len()).position(|part| part == PLACEHOLDER) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(plugin.as_bytes());
        rest = &rest[at + PLACEHOLDER.len()..];
        found = true;
    }
    out.extend_from_slice(rest);
    (OsString::from_vec(out), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Vec<OsString> {
        let subject = Subject {
            command: words.iter().map(OsString::from).collect(),
            cookie: (String::new(), String::new()),
            versions: None,
            plain: false,
            multiplex: false,
            limit: Duration::ZERO,
            start_limit: Duration::ZERO,
            fixture: PathBuf::new(),
        };
        subject.command_for(Path::new("/p")).unwrap()
    }

    #[test]
    fn the_plugin_stands_where_the_command_names_it_or_comes_last() {
        assert_eq!(command(&["host", "-x"]), ["host", "-x", "/p"]);
        assert_eq!(command(&["host", "{plugin}", "-x"]), ["host", "/p", "-x"]);
        assert_eq!(command(&["sh", "-c", "h {plugin};h {plugin}"]), ["sh", "-c", "h /p;h /p"]);
    }
}
