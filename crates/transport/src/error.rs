//! What can go wrong between a verified program and a connection to it.
//!
//! The texts start in lower case and finish the sentence "plugin `x`: …"; the
//! crate above names the plugin.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::handshake::{Address, HandshakeError};
use crate::identity::IdentityError;
use crate::process::ExitStatus;

/// Why a connection could not be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody listens at the announced address.
    #[error("nobody answers at {address}, which it announced: {reason}")]
    Dial {
        /// The announced address.
        address: Address,
        /// The system's words.
        reason: String,
    },
    /// The peer does not hold the announced identity.
    #[error(
        "identity mismatch: whoever answers at its address does not hold the certificate of its handshake; connection refused"
    )]
    IdentityMismatch,
    /// The TLS handshake failed.
    #[error(
        "the TLS handshake failed: {reason}; the plugin must serve TLS 1.2 or later with the certificate that it announced"
    )]
    Tls {
        /// The library's words.
        reason: String,
    },
    /// HTTP/2 could not be set up.
    #[error("no HTTP/2 connection could be set up: {reason}")]
    Http2 {
        /// The library's words.
        reason: String,
    },
    /// The connection did not stand in time.
    #[error("no connection to {address} within {within:?}; the plugin listens but does not answer")]
    TimedOut {
        /// The announced address.
        address: Address,
        /// The limit.
        within: Duration,
    },
}

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
    #[error("{program} could not be executed: {source}; {}", exec_hint(.source))]
    Exec {
        /// The program as it was named.
        program: String,
        /// The system's words.
        source: io::Error,
    },
    /// The process ended before it printed a handshake line.
    #[error("it ended ({status}) before it printed a handshake line{}", said(.stderr))]
    ExitedEarly {
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error.
        stderr: String,
    },
    /// The handshake line cannot be used.
    #[error("{source}{}", said(.stderr))]
    Handshake {
        /// What is wrong with it.
        source: HandshakeError,
        /// The end of its standard error.
        stderr: String,
    },
    /// The plugin prints, but no handshake line is among it.
    #[error("it printed `{seen}` and no handshake line; it is no go-plugin plugin, or it logs to standard output{}", said(.stderr))]
    NoHandshake {
        /// The first line that it printed.
        seen: String,
        /// The end of its standard error.
        stderr: String,
    },
    /// No handshake line came in time.
    #[error("it printed no handshake line within {within:?}; it hangs, or it is no plugin; raise `timeouts.start` if it needs longer{}", said(.stderr))]
    TimedOut {
        /// The limit.
        within: Duration,
        /// The end of its standard error.
        stderr: String,
    },
    /// The plugin does not do mutual TLS.
    #[error(
        "it sent no certificate, though the host asked for mutual TLS; the plugin is too old, or was built without AutoMTLS"
    )]
    NoCertificate,
    /// The plugin does mutual TLS of its own accord.
    #[error(
        "it sent a certificate, though the host did not ask for mutual TLS by handshake; let the host ask for it (AutoMTLS), or the plugin serve what both were given"
    )]
    UnaskedCertificate,
    /// No connection to the plugin.
    #[error("{source}{}", said(.stderr))]
    Connect {
        /// Why.
        source: ConnectError,
        /// The end of its standard error.
        stderr: String,
    },
}

impl LaunchError {
    /// Whether another try with the same program must fail too.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Handshake { .. }
            | Self::NoCertificate
            | Self::UnaskedCertificate
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

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; its last words: {stderr}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(errno: rustix::io::Errno) -> LaunchError {
        let source = io::Error::from_raw_os_error(errno.raw_os_error());
        LaunchError::Exec { program: "hello".into(), source }
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
    fn last_words_stand_in_the_message() {
        let error =
            LaunchError::ExitedEarly { status: ExitStatus::Code(3), stderr: "no license".into() };
        let text = "it ended (exit code 3) before it printed a handshake line; \
                    its last words: no license";
        assert_eq!(error.to_string(), text);
    }
}
