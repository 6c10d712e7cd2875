//! Finding the process, connecting to it, and making sure that it is the one.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};

use super::Reattach;
use crate::connection::{
    ConnectionInfo, Containment, Drains, LaunchTimings, Ownership, ProcessConnection,
};
use crate::connector::connect;
use crate::control::{Health, drain_stdio, health};
use crate::error::{ConnectError, Evidence, LaunchError};
use crate::handshake::{Address, HandshakeError};
use crate::launch::warn_of_plaintext;
use crate::process::{Process, descends_from, start_time};
use crate::rpc::Rpc;
use crate::runner::Running;
use crate::security::Security;
use crate::spec::LaunchSpec;
use crate::stdio::{Drain, Tail};
use crate::tls::PeerTls;

/// A plugin that serves answers at once; one in a debugger may stand still, and
/// then nobody can be sure that it is the one.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn attach(
    reattach: Reattach,
    held: Option<Arc<dyn Running>>,
    spec: &LaunchSpec,
) -> Result<ProcessConnection, LaunchError> {
    refuse_exclusions(spec)?;
    let within = spec.start_timeout.min(ANSWER_LIMIT);
    let tls = peer_tls(&reattach, spec)?;
    let version = version(reattach.version, &spec.protocol_versions)
        .map_err(|source| LaunchError::Handshake { source, evidence: evidence(&reattach) })?;
    let process = match held {
        Some(running) => Process::attached_to_runner(running),
        None => find(&reattach, within).await?,
    };
    let before = Instant::now();
    let channel = match connect(&reattach.address, tls.as_ref(), within).await {
        Ok(channel) => channel,
        Err(ConnectError::Dial { address, reason }) => {
            return Err(not_found(format!("nobody answers at {address}: {reason}")));
        }
        Err(error @ ConnectError::TimedOut { .. }) => return Err(not_found(error.to_string())),
        Err(source) => {
            return Err(LaunchError::Connect { source, evidence: evidence(&reattach) });
        }
    };
    let connect = before.elapsed();
    let rpc = Rpc::new(channel, version, spec.largest_message);
    if health(rpc.clone(), within).await == Health::Unreachable {
        let address = &reattach.address;
        return Err(not_found(format!("who listens at {address} answers no health check")));
    }
    let plugin: Arc<str> = spec.plugin.as_str().into();
    let stdio = {
        let (rpc, origin, output) = (rpc.clone(), spec.origin(), spec.output.clone());
        Drain::spawn(|finish| drain_stdio(rpc, origin, output, finish))
    };
    Ok(ProcessConnection {
        plugin,
        info: ConnectionInfo {
            pid: process.pid(),
            app_version: version,
            containment: Containment::Elsewhere,
            timings: LaunchTimings { connect, ..LaunchTimings::default() },
            certificate: spec.security.given_certificate(),
        },
        rpc,
        link: None,
        process,
        ownership: if reattach.test { Ownership::ItsOwn } else { Ownership::Attached },
        tail: Tail::default(),
        output: Drains { pipes: Vec::new(), stdio },
        directory: None,
        reattach: Some(Reattach { version, ..reattach }),
        hook: std::sync::OnceLock::new(),
        _keep: (spec.keep.clone(), None),
    })
}

fn refuse_exclusions(spec: &LaunchSpec) -> Result<(), LaunchError> {
    let what = if spec.multiplex {
        "a multiplexed broker belongs to the host that started the plugin and cannot be reattached to"
    } else if spec.checksum.is_some() {
        "a checksum is taken before a launch, and reattaching launches nothing"
    } else {
        return Ok(());
    };
    Err(LaunchError::Excluded { what })
}

fn peer_tls(reattach: &Reattach, spec: &LaunchSpec) -> Result<Option<PeerTls>, LaunchError> {
    match (&spec.security, &reattach.handover) {
        (Security::AutoMtls, Some(handover)) => Ok(Some(handover.tls()?)),
        (Security::AutoMtls, None) => Err(LaunchError::Excluded {
            what: "AutoMTLS cannot be reattached to without the identity of the first host, which never leaves its process",
        }),
        (Security::Given(given), _) => Ok(Some(given.peer())),
        (Security::Plaintext, _) => {
            warn_of_plaintext(&spec.plugin);
            Ok(None)
        }
    }
}

/// Version 0 is what libraries say that do not know it.
fn version(theirs: u32, ours: &[u32]) -> Result<u32, HandshakeError> {
    match (theirs, ours.iter().max()) {
        (0, Some(highest)) if !ours.contains(&0) => Ok(*highest),
        _ if ours.contains(&theirs) => Ok(theirs),
        _ => Err(HandshakeError::AppVersion { theirs: theirs.into(), ours: ours.to_vec() }),
    }
}

/// By number and start time, and by who holds the socket.
async fn find(reattach: &Reattach, within: Duration) -> Result<Process, LaunchError> {
    let Some(pid) = reattach.pid else {
        return Err(not_found("no process number was given, and no runner".to_owned()));
    };
    let pidfd = open(pid).map_err(|error| not_found(format!("process {pid}: {error}")))?;
    // Of the process that the descriptor names, if it is still there afterwards.
    let started = start_time(pid);
    if has_ended(&pidfd) {
        return Err(not_found(format!("process {pid} has ended")));
    }
    if let Some(expected) = reattach.start_time
        && started != Some(expected)
    {
        let reason = format!("process {pid} is another one: it started at another time");
        return Err(not_found(reason));
    }
    if !reattach.test {
        match &reattach.address {
            Address::Unix(path) => {
                holds(pid, path, reattach.start_time.is_some(), within).await?;
            }
            Address::Tcp { .. } if reattach.start_time.is_none() => {
                let reason = format!(
                    "whether process {pid} is the plugin cannot be told without its start time"
                );
                return Err(not_found(reason));
            }
            Address::Tcp { .. } => {}
        }
    }
    Ok(Process::attached(pid, Arc::new(pidfd)))
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

fn has_ended(pidfd: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut pidfds = [PollFd::new(pidfd, PollFlags::IN)];
    !matches!(poll(&mut pidfds, Some(&now)), Ok(0))
}

/// Checks that the socket's listener is the process or, where that is `sure` to
/// be the one that was meant, descends from it: every process descends from
/// init.
async fn holds(pid: u32, path: &Path, sure: bool, within: Duration) -> Result<(), LaunchError> {
    let listens = |listener| {
        let descends = || descends_from(listener, pid) && !descends_from(std::process::id(), pid);
        listener == pid || (sure && descends())
    };
    let unanswered = |reason: String| not_found(format!("{}: {reason}", path.display()));
    let peer = match timeout(within, UnixStream::connect(path)).await {
        Ok(Ok(peer)) => peer,
        Ok(Err(error)) => return Err(unanswered(error.to_string())),
        Err(_) => return Err(unanswered(format!("no connection within {within:?}"))),
    };
    let listener = peer.peer_cred().ok().and_then(|peer| u32::try_from(peer.pid()?).ok());
    match listener {
        Some(listener) if listens(listener) => Ok(()),
        Some(listener) => {
            Err(unanswered(format!("process {listener} listens there, and not {pid}")))
        }
        None => Err(unanswered("who listens there cannot be told".to_owned())),
    }
}

fn not_found(reason: String) -> LaunchError {
    LaunchError::ProcessNotFound { reason }
}

fn evidence(reattach: &Reattach) -> Box<Evidence> {
    let program = reattach.pid.map(|pid| PathBuf::from(format!("/proc/{pid}/exe")));
    let program = program.and_then(|link| std::fs::read_link(link).ok());
    let unknown = || PathBuf::from(reattach.address.to_string());
    Evidence { program: program.unwrap_or_else(unknown), ..Evidence::default() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_0_means_unknown_unless_the_host_speaks_it() {
        assert_eq!(version(0, &[5, 6]), Ok(6));
        assert_eq!(version(0, &[0, 6]), Ok(0));
        assert_eq!(version(5, &[5, 6]), Ok(5));
        assert!(matches!(version(4, &[5, 6]), Err(HandshakeError::AppVersion { .. })));
    }
}
