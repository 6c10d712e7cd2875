//! What a case works with: ways to start the subject, and to reach it.

mod launch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use outrigger_proto::probe::probe_client::ProbeClient;
use tonic::transport::Channel;

use super::Subject;
use super::outcome::{Outcome, Shortfall, While as _};
use super::survey::Survey;
use crate::identity::Identity;

pub(crate) use launch::{Launch, Security, Started};

/// A case's own directory, and the subject.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) subject: Arc<Subject>,
    pub(crate) survey: Arc<Survey>,
    directory: PathBuf,
    launches: AtomicU32,
}

/// A plugin that serves, and a connection to it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) started: Started,
    pub(crate) channel: Channel,
}

impl Bench {
    /// Everything that the case makes is made in `directory`.
    pub(crate) fn new(subject: Arc<Subject>, survey: Arc<Survey>, directory: PathBuf) -> Self {
        Self { subject, survey, directory, launches: AtomicU32::new(0) }
    }

    /// The subject as a host starts it that does AutoMTLS, or none if the
    /// subject knows none.
    pub(crate) fn launch(&self) -> Outcome<Launch<'_>> {
        if self.survey.speaks_tls() { self.launch_tls() } else { Ok(self.launch_plain()) }
    }

    /// The subject as a host starts it that does AutoMTLS.
    pub(crate) fn launch_tls(&self) -> Outcome<Launch<'_>> {
        Ok(self.launch_as(Security::AutoMtls(Identity::generate()?)))
    }

    /// The subject as a host starts it that uses no TLS.
    pub(crate) fn launch_plain(&self) -> Launch<'_> {
        self.launch_as(Security::Plaintext)
    }

    /// The subject as a certain host starts it.
    pub(crate) fn launch_as(&self, security: Security) -> Launch<'_> {
        Launch::new(self, security)
    }

    /// Starts the subject and connects to it.
    pub(crate) async fn session(&self) -> Outcome<Session> {
        self.launch()?.session().await
    }

    /// A new, empty directory beneath the case's own.
    pub(crate) fn new_directory(&self, name: &str) -> Outcome<PathBuf> {
        let number = self.launches.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory.join(format!("{number}{name}"));
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// The socket's file of a plugin; not applicable on TCP.
    pub(crate) fn socket<'a>(&self, started: &'a Started) -> Outcome<&'a Path> {
        match &started.address {
            crate::wire::Address::Unix(path) => Ok(path),
            crate::wire::Address::Tcp(_) => Err(Shortfall::not_applicable("it listens on TCP")),
        }
    }
}

impl Session {
    /// A client of the probe, which takes messages of any size.
    pub(crate) fn probe(&self) -> ProbeClient<Channel> {
        ProbeClient::new(self.channel.clone())
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX)
    }

    /// Whether it still answers.
    pub(crate) async fn ping(&self, when: &str) -> Outcome {
        crate::wire::ping(&self.channel).await.during(&format!("a call {when}"))
    }
}
