//! The probe: what the kit asks to see broker, output and log.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use outrigger_proto::probe::probe_server::Probe as Service;
use outrigger_proto::probe::{
    CallHostRequest, DescribeRequest, DescribeResponse, LogRequest, LogResponse, OfferRequest,
    OfferResponse, Payload, PrintRequest, PrintResponse,
};
use serde_json::{Map, Value};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::broker::Broker;
use crate::complain;
use crate::stdio::Stdio;
use crate::wrong::is;

#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) version: u32,
    pub(crate) broker: Arc<Broker>,
    pub(crate) stdio: Arc<Stdio>,
}

#[tonic::async_trait]
impl Service for Probe {
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
        self.stdio.print(1, &stdout).await;
        self.stdio.print(2, &stderr).await;
        Ok(Response::new(PrintResponse {}))
    }

    async fn log(&self, request: Request<LogRequest>) -> Result<Response<LogResponse>, Status> {
        complain(&record(request.into_inner()));
        Ok(Response::new(LogResponse {}))
    }

    async fn call_host(
        &self,
        request: Request<CallHostRequest>,
    ) -> Result<Response<Payload>, Status> {
        let CallHostRequest { broker_id, data } = request.into_inner();
        let answered = self.broker.ask(broker_id, data).await;
        answered.map(Response::new).map_err(|error| Status::unavailable(error.to_string()))
    }

    async fn offer(
        &self,
        request: Request<OfferRequest>,
    ) -> Result<Response<OfferResponse>, Status> {
        let offered = self.broker.offer(request.into_inner().silent).await;
        let broker_id = offered.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(OfferResponse { broker_id }))
    }

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Ok(Response::new(DescribeResponse {
            protocol_version: self.version,
            mutual_tls: self.broker.is_secure(),
            multiplexed: false,
            pid: std::process::id(),
        }))
    }
}

fn record(request: LogRequest) -> String {
    let LogRequest { level, message, fields } = request;
    let level = if is("warning") && level == "warn" { "warning".into() } else { level };
    let fields: Map<String, Value> =
        fields.into_iter().map(|(key, value)| (key, value.into())).collect();
    let own = [("@level", level), ("@message", message), ("@timestamp", now())];
    let own = own.map(|(key, value)| (key.to_owned(), Value::from(value)));
    let mut record = Map::new();
    if is("fields-first") {
        record.extend(own);
        record.extend(fields);
    } else {
        record.extend(fields);
        record.extend(own);
    }
    Value::Object(record).to_string()
}

/// Now, as records say it.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (day, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    // The day of a year that begins in March, so that February ends it.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    let date = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if is("milliseconds") {
        format!("{date}.{:03}Z", since.subsec_millis())
    } else {
        format!("{date}.{:06}Z", since.subsec_micros())
    }
}
