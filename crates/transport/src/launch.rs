//! One launch, from a spec to a connection, and the way back when it fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::connection::{
    Connection, ConnectionInfo, Containment, LaunchTimings, ProcessConnection, RunDirectory,
    drained,
};
use crate::connector::connect;
use crate::control::drain_stdio;
use crate::environment::{ProtocolVariables, compose};
use crate::error::LaunchError;
use crate::handshake::{HandshakeLine, LineScanner, Scanned, shorten};
use crate::identity::Identity;
use crate::process::{Launcher, Process, Start, spawn};
use crate::rpc::Rpc;
use crate::security::Security;
use crate::spec::LaunchSpec;
use crate::stdio::{Tail, drain_stderr, drain_stdout, read_some};
use crate::tls::PeerTls;

/// A plugin listens before it prints its line, so this is generous.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// For a killed tree to be gone: the launcher's sweep and its end.
pub(crate) const GONE_LIMIT: Duration = Duration::from_secs(4);

/// After a death, for the last words to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A socket's path has 107 bytes, of which plugins need some for a name.
const LONGEST_RUN_DIR: usize = 90;

pub(crate) async fn launch(
    launcher: Option<Launcher>,
    spec: LaunchSpec,
    cancel: CancellationToken,
) -> Result<Arc<dyn Connection>, LaunchError> {
    let started = Instant::now();
    let deadline = started + spec.start_timeout;
    let identity = match &spec.security {
        Security::AutoMtls => Some(Identity::generate()?),
        Security::Given(_) => None,
        Security::Plaintext => {
            let plugin = &spec.plugin;
            tracing::warn!(
                plugin,
                "dangerous: this plugin runs without TLS; whoever reaches its socket can call it"
            );
            None
        }
    };
    let directory = run_directory(&spec.run_dir).await?;
    let containment = if launcher.is_some() { Containment::Tree } else { Containment::Child };
    let environment = compose(
        &spec.environment,
        std::env::vars_os(),
        &ProtocolVariables {
            cookie: &spec.cookie,
            versions: &spec.protocol_versions,
            certificate_pem: identity.as_ref().map(Identity::pem),
            multiplex: spec.multiplex,
            ports: spec.ports.clone(),
            socket_group: spec.socket_group.as_deref(),
            directory: directory.path(),
        },
    );
    let start = Start {
        launcher,
        program: spec.program.clone(),
        name: spec.name.clone(),
        arguments: spec.arguments.clone(),
        environment,
        working_directory: spec.working_directory.clone(),
        limit: spec.start_timeout,
    };
    let (process, stdout, stderr) = match spawn(start).await {
        Ok(spawned) => spawned,
        Err(error) => {
            directory.remove().await;
            return Err(error);
        }
    };
    let attempt = Attempt::new(process, stderr, directory, &spec);
    let spawned = started.elapsed();
    let connecting = attempt.connect(stdout, &spec, identity.as_ref(), deadline);
    let outcome = tokio::select! {
        outcome = connecting => outcome,
        () = cancel.cancelled() => Err(attempt.timed_out(spec.start_timeout)),
    };
    match outcome {
        Ok(connected) => {
            let timings =
                LaunchTimings { spawn: spawned, line: connected.line, connect: connected.connect };
            Ok(Arc::new(attempt.finish(connected, containment, timings, spec)))
        }
        Err(error) => {
            attempt.take_down().await;
            Err(error)
        }
    }
}

/// What the connections use, of what was asked for and what the plugin sent.
fn peer_tls(
    security: &Security,
    identity: Option<&Identity>,
    certificate: Option<Vec<u8>>,
) -> Result<Option<PeerTls>, LaunchError> {
    match (identity, certificate) {
        (Some(identity), Some(der)) => {
            Ok(Some(PeerTls::pinned(identity, vec![CertificateDer::from(der)])?))
        }
        (Some(_), None) => Err(LaunchError::NoCertificate),
        (None, Some(_)) => Err(LaunchError::UnaskedCertificate),
        (None, None) => Ok(match security {
            Security::Given(given) => Some(given.peer()),
            Security::AutoMtls | Security::Plaintext => None,
        }),
    }
}

/// A private directory, 0700, with a name that nobody can guess.
async fn run_directory(parent: &Path) -> Result<RunDirectory, LaunchError> {
    let parent = parent.to_owned();
    let failed = {
        let path = parent.clone();
        move |source| LaunchError::RunDir { path, source }
    };
    let made = tokio::task::spawn_blocking(move || {
        let permissions = std::fs::Permissions::from_mode(0o700);
        tempfile::Builder::new()
            .prefix("g")
            .rand_bytes(12)
            .permissions(permissions)
            .tempdir_in(parent)
    });
    let directory = match made.await {
        Ok(Ok(directory)) => directory,
        Ok(Err(source)) => return Err(failed(source)),
        Err(error) => return Err(failed(std::io::Error::other(error))),
    };
    if directory.path().as_os_str().len() > LONGEST_RUN_DIR {
        let path = directory.path().to_owned();
        return Err(LaunchError::RunDirTooLong { path, limit: LONGEST_RUN_DIR });
    }
    Ok(RunDirectory::new(directory))
}

/// A process that runs and is not connected yet.
struct Attempt {
    process: Process,
    tail: Tail,
    stderr: watch::Receiver<bool>,
    drain: AbortOnDropHandle<()>,
    directory: RunDirectory,
}

struct Connected {
    rpc: Rpc,
    app_version: u32,
    stdout: Receiver,
    line: Duration,
    connect: Duration,
}

impl Attempt {
    fn new(process: Process, stderr: Receiver, directory: RunDirectory, spec: &LaunchSpec) -> Self {
        let tail = Tail::default();
        let (ended, ends) = watch::channel(false);
        let drain = drain_stderr(stderr, spec.plugin.as_str().into(), tail.clone());
        let drain = tokio::spawn(async move {
            drain.await;
            ended.send_replace(true);
        });
        let drain = AbortOnDropHandle::new(drain);
        Self { process, tail, stderr: ends, drain, directory }
    }

    async fn connect(
        &self,
        mut stdout: Receiver,
        spec: &LaunchSpec,
        identity: Option<&Identity>,
        deadline: Instant,
    ) -> Result<Connected, LaunchError> {
        let before = Instant::now();
        let line = self.handshake_line(&mut stdout, spec, deadline).await?;
        let line_took = before.elapsed();
        let stderr = || self.tail.text();
        let handshake = HandshakeLine::parse(&line, &spec.protocol_versions)
            .map_err(|source| LaunchError::Handshake { source, stderr: stderr() })?;
        let tls = peer_tls(&spec.security, identity, handshake.certificate)?;
        let before = Instant::now();
        let within = deadline.saturating_duration_since(before).min(CONNECT_LIMIT);
        let channel = tokio::select! {
            channel = connect(&handshake.address, tls.as_ref(), within) => channel,
            status = self.process.died() => {
                return Err(LaunchError::ExitedEarly { status, stderr: self.last_words().await });
            }
        };
        let channel =
            channel.map_err(|source| LaunchError::Connect { source, stderr: stderr() })?;
        Ok(Connected {
            rpc: Rpc::new(channel, handshake.app_version, spec.largest_message),
            app_version: handshake.app_version,
            stdout,
            line: line_took,
            connect: before.elapsed(),
        })
    }

    async fn handshake_line(
        &self,
        stdout: &mut Receiver,
        spec: &LaunchSpec,
        deadline: Instant,
    ) -> Result<String, LaunchError> {
        let mut scanner = LineScanner::default();
        let mut buffer = [0; 4096];
        let plugin = &spec.plugin;
        let skipped =
            |line: &str| tracing::debug!(plugin, line, "skipped output before the handshake");
        let ended = loop {
            let read = tokio::select! {
                biased;
                read = timeout_at(deadline, read_some(stdout, &mut buffer)) => read,
                status = self.process.died() => break Some(status),
            };
            match read {
                Ok(Ok(0) | Err(_)) => break None,
                Ok(Ok(read)) => match scanner.push(&buffer[..read], skipped) {
                    Scanned::More => {}
                    Scanned::Line(line) => return Ok(line),
                    Scanned::Exhausted(seen) => return Err(self.no_handshake(&seen)),
                },
                Err(_) => {
                    return Err(match scanner.finish() {
                        Scanned::Exhausted(seen) if !seen.is_empty() => self.no_handshake(&seen),
                        _ => self.timed_out(spec.start_timeout),
                    });
                }
            }
        };
        match scanner.finish() {
            // Read in full, though nothing ended the line.
            Scanned::Line(line) if ended.is_none() => return Ok(line),
            Scanned::Exhausted(seen) if !seen.is_empty() => return Err(self.no_handshake(&seen)),
            _ => {}
        }
        let status = match ended {
            Some(status) => status,
            None => match timeout(
                deadline.saturating_duration_since(Instant::now()),
                self.process.died(),
            )
            .await
            {
                Ok(status) => status,
                Err(_) => return Err(self.timed_out(spec.start_timeout)),
            },
        };
        Err(LaunchError::ExitedEarly { status, stderr: self.last_words().await })
    }

    async fn last_words(&self) -> String {
        let _grace = timeout(LAST_WORDS, drained(&self.stderr)).await;
        self.tail.text()
    }

    fn no_handshake(&self, seen: &str) -> LaunchError {
        LaunchError::NoHandshake { seen: shorten(seen), stderr: self.tail.text() }
    }

    fn timed_out(&self, within: Duration) -> LaunchError {
        LaunchError::TimedOut { within, stderr: self.tail.text() }
    }

    async fn take_down(self) {
        self.process.kill();
        if !self.process.gone_within(GONE_LIMIT).await {
            tracing::warn!(pid = self.process.pid(), "processes of a plugin cannot be killed");
        }
        self.directory.remove().await;
    }

    fn finish(
        self,
        connected: Connected,
        containment: Containment,
        timings: LaunchTimings,
        spec: LaunchSpec,
    ) -> ProcessConnection {
        let Connected { rpc, app_version, stdout, .. } = connected;
        let plugin: Arc<str> = spec.plugin.into();
        let stdout = AbortOnDropHandle::new(tokio::spawn(drain_stdout(stdout)));
        let stdio = AbortOnDropHandle::new(tokio::spawn(drain_stdio(rpc.clone(), plugin)));
        ProcessConnection {
            info: ConnectionInfo {
                pid: Some(self.process.pid()),
                app_version,
                containment,
                timings,
            },
            rpc,
            process: self.process,
            tail: self.tail,
            stderr: self.stderr,
            drains: vec![self.drain, stdout],
            stdio,
            directory: self.directory,
            _keep: spec.keep,
        }
    }
}
