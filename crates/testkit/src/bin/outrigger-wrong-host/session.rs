//! One plugin's life: start, connect, use, stop.

use std::path::Path;
use std::time::Duration;

use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_proto::plugin::grpc_broker_client::GrpcBrokerClient;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{ConnInfo, Empty, StdioData};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::Wrong;
use crate::identity::Identity;
use crate::line::Line;
use crate::output::{Tail, first_line, read_stderr};
use crate::process::Process;
use crate::tls::connect;

/// From the start to the line.
const START: Duration = Duration::from_secs(2);

/// For a health check: longer than a plugin is kept busy by its own output.
const HEALTH: Duration = Duration::from_secs(12);

/// From `Shutdown` to the kill.
const STOP: Duration = Duration::from_secs(2);

/// What an impatient host gives.
const NO_TIME: Duration = Duration::from_millis(200);

/// What a host waits for that should not wait.
const FOR_EVER: Duration = Duration::from_secs(600);

pub(crate) async fn host(wrong: &Wrong, plugin: &Path) -> Result<(), String> {
    let identity = Identity::generate(wrong).map_err(|error| error.to_string())?;
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut process = Process::start(wrong, plugin, &identity, directory.path())?;
    let tail = Tail::default();
    let stderr = read_stderr(wrong, &mut process, &tail);
    let mut stdout = None;
    let used = async {
        let (line, rest) = first_line(wrong, &mut process, &tail, START).await?;
        stdout = Some(rest);
        let line = Line::parse(wrong, &line)?;
        let channel = connect(wrong, &identity, line).await?;
        let broker = open_broker(wrong, channel.clone()).await?;
        let _broker_again = if wrong.is("two-brokers") {
            Some(open_broker(wrong, channel.clone()).await?)
        } else {
            None
        };
        let stdio = open_stdio(wrong, channel.clone());
        health(wrong, channel.clone()).await?;
        Ok((channel, broker, stdio))
    };
    let used: Result<(Channel, Broker, JoinHandle<()>), String> = used.await;
    let ended = match used {
        Ok((channel, _broker, _stdio)) => stop(wrong, &mut process, channel).await,
        Err(why) if wrong.is("keeps-refused") => return Err(why),
        Err(why) => {
            process.kill().await;
            Err(why)
        }
    };
    if wrong.is("waits-for-pipes") {
        let _both = timeout(FOR_EVER, async {
            let _end = stderr.await;
            if let Some(stdout) = stdout {
                let _end = stdout.await;
            }
        })
        .await;
    }
    ended
}

/// The sender that keeps the request side open, and the task that reads.
type Broker = (Option<mpsc::Sender<ConnInfo>>, JoinHandle<()>);

async fn open_broker(wrong: &Wrong, channel: Channel) -> Result<Broker, String> {
    let (announce, announced) = mpsc::channel(1);
    let mut client = GrpcBrokerClient::new(channel);
    let opening =
        Box::pin(async move { client.start_stream(ReceiverStream::new(announced)).await });
    let reading = if wrong.is("needs-broker") || wrong.is("waits-for-headers") {
        let opened = timeout(HEALTH, opening).await;
        let opened = opened.map_err(|_| "the broker's stream did not come".to_owned())?;
        match opened {
            Err(status) if wrong.is("needs-broker") => return Err(format!("broker: {status}")),
            opened => tokio::spawn(async move { read(opened).await }),
        }
    } else {
        // No headers come before the first message, if any ever does.
        tokio::spawn(async move { read(opening.await).await })
    };
    Ok(((!wrong.is("half-closes")).then_some(announce), reading))
}

type Opened<M> = Result<tonic::Response<tonic::Streaming<M>>, Status>;

/// Reads a stream for as long as it lasts; its failure is nobody's concern.
async fn read<M>(opened: Opened<M>) {
    let Ok(stream) = opened else { return };
    let mut stream = stream.into_inner();
    while let Ok(Some(_)) = stream.message().await {}
}

fn open_stdio(wrong: &Wrong, channel: Channel) -> JoinHandle<()> {
    let wrong = wrong.clone();
    tokio::spawn(async move {
        if wrong.is("no-stdio") {
            return;
        }
        let opened = GrpcStdioClient::new(channel).stream_stdio(()).await;
        if wrong.is("leaves-stdio") {
            std::future::pending::<()>().await;
        }
        if wrong.is("minds-pieces") {
            return mind(opened).await;
        }
        read(opened).await;
    })
}

/// Reads until something comes that is not output.
async fn mind(opened: Opened<StdioData>) {
    let Ok(stream) = opened else { return };
    let mut stream = stream.into_inner();
    while let Ok(Some(piece)) = stream.message().await {
        if piece.data.is_empty() || !matches!(piece.channel, 1 | 2) {
            return;
        }
    }
}

/// Any answer is life, and so is having no health service.
async fn health(wrong: &Wrong, channel: Channel) -> Result<(), String> {
    let mut client = HealthClient::new(channel);
    let asking = client.check(HealthCheckRequest { service: "plugin".to_owned() });
    let limit = if wrong.is("waits-for-health") { FOR_EVER } else { HEALTH };
    let answer = timeout(limit, asking).await;
    match answer.map_err(|_| "no answer to a health check".to_owned())? {
        Ok(answer)
            if wrong.is("minds-health") && answer.get_ref().status() != ServingStatus::Serving =>
        {
            Err("it does not serve".to_owned())
        }
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::Unimplemented => Ok(()),
        Err(status) => Err(format!("health: {status}")),
    }
}

async fn stop(wrong: &Wrong, process: &mut Process, channel: Channel) -> Result<(), String> {
    let asked = Instant::now();
    let mut client = GrpcControllerClient::new(channel);
    let heard = timeout(STOP, client.shutdown(Empty {})).await;
    let grace = if wrong.is("impatient") { NO_TIME } else { STOP };
    let left = grace.saturating_sub(asked.elapsed());
    if process.ended_within(left).await.is_none() && !wrong.is("no-kill") {
        process.kill().await;
    }
    match heard {
        Ok(Err(status))
            if wrong.is("shutdown-must-be-answered") && status.code() != Code::Unimplemented =>
        {
            Err(format!("shutdown: {status}"))
        }
        _ => Ok(()),
    }
}
