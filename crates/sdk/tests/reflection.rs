//! What a plugin says of itself, to whoever asks by reflection.

use std::path::Path;

use outrigger_sdk::quorum;
use outrigger_transport::{
    Cookie, Driver as _, Endpoint, LaunchSpec, ProcessDriver, Program, StopLadder,
};
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

/// What go-plugin's own services have.
const DESCRIBED: [&str; 6] = [
    "grpc.health.v1.Health.Check",
    "grpc.health.v1.Health.List",
    "grpc.health.v1.Health.Watch",
    "plugin.GRPCBroker.StartStream",
    "plugin.GRPCController.Shutdown",
    "plugin.GRPCStdio.StreamStdio",
];

/// What a listing names, asked through one version of reflection.
macro_rules! listed {
    ($version:ident, $rpc:expr) => {{
        use tonic_reflection::pb::$version::ServerReflectionRequest;
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        let ask = |what| ServerReflectionRequest { message_request: Some(what), host: "".into() };
        let list = ask(MessageRequest::ListServices(String::new()));
        let described =
            DESCRIBED.map(|name| ask(MessageRequest::FileContainingSymbol(name.to_owned())));
        let questions: Vec<_> = std::iter::once(list).chain(described).collect();
        let mut client = ServerReflectionClient::new($rpc);
        let answers = client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap();
        let mut answers = answers.into_inner();
        let mut next = async || answers.next().await.unwrap().unwrap().message_response.unwrap();
        let MessageResponse::ListServicesResponse(list) = next().await else { panic!("no list") };
        for name in DESCRIBED {
            let answer = next().await;
            assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{name}");
        }
        list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
    }};
}

#[tokio::test]
async fn reflection_names_every_service_in_both_of_its_versions_multiplexed_or_not() {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().and_then(Path::parent).unwrap().join("examples/hello_world");
    let expected = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "plugin.GRPCBroker",
        "plugin.GRPCController",
        "plugin.GRPCStdio",
        "proto.PluginGreeting",
        "proto_common.PluginInitializer",
    ];
    for multiplex in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let cookie = Cookie { key: quorum::COOKIE_KEY.into(), value: quorum::COOKIE_VALUE.into() };
        let program = Program::Path(example.clone());
        let spec = LaunchSpec {
            multiplex,
            ..LaunchSpec::new("helloworld", program, cookie, directory.path())
        };
        let launched = ProcessDriver::new(None).launch(spec, CancellationToken::new()).await;
        let connection = launched.unwrap();
        let Endpoint::Rpc(rpc) = connection.endpoint() else { panic!("it is reached over gRPC") };
        assert_eq!(listed!(v1, rpc.clone()), expected);
        assert_eq!(listed!(v1alpha, rpc), expected);
        connection.stop(StopLadder::default()).await;
    }
}
