//! The probe service (`proto/probe/probe.proto`): what tests and the conformance
//! kit ask of a plugin to see broker, output and sizes from outside; and the
//! service that either side offers over the broker.

use std::collections::VecDeque;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{self, AnswerServer};
use outrigger_proto::probe::probe_server::{self, ProbeServer};
use outrigger_proto::probe::{
    CallHostRequest, DescribeRequest, DescribeResponse, LogRequest, LogResponse, OfferRequest,
    OfferResponse, Payload, PrintRequest, PrintResponse,
};
use outrigger_sdk::{Broker, Brokered, HostRequest, log};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use tracing_subscriber::filter::LevelFilter;

/// What the probe takes in one message, in bytes; tonic's own limit is 4 MiB.
const LARGEST: usize = 64 * 1024 * 1024;

/// Offers that are kept at a time; an older one ends.
const OFFERS: usize = 64;

/// An id that no broker hands out in a test.
const NOBODY: u32 = u32::MAX;

/// The probe, as a plugin serves it.
#[derive(Debug)]
pub struct Probe {
    broker: Broker,
    version: u32,
    mutual_tls: bool,
    multiplexed: bool,
    offers: Mutex<VecDeque<Brokered>>,
}

/// The probe service for one application version, over the plugin's broker.
/// `host` is what it was started with.
#[must_use]
pub fn probe(broker: Broker, version: u32, host: &HostRequest) -> ProbeServer<Probe> {
    let probe = Probe {
        broker,
        version,
        mutual_tls: host.certificate_pem.is_some(),
        multiplexed: host.multiplex,
        offers: Mutex::default(),
    };
    ProbeServer::new(probe).max_decoding_message_size(LARGEST)
}

/// The service that either side offers: answers with a prefix and what it was
/// asked.
#[derive(Debug, Clone)]
pub struct Answer(&'static str);

/// The answering service with this prefix: `plugin:` or `host:`.
#[must_use]
pub fn answer(prefix: &'static str) -> AnswerServer<Answer> {
    AnswerServer::new(Answer(prefix)).max_decoding_message_size(LARGEST)
}

#[tonic::async_trait]
impl answer_server::Answer for Answer {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let mut data = self.0.as_bytes().to_vec();
        data.extend_from_slice(&request.get_ref().data);
        Ok(Response::new(Payload { data: data.into() }))
    }
}

#[tonic::async_trait]
impl probe_server::Probe for Probe {
    async fn echo(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    type EchoStreamStream = Pin<Box<dyn Stream<Item = Result<Payload, Status>> + Send>>;

    async fn echo_stream(
        &self,
        request: Request<Streaming<Payload>>,
    ) -> Result<Response<Self::EchoStreamStream>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().map(|payload| payload))))
    }

    async fn print(
        &self,
        request: Request<PrintRequest>,
    ) -> Result<Response<PrintResponse>, Status> {
        let PrintRequest { stdout, stderr } = request.into_inner();
        let print = move || {
            let mut out = std::io::stdout().lock();
            out.write_all(&stdout)?;
            out.flush()?;
            std::io::stderr().lock().write_all(&stderr)
        };
        let printed = tokio::task::spawn_blocking(print).await;
        let printed = printed.map_err(|error| Status::internal(error.to_string()))?;
        printed.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(PrintResponse {}))
    }

    async fn log(&self, request: Request<LogRequest>) -> Result<Response<LogResponse>, Status> {
        let LogRequest { level, message, fields } = request.into_inner();
        let known = level.parse::<LevelFilter>().ok().and_then(LevelFilter::into_level);
        let unknown = || Status::invalid_argument(format!("level `{level}` is not known"));
        log::record(known.ok_or_else(unknown)?, "interop", &message, fields);
        Ok(Response::new(LogResponse {}))
    }

    async fn call_host(
        &self,
        request: Request<CallHostRequest>,
    ) -> Result<Response<Payload>, Status> {
        let CallHostRequest { broker_id, data } = request.into_inner();
        let dialled = self.broker.dial(broker_id).await;
        let rpc = dialled.map_err(|error| Status::unavailable(error.to_string()))?;
        let largest = rpc.largest_message();
        let mut host = AnswerClient::new(rpc).max_decoding_message_size(largest);
        host.ask(Payload { data }).await
    }

    async fn offer(
        &self,
        request: Request<OfferRequest>,
    ) -> Result<Response<OfferResponse>, Status> {
        if request.get_ref().silent {
            return Ok(Response::new(OfferResponse { broker_id: NOBODY }));
        }
        let offered = self.broker.serve(answer("plugin:")).await;
        let offered = offered.map_err(|error| Status::unavailable(error.to_string()))?;
        let broker_id = offered.id();
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if offers.len() == OFFERS {
            offers.pop_front();
        }
        offers.push_back(offered);
        Ok(Response::new(OfferResponse { broker_id }))
    }

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Ok(Response::new(DescribeResponse {
            protocol_version: self.version,
            mutual_tls: self.mutual_tls,
            multiplexed: self.multiplexed,
            pid: std::process::id(),
        }))
    }
}
