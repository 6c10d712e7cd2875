//! A process that runs and is not connected yet.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_types::failpoint;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Begun, GONE_LIMIT, Unfit, peer_tls};
use crate::attach::{Handover, Reattach};
use crate::broker::{Link, LinkOwner, LinkSetup, Sockets, link};
use crate::connection::{
    ConnectionInfo, Containment, Drains, LaunchTimings, LiveLink, Ownership, ProcessConnection,
};
use crate::control::drain_stdio;
use crate::error::{Evidence, LaunchError};
use crate::handshake::{HandshakeLine, LineScanner, Offer, Scanned, shorten};
use crate::identity::Identity;
use crate::process::{Process, start_time};
use crate::rpc::Rpc;
use crate::run_directory::RunDirectory;
use crate::runner::Running;
use crate::spec::LaunchSpec;
use crate::stdio::{Drain, Pipe, Tail, drain_stderr, drain_stdout, read_some};
use crate::translate::Translate;

/// A plugin listens before it prints its line, so this is generous.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// After a death, for the last words to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// After the end of standard output, for the death that is most often its
/// cause to be seen.
const OUTPUT_ENDED: Duration = Duration::from_millis(500);

/// For a runner to say what it knows.
const DIAGNOSIS_LIMIT: Duration = Duration::from_secs(1);

pub(super) struct Attempt {
    process: Process,
    tail: Tail,
    stdout: Mutex<Pipe>,
    stderr: Drain,
    directory: RunDirectory,
    shown: PathBuf,
    running: Option<Arc<dyn Running>>,
    translate: Option<Arc<dyn Translate>>,
    file: Option<File>,
}

pub(super) struct Connected {
    rpc: Rpc,
    owner: LinkOwner,
    reattach: Reattach,
    /// The plugin's, or the host's own where it was given, in DER.
    certificate: Option<Arc<[u8]>>,
    pub(super) line: Duration,
    pub(super) connect: Duration,
}

impl Attempt {
    pub(super) fn new(begun: Begun, directory: RunDirectory, spec: &LaunchSpec) -> Self {
        let Begun { process, stdout, stderr, shown, running, translate, file } = begun;
        let tail = Tail::default();
        let origin = spec.origin();
        let output = spec.output.clone();
        let stderr =
            Drain::spawn(|finish| drain_stderr(stderr, origin, tail.clone(), output, finish));
        let stdout = Mutex::new(stdout);
        Self { process, tail, stdout, stderr, directory, shown, running, translate, file }
    }

    pub(super) async fn connect(
        &self,
        spec: &LaunchSpec,
        identity: Option<Identity>,
        deadline: Instant,
    ) -> Result<Connected, LaunchError> {
        let before = Instant::now();
        if failpoint::fails("launch.line") {
            return Err(self.no_handshake("a failpoint"));
        }
        let line = self.handshake_line(spec, deadline).await?;
        let line_took = before.elapsed();
        let offer = Offer {
            versions: &spec.protocol_versions,
            multiplex: spec.multiplex,
            translated: self.translate.is_some(),
        };
        let HandshakeLine { app_version, address, certificate } =
            HandshakeLine::parse(&line, offer)
                .map_err(|source| LaunchError::Handshake { source, evidence: self.evidence() })?;
        let address = match &self.translate {
            Some(translate) => translate.plugin_to_host(address),
            None => address,
        };
        let tls = peer_tls(&spec.security, identity.as_ref(), certificate.clone())?;
        let tls = tls.map_err(|unfit| match unfit {
            Unfit::NoCertificate => LaunchError::NoCertificate { evidence: self.evidence() },
            Unfit::UnaskedCertificate => {
                LaunchError::UnaskedCertificate { evidence: self.evidence() }
            }
        })?;
        let before = Instant::now();
        let within = deadline.saturating_duration_since(before).min(CONNECT_LIMIT);
        let setup = LinkSetup {
            address: &address,
            tls,
            multiplex: spec.multiplex,
            sockets: self.sockets(),
            version: app_version,
            largest_message: spec.largest_message,
        };
        if failpoint::fails("launch.connect") {
            return Err(self.no_handshake("a failpoint"));
        }
        let linked = tokio::select! {
            linked = link(setup, within) => linked,
            status = self.process.died() => {
                let evidence = self.last_evidence().await;
                return Err(LaunchError::ExitedEarly { status, evidence });
            }
        };
        let Link { channel, broker, owner } =
            linked.map_err(|source| LaunchError::Connect { source, evidence: self.evidence() })?;
        let pid = self.process.pid();
        let announced = certificate.as_deref().map(Arc::from);
        let announced = announced.or_else(|| spec.security.given_certificate());
        let handover = identity.zip(certificate);
        let handover = handover.map(|(identity, plugin)| Handover::new(identity, plugin));
        Ok(Connected {
            rpc: Rpc::with_broker(channel, app_version, spec.largest_message, broker),
            owner,
            certificate: announced,
            reattach: Reattach {
                version: app_version,
                address,
                pid,
                start_time: pid.and_then(start_time),
                test: false,
                handover,
            },
            line: line_took,
            connect: before.elapsed(),
        })
    }

    /// Brokered sockets are in the generation's own directory, on both sides,
    /// and a plugin that announces another has no business with it.
    fn sockets(&self) -> Sockets {
        let directory = self.directory.path().to_owned();
        Sockets {
            confine: Some(directory.clone()),
            directory,
            group: self.directory.group(),
            translate: self.translate.clone(),
        }
    }

    async fn handshake_line(
        &self,
        spec: &LaunchSpec,
        deadline: Instant,
    ) -> Result<String, LaunchError> {
        let mut stdout = self.stdout.lock().await;
        let mut scanner = LineScanner::default();
        let mut buffer = [0; 4096];
        let plugin = &spec.plugin;
        let skipped =
            |line: &str| tracing::debug!(plugin, line, "skipped output before the handshake");
        let ended = loop {
            let read = tokio::select! {
                biased;
                read = timeout_at(deadline, read_some(&mut stdout, &mut buffer)) => read,
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
            None => match timeout(OUTPUT_ENDED, self.process.died()).await {
                Ok(status) => status,
                Err(_) => return Err(LaunchError::OutputEnded { evidence: self.evidence() }),
            },
        };
        Err(LaunchError::ExitedEarly { status, evidence: self.last_evidence().await })
    }

    fn evidence(&self) -> Box<Evidence> {
        let (program, notes) = (self.shown.clone(), String::new());
        Evidence { program, notes, last_words: self.tail.text() }.into()
    }

    async fn last_evidence(&self) -> Box<Evidence> {
        self.stderr.ended_within(LAST_WORDS).await;
        self.evidence()
    }

    fn no_handshake(&self, seen: &str) -> LaunchError {
        LaunchError::NoHandshake { seen: shorten(seen), evidence: self.evidence() }
    }

    pub(super) fn timed_out(&self, within: Duration) -> LaunchError {
        LaunchError::TimedOut { within, evidence: self.evidence() }
    }

    /// Adds what may help, where it may.
    pub(super) async fn explain(&self, error: LaunchError, spec: &LaunchSpec) -> LaunchError {
        if !error.wants_notes() {
            return error;
        }
        let notes = match &self.running {
            Some(running) => {
                let diagnosis = timeout(DIAGNOSIS_LIMIT, running.diagnose()).await;
                shorten(&diagnosis.unwrap_or_default())
            }
            None => crate::diagnosis::diagnose(spec.program.clone()).await,
        };
        error.noted(notes)
    }

    pub(super) async fn take_down(self) {
        self.process.kill();
        if !self.process.gone_within(GONE_LIMIT).await {
            tracing::warn!(pid = self.process.pid(), "processes of a plugin cannot be killed");
        }
        self.directory.remove().await;
    }

    pub(super) fn finish(
        self,
        connected: Connected,
        containment: Containment,
        timings: LaunchTimings,
        spec: LaunchSpec,
    ) -> ProcessConnection {
        let _nothing_to_fail = failpoint::fails("launch.finish");
        let Connected { rpc, owner, reattach, certificate, .. } = connected;
        let origin = spec.origin();
        let plugin: Arc<str> = spec.plugin.into();
        let stdout = self.stdout.into_inner();
        let stdio = {
            let (rpc, output) = (rpc.clone(), spec.output);
            Drain::spawn(|finish| drain_stdio(rpc, origin, output, finish))
        };
        ProcessConnection {
            plugin,
            info: ConnectionInfo {
                pid: self.process.pid(),
                app_version: reattach.version,
                containment,
                timings,
                certificate,
            },
            link: Some(LiveLink::new(&rpc, owner, self.process.clone())),
            rpc,
            process: self.process,
            ownership: Ownership::Ours,
            tail: self.tail,
            output: Drains {
                pipes: vec![self.stderr, Drain::spawn(|finish| drain_stdout(stdout, finish))],
                stdio,
            },
            directory: Some(self.directory),
            // The one raw connection is the first host's for good.
            reattach: (!spec.multiplex).then_some(reattach),
            hook: std::sync::OnceLock::new(),
            _keep: (spec.keep, self.file),
        }
    }
}
