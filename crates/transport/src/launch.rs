//! One launch, from a spec to a connection, and the way back when it fails.

use std::sync::Arc;
use std::time::Duration;

use outrigger_types::failpoint;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Containment, LaunchTimings};
use crate::environment::{ProtocolVariables, compose};
use crate::error::LaunchError;
use crate::identity::Identity;
use crate::process::Launcher;
use crate::run_directory::RunDirectory;
use crate::runner::Runner;
use crate::security::Security;
use crate::spec::LaunchSpec;
use crate::tls::PeerTls;

mod attempt;
mod begin;

use attempt::Attempt;
use begin::{Begun, begin, check};

/// For a killed tree to be gone: the launcher's sweep and its end.
pub(crate) const GONE_LIMIT: Duration = Duration::from_secs(4);

/// Who starts the process.
pub(crate) enum Starter {
    /// This process, through a launcher or directly.
    Process(Option<Launcher>),
    Runner(Arc<dyn Runner>),
}

impl Starter {
    const fn containment(&self) -> Containment {
        match self {
            Self::Process(Some(_)) => Containment::Tree,
            Self::Process(None) => Containment::Child,
            Self::Runner(_) => Containment::Elsewhere,
        }
    }
}

pub(crate) async fn launch(
    starter: Starter,
    spec: LaunchSpec,
    cancel: CancellationToken,
) -> Result<Arc<dyn Connection>, LaunchError> {
    let started = Instant::now();
    let deadline = started + spec.start_timeout;
    if spec.ports.is_empty() {
        let (first, last) = (*spec.ports.start(), *spec.ports.end());
        return Err(LaunchError::Ports { first, last });
    }
    let identity = identity(&spec)?;
    let checked = check(&starter, &spec).await?;
    let directory = RunDirectory::create(&spec.run_dir, spec.socket_group.as_deref()).await?;
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
    let begun = begin(&starter, &spec, checked, environment, directory.path(), deadline).await;
    let begun = match begun {
        Ok(begun) => begun,
        Err(error) => {
            directory.remove().await;
            return Err(error);
        }
    };
    let attempt = Attempt::new(begun, directory, &spec);
    let spawned = started.elapsed();
    let connecting = attempt.connect(&spec, identity, deadline);
    let outcome = tokio::select! {
        outcome = connecting => outcome,
        () = cancel.cancelled() => Err(attempt.timed_out(spec.start_timeout)),
    };
    match outcome {
        Ok(connected) => {
            let timings =
                LaunchTimings { spawn: spawned, line: connected.line, connect: connected.connect };
            Ok(Arc::new(attempt.finish(connected, starter.containment(), timings, spec)))
        }
        Err(error) => {
            let error = attempt.explain(error, &spec).await;
            attempt.take_down().await;
            Err(error)
        }
    }
}

fn identity(spec: &LaunchSpec) -> Result<Option<Identity>, LaunchError> {
    match &spec.security {
        Security::AutoMtls => {
            let _nothing_to_fail = failpoint::fails("launch.identity");
            Ok(Some(Identity::generate()?))
        }
        Security::Given(_) => Ok(None),
        Security::Plaintext => {
            warn_of_plaintext(&spec.plugin);
            Ok(None)
        }
    }
}

/// At each start, so that nobody forgets.
pub(crate) fn warn_of_plaintext(plugin: &str) {
    tracing::warn!(
        plugin,
        "dangerous: this plugin runs without TLS; whoever reaches its socket can call it and pose \
         as it"
    );
}

/// What the connections use, of what was asked for and what the plugin sent.
fn peer_tls(
    security: &Security,
    identity: Option<&Identity>,
    certificate: Option<Vec<u8>>,
) -> Result<Result<Option<PeerTls>, Unfit>, LaunchError> {
    Ok(match (identity, certificate) {
        (Some(identity), Some(der)) => {
            Ok(Some(PeerTls::pinned(identity, vec![CertificateDer::from(der)])?))
        }
        (Some(_), None) => Err(Unfit::NoCertificate),
        (None, Some(_)) => Err(Unfit::UnaskedCertificate),
        (None, None) => Ok(match security {
            Security::Given(given) => Some(given.peer()),
            Security::AutoMtls | Security::Plaintext => None,
        }),
    })
}

/// What a plugin sent does not fit what was asked for.
enum Unfit {
    NoCertificate,
    UnaskedCertificate,
}

#[cfg(test)]
mod tests;
