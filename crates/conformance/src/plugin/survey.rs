//! What the subject is and has, found out before any case: it says which cases
//! concern it.

use std::path::Path;
use std::sync::Arc;

use outrigger_proto::plugin::grpc_broker_client::GrpcBrokerClient;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{ConnInfo, Empty};
use outrigger_proto::probe::DescribeRequest;
use outrigger_proto::probe::probe_client::ProbeClient;
use tokio::sync::OnceCell;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::Subject;
use super::bench::{Bench, Launch, Session};
use super::outcome::{Outcome, Shortfall};
use crate::wire::{Address, said_by_peer};

/// What was found out.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Why there was no line, if there was none.
    pub(crate) no_line: Option<String>,
    /// Why no call was answered, with TLS or without, if none was.
    pub(crate) no_calls: Option<String>,
    pub(crate) found: Vec<Need>,
    /// The subject's application versions, once somebody asked.
    pub(super) versions: OnceCell<Vec<u32>>,
}

/// What a case can need of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A connection on which calls are answered.
    Calls,
    Unix,
    Tcp,
    /// A certificate in its line, and TLS with it.
    Tls,
    Controller,
    Stdio,
    Broker,
    /// The service of `probe.proto`.
    Probe,
    /// A multiplexed broker.
    Mux,
}

impl Need {
    /// What is missing, in a subject that has it not.
    pub(crate) const fn missing(self) -> &'static str {
        match self {
            Self::Calls => "no call of it is answered",
            Self::Unix => "it listens on TCP",
            Self::Tcp => "it listens on a Unix socket",
            Self::Tls => "it does no AutoMTLS",
            Self::Controller => "it serves no controller",
            Self::Stdio => "it serves no stdio stream",
            Self::Broker => "it serves no broker",
            Self::Probe => "it serves no probe",
            Self::Mux => "it does not multiplex",
        }
    }

    /// What a subject has that has it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Calls => "answered calls",
            Self::Unix => "a Unix socket",
            Self::Tcp => "TCP",
            Self::Tls => "AutoMTLS",
            Self::Controller => "the controller",
            Self::Stdio => "the stdio stream",
            Self::Broker => "the broker",
            Self::Probe => "the probe",
            Self::Mux => "multiplexing",
        }
    }
}

impl Survey {
    /// Starts the subject a few times and looks at it.
    pub(crate) async fn of(subject: &Arc<Subject>, directory: &Path) -> Self {
        let nothing = Arc::new(Self::default());
        let bench = Bench::new(subject.clone(), nothing, directory.to_owned());
        let mut survey = Self::default();
        if let Err(why) = survey.look(&bench).await {
            let why = match why {
                Shortfall::Seen(why) | Shortfall::NotApplicable(why) => why,
            };
            let listens = survey.has(Need::Unix) || survey.has(Need::Tcp);
            *(if listens { &mut survey.no_calls } else { &mut survey.no_line }) = Some(why);
        }
        survey
    }

    /// Whether the subject has it.
    pub(crate) fn has(&self, need: Need) -> bool {
        self.found.contains(&need)
    }

    /// Whether launches ask for AutoMTLS.
    pub(crate) fn speaks_tls(&self) -> bool {
        self.has(Need::Tls)
    }

    async fn look(&mut self, bench: &Bench) -> Outcome {
        let secured = bench.launch_tls()?.start().await;
        let session = match secured {
            Ok(started) => {
                self.note_network(&started.address);
                if started.line.certificate().is_some() {
                    session(started).await.inspect(|_| self.found.push(Need::Tls))
                } else {
                    drop(started);
                    bench.launch_plain().session().await
                }
            }
            Err(_) => {
                let started = bench.launch_plain().start().await?;
                self.note_network(&started.address);
                session(started).await
            }
        };
        // TLS that fails is a case's to report; plaintext may do for the others.
        let session = match session {
            Err(_) if !self.speaks_tls() => bench.launch_plain().session().await?,
            session => session?,
        };
        self.found.push(Need::Calls);
        self.note_services(&session.channel).await;
        drop(session);
        self.note_multiplexing(bench.launch()?).await;
        Ok(())
    }

    fn note_network(&mut self, address: &Address) {
        self.found.push(match address {
            Address::Unix(_) => Need::Unix,
            Address::Tcp(_) => Need::Tcp,
        });
    }

    async fn note_services(&mut self, channel: &Channel) {
        let probe = async {
            ProbeClient::new(channel.clone()).describe(DescribeRequest {}).await.map(drop)
        };
        self.note(Need::Probe, served(probe).await);
        let broker = async {
            let nothing = tokio_stream::pending::<ConnInfo>();
            GrpcBrokerClient::new(channel.clone()).start_stream(nothing).await.map(drop)
        };
        self.note(Need::Broker, served(broker).await);
        let stdio =
            async { GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.map(drop) };
        self.note(Need::Stdio, served(stdio).await);
        let controller =
            async { GrpcControllerClient::new(channel.clone()).shutdown(Empty {}).await.map(drop) };
        self.note(Need::Controller, served(controller).await);
    }

    async fn note_multiplexing(&mut self, launch: Launch<'_>) {
        let started = launch.set("PLUGIN_MULTIPLEX_GRPC", "true").start().await;
        self.note(Need::Mux, started.is_ok_and(|started| started.line.multiplexes()));
    }

    fn note(&mut self, need: Need, found: bool) {
        if found {
            self.found.push(need);
        }
    }
}

async fn session(started: super::bench::Started) -> Outcome<Session> {
    let channel = started.connect().await?;
    let session = Session { started, channel };
    session.ping("after connecting").await?;
    Ok(session)
}

/// Whether a method is there: it answers anything but that it is unknown, or
/// nothing yet, as streams without a message do.
async fn served(call: impl Future<Output = Result<(), Status>>) -> bool {
    const NOTHING_YET: std::time::Duration = std::time::Duration::from_millis(500);
    match tokio::time::timeout(NOTHING_YET, call).await {
        Err(_) | Ok(Ok(())) => true,
        Ok(Err(status)) => said_by_peer(&status).map_or(true, |s| s.code() != Code::Unimplemented),
    }
}
