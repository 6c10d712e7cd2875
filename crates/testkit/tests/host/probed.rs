//! What a plugin that serves the probe shows of broker, output, versions and
//! sizes, over the whole of transport.

use std::sync::Mutex;

use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{Answer, AnswerServer};
use outrigger_proto::probe::probe_client::ProbeClient;
use outrigger_proto::probe::{
    CallHostRequest, DescribeRequest, OfferRequest, Payload, PrintRequest,
};
use outrigger_transport::{Rpc, Sink};
use tonic::{Request, Response, Status};

use super::elsewhere::{Elsewhere, launch};
use super::*;

const PROBE: &str = env!("CARGO_BIN_EXE_outrigger-interop-plugin");

fn probe_spec(directory: &Path, arguments: &str) -> LaunchSpec {
    let arguments = arguments.split_whitespace().map(str::to_owned).collect();
    LaunchSpec { program: Program::Path(PROBE.into()), arguments, ..spec(directory, "") }
}

async fn start(spec: LaunchSpec) -> Arc<dyn Connection> {
    ProcessDriver::new(None).launch(spec, CancellationToken::new()).await.unwrap()
}

fn rpc(connection: &dyn Connection) -> Rpc {
    let Endpoint::Rpc(rpc) = connection.endpoint() else { panic!("it is reached over gRPC") };
    rpc
}

fn probe(connection: &dyn Connection) -> ProbeClient<Rpc> {
    let rpc = rpc(connection);
    let largest = rpc.largest_message();
    ProbeClient::new(rpc).max_decoding_message_size(largest)
}

/// The host's part of the broker.
struct Host;

#[async_trait::async_trait]
impl Answer for Host {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let data = [b"host:".as_slice(), &request.into_inner().data].concat();
        Ok(Response::new(Payload { data: data.into() }))
    }
}

/// Has the plugin call the host, and the host the plugin, several times over.
async fn both_ways(connection: &dyn Connection) {
    let (main, mut probe) = (rpc(connection), probe(connection));
    let broker = main.broker().unwrap();
    for _ in 0..3 {
        let served = broker.serve(AnswerServer::new(Host)).await.unwrap();
        let call = CallHostRequest { broker_id: served.id(), data: b"x".as_slice().into() };
        let answer = probe.call_host(call).await.unwrap().into_inner();
        assert_eq!(answer.data, b"host:x".as_slice());

        let offer = probe.offer(OfferRequest { silent: false }).await.unwrap().into_inner();
        let mut answers = AnswerClient::new(broker.dial(offer.broker_id).await.unwrap());
        let question = Payload { data: b"y".as_slice().into() };
        let answer = answers.ask(question).await.unwrap().into_inner();
        assert_eq!(answer.data, b"plugin:y".as_slice());
    }
}

#[tokio::test]
async fn the_broker_works_both_ways_with_and_without_tls_and_multiplexing() {
    for (security, multiplex) in [
        (Security::AutoMtls, false),
        (Security::AutoMtls, true),
        (Security::Plaintext, false),
        (Security::Plaintext, true),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let spec = probe_spec(directory.path(), "");
        let connection = start(LaunchSpec { security, multiplex, ..spec }).await;
        let described = probe(&*connection).describe(DescribeRequest {}).await.unwrap();
        assert_eq!(described.into_inner().multiplexed, multiplex);
        both_ways(&*connection).await;
        let reattach = connection.reattach();
        assert_eq!(reattach.is_none(), multiplex, "one raw connection is the first host's");
        assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

#[tokio::test]
async fn streams_keep_their_order_and_pings_last_as_long_as_the_plugin_multiplexed_or_not() {
    for multiplex in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let spec = LaunchSpec { multiplex, ..probe_spec(directory.path(), "") };
        let connection = start(spec).await;
        let numbered = |n: u32| Payload { data: n.to_be_bytes().to_vec().into() };
        let sent = tokio_stream::iter((0..1_000).map(numbered));
        let mut echoed = probe(&*connection).echo_stream(sent).await.unwrap().into_inner();
        for n in 0..1_000 {
            assert_eq!(echoed.message().await.unwrap(), Some(numbered(n)));
        }
        assert_eq!(echoed.message().await.unwrap(), None);
        for _ in 0..2 {
            assert_eq!(connection.health(PATIENCE).await, Health::Serving);
        }
        let mut kept = probe(&*connection);
        assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
        assert_eq!(connection.health(PATIENCE).await, Health::Unreachable);
        let late = kept.describe(DescribeRequest {});
        timeout(PATIENCE, late).await.expect("it fails at once").unwrap_err();
    }
}

#[tokio::test]
async fn a_plugin_that_a_runner_started_has_brokered_addresses_translated_both_ways() {
    for multiplex in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let spec = LaunchSpec { multiplex, ..probe_spec(directory.path(), "") };
        let connection = launch(Elsewhere::default(), spec).await.unwrap();
        both_ways(&*connection).await;
        assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    }
}

#[tokio::test]
async fn what_a_process_prints_arrives_byte_for_byte_in_the_host_s_writers() {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = probe_spec(directory.path(), "");
    let (stdout, stderr) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let sink = |kept: &Arc<Mutex<Vec<u8>>>| -> Option<Sink> {
        let kept = kept.clone();
        Some(Arc::new(move |bytes: &[u8]| kept.lock().unwrap().extend_from_slice(bytes)))
    };
    spec.output.stdout = sink(&stdout);
    spec.output.stderr = sink(&stderr);
    let connection = start(spec).await;
    let printed: Vec<u8> = (0..200_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    let print =
        PrintRequest { stdout: printed.clone().into(), stderr: b"err \xff\0\n".as_slice().into() };
    probe(&*connection).print(print).await.unwrap();
    until(|| stdout.lock().unwrap().len() >= printed.len()).await;
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    assert!(*stdout.lock().unwrap() == printed);
    assert_eq!(*stderr.lock().unwrap(), b"err \xff\0\n");
}

#[tokio::test]
async fn the_highest_common_version_is_served_and_visible_and_none_is_an_error_with_both_sides() {
    let directory = tempfile::tempdir().unwrap();
    let spec = probe_spec(directory.path(), "-versions 0,2,5,11");
    for (ours, expected) in [(vec![0], 0), (vec![5, 2, 3], 5), (vec![0, 11, 12], 11)] {
        let connection = start(LaunchSpec { protocol_versions: ours, ..spec.clone() }).await;
        let described = probe(&*connection).describe(DescribeRequest {}).await.unwrap();
        assert_eq!(described.into_inner().protocol_version, expected);
        assert_eq!(connection.info().app_version, expected);
        assert_eq!(rpc(&*connection).version(), expected);
        connection.stop(StopLadder::default()).await;
    }
    let lacking = LaunchSpec { protocol_versions: vec![1, 7], ..spec };
    let launched = ProcessDriver::new(None).launch(lacking, CancellationToken::new()).await;
    let text = launched.unwrap_err().to_string();
    assert!(text.contains("version 0") && text.contains("1, 7") && text.contains(PROBE), "{text}");
}
