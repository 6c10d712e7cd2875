//! What can go wrong between a verified program and a connection to it.
//!
//! The texts start in lower case and finish the sentence "plugin `x`: …"; the
//! crate above names the plugin.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use outrigger_types::Sha256Digest;

use crate::handshake::HandshakeError;
use crate::identity::IdentityError;
use crate::process::ExitStatus;

mod connect;
mod evidence;

pub use connect::ConnectError;
pub use evidence::Evidence;

/// Why a plugin could not be launched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The private run directory could not be made.
    #[error("no private directory could be made in {}: {source}; check its owner, its mode and the space on its disk", path.display())]
    RunDir {
        /// The parent directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The run directory's path leaves no room for a socket's name.
    #[error("the run directory {} is too long for sockets ({} bytes, at most {limit}); set `runDir` to a shorter one", path.display(), path.as_os_str().len())]
    RunDirTooLong {
        /// The private directory.
        path: PathBuf,
        /// The longest that works, in bytes.
        limit: usize,
    },
    /// No identity could be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The host's TLS configuration is impossible.
    #[error("no TLS configuration could be made: {0}")]
    TlsConfig(#[from] rustls::Error),
    /// The system refused to start a process.
    #[error("{} could not be started: {source}", program.display())]
    Spawn {
        /// The launcher, or the plugin where there is none.
        program: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The launcher did not do its part.
    #[error("the launcher failed: {reason}")]
    Launcher {
        /// What it said, or what is missing.
        reason: String,
    },
    /// The program could not be executed.
    #[error("it could not be executed: {source}; {}{evidence}", exec_hint(.source))]
    Exec {
        /// The system's words.
        source: io::Error,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// The program's file has another digest than it must have.
    #[error("{} has the SHA-256 {found}, and {expected} was expected: it was changed, or is another build; it was not started", program.display())]
    ChecksumMismatch {
        /// The program.
        program: PathBuf,
        /// The digest that it must have.
        expected: Sha256Digest,
        /// The digest that it has.
        found: Sha256Digest,
    },
    /// The program's file cannot be read for its digest.
    #[error("the checksum of {} could not be taken: {source}; it was not started", program.display())]
    Checksum {
        /// The program.
        program: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The sockets' directory cannot be given to the group.
    #[error(
        "the socket group `{group}` cannot be used: {reason}; this process must be a member of it"
    )]
    SocketGroup {
        /// The group as it was named.
        group: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The ports for a plugin on TCP are no range.
    #[error("the ports {first} to {last} are no range; the first must not be above the last")]
    Ports {
        /// The first one.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// The runner did not start the program.
    #[error("the runner could not start it: {source}")]
    Runner {
        /// The runner's words.
        source: io::Error,
    },
    /// Settings that exclude each other.
    #[error("{what}; leave out one of the two")]
    Excluded {
        /// Which, and why.
        what: &'static str,
    },
    /// The process that is to be attached to is not there.
    #[error("process not found: {reason}; nothing was stopped or killed")]
    ProcessNotFound {
        /// What is missing.
        reason: String,
    },
    /// The process ended before it printed a handshake line.
    #[error("it ended ({status}) before it printed a handshake line{evidence}")]
    ExitedEarly {
        /// How it ended.
        status: ExitStatus,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// The handshake line cannot be used.
    #[error("{source}{evidence}")]
    Handshake {
        /// What is wrong with it.
        source: HandshakeError,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// The plugin prints, but no handshake line is among it.
    #[error(
        "it printed `{seen}` and no handshake line; it is no go-plugin plugin, or it logs to standard output{evidence}"
    )]
    NoHandshake {
        /// The first line that it printed.
        seen: String,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// Its standard output ended without a handshake line, and it did not.
    #[error(
        "it closed its standard output before it printed a handshake line, and still runs; it is no go-plugin plugin, or it detaches itself{evidence}"
    )]
    OutputEnded {
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// No handshake line came in time.
    #[error(
        "it printed no handshake line within {within:?}; it hangs, or it is no plugin; raise `timeouts.start` if it needs longer{evidence}"
    )]
    TimedOut {
        /// The limit.
        within: Duration,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// The plugin does not do mutual TLS.
    #[error(
        "it sent no certificate, though the host asked for mutual TLS; the plugin is too old, or was built without AutoMTLS{evidence}"
    )]
    NoCertificate {
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// The plugin does mutual TLS of its own accord.
    #[error(
        "it sent a certificate, though the host did not ask for mutual TLS by handshake; let the host ask for it (AutoMTLS), or the plugin serve what both were given{evidence}"
    )]
    UnaskedCertificate {
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
    /// No connection to the plugin.
    #[error("{source}{evidence}")]
    Connect {
        /// Why.
        source: ConnectError,
        /// What is known of the program.
        evidence: Box<Evidence>,
    },
}

impl LaunchError {
    /// Whether another try with the same program must fail too.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Handshake { .. }
            | Self::NoCertificate { .. }
            | Self::UnaskedCertificate { .. }
            | Self::ChecksumMismatch { .. }
            | Self::Excluded { .. }
            | Self::SocketGroup { .. }
            | Self::Ports { .. }
            | Self::RunDirTooLong { .. } => true,
            Self::Exec { source, .. } => matches!(
                source.raw_os_error().map(rustix::io::Errno::from_raw_os_error),
                Some(
                    rustix::io::Errno::NOEXEC
                        | rustix::io::Errno::NOENT
                        | rustix::io::Errno::ACCESS
                        | rustix::io::Errno::NOTDIR
                )
            ),
            _ => false,
        }
    }
}

impl LaunchError {
    /// Whether what the system knows of the program may say why.
    pub(crate) const fn wants_notes(&self) -> bool {
        matches!(
            self,
            Self::Exec { .. }
                | Self::ExitedEarly { .. }
                | Self::NoHandshake { .. }
                | Self::OutputEnded { .. }
                | Self::TimedOut { .. }
        )
    }

    /// Adds what the system, or a runner, knows of the program.
    pub(crate) fn noted(mut self, notes: String) -> Self {
        if let Self::Exec { evidence, .. }
        | Self::ExitedEarly { evidence, .. }
        | Self::NoHandshake { evidence, .. }
        | Self::OutputEnded { evidence }
        | Self::TimedOut { evidence, .. } = &mut self
        {
            evidence.notes = notes;
        }
        self
    }
}

fn exec_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOEXEC) => "it is built for another machine, or is no program",
        Some(rustix::io::Errno::NOENT) => {
            "it, its script interpreter or its dynamic loader is missing"
        }
        Some(rustix::io::Errno::ACCESS) => {
            "it is not executable, or its directory is mounted noexec"
        }
        Some(rustix::io::Errno::TXTBSY) => "somebody holds it open for writing",
        _ => "see the system's words",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(errno: rustix::io::Errno) -> LaunchError {
        let source = io::Error::from_raw_os_error(errno.raw_os_error());
        LaunchError::Exec { source, evidence: Box::default() }
    }

    #[test]
    fn an_executable_for_another_machine_is_permanent_and_says_so() {
        let error = exec(rustix::io::Errno::NOEXEC);
        assert!(error.is_permanent());
        assert!(error.to_string().contains("built for another machine"), "{error}");
    }

    #[test]
    fn a_busy_executable_is_worth_another_try() {
        assert!(!exec(rustix::io::Errno::TXTBSY).is_permanent());
    }

    #[test]
    fn program_notes_and_last_words_stand_in_the_message() {
        let evidence = Evidence {
            program: "/opt/kv".into(),
            notes: String::new(),
            last_words: "no license".into(),
        };
        let error =
            LaunchError::ExitedEarly { status: ExitStatus::Code(3), evidence: evidence.into() };
        let text = "it ended (exit code 3) before it printed a handshake line; \
                    the program is /opt/kv (mode 0755); its last words: no license";
        assert_eq!(error.noted("mode 0755".into()).to_string(), text);
    }
}
