//! A plugin served within the test's own process, in plaintext.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::time::Duration;

use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_proto::plugin::grpc_broker_client::GrpcBrokerClient;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{ConnInfo, Empty};
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_proto::quorum_init::plugin_initialization::Request as Init;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_sdk::{Code, Error, HostRequest, Plugin, Status, quorum};
use outrigger_transport::Address;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_stream::StreamExt as _;
use tonic::transport::{Channel, Endpoint};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

struct Greeter(&'static str);

impl quorum::Greeter for Greeter {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        match msg {
            "hang" => std::future::pending().await,
            _ => Ok(format!("{} {msg}", self.0)),
        }
    }
}

struct Careless;

impl quorum::Initialiser for Careless {
    async fn init(&self, _identity: &str, _config: &[u8]) -> Result<(), Status> {
        Ok(())
    }
}

fn plugin() -> Plugin {
    Plugin::new("K", "v").service(quorum::greeter(Greeter("ahoy")))
}

/// A plugin that serves, and a connection to it.
struct Served {
    channel: Channel,
    end: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Error>>,
    directory: TempDir,
}

impl Served {
    async fn start(plugin: Plugin) -> Self {
        Self::under(plugin, &[]).await
    }

    /// Under a host with these versions.
    async fn under(plugin: Plugin, versions: &[u32]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = HostRequest {
            protocol_versions: versions.to_vec(),
            socket_directory: Some(directory.path().to_owned()),
            ..HostRequest::default()
        };
        let listening = plugin.listen(&host).unwrap();
        let path = listening.line().split('|').nth(3).unwrap().to_owned();
        let (end, ends) = oneshot::channel::<()>();
        let serving = tokio::spawn(plugin.serve_on(listening, async move {
            let _ended = ends.await;
        }));
        let endpoint = Endpoint::from_shared(format!("unix://{path}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Self { channel, end, serving, directory }
    }

    async fn greet(&self, msg: &str) -> Result<String, Status> {
        let mut client = PluginGreetingClient::new(self.channel.clone());
        let request = Hello { msg: msg.to_owned() };
        Ok(client.greeting(request).await?.into_inner().msg)
    }

    async fn health(&self, service: &str) -> Result<ServingStatus, Status> {
        let mut client = HealthClient::new(self.channel.clone());
        let request = HealthCheckRequest { service: service.to_owned() };
        Ok(client.check(request).await?.into_inner().status())
    }

    async fn has_ended(self) -> (Result<(), Error>, usize) {
        let result = timeout(PATIENCE, self.serving).await.expect("it ends").unwrap();
        (result, self.directory.path().read_dir().unwrap().count())
    }
}

#[tokio::test]
async fn an_author_s_service_answers_beside_the_standard_ones() {
    let served = Served::start(plugin()).await;
    assert_eq!(served.greet("you").await.unwrap(), "ahoy you");
    assert_eq!(served.health("plugin").await.unwrap(), ServingStatus::Serving);
    assert_eq!(served.health("").await.unwrap(), ServingStatus::Serving);
    assert_eq!(served.health("other").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unimplemented_by_name() {
    let served = Served::start(Plugin::new("K", "v")).await;
    let status = served.greet("you").await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("/proto.PluginGreeting/Greeting"), "{status}");
}

#[tokio::test]
async fn a_later_service_replaces_an_earlier_one_of_its_name() {
    let served = Served::start(plugin().service(quorum::greeter(Greeter("hey")))).await;
    assert_eq!(served.greet("you").await.unwrap(), "hey you");
}

#[tokio::test]
async fn a_plugin_can_say_that_it_does_not_serve() {
    let plugin = plugin();
    let health = plugin.health();
    let served = Served::start(plugin).await;
    health.set_serving(false);
    assert_eq!(served.health("plugin").await.unwrap(), ServingStatus::NotServing);
}

#[tokio::test]
async fn shutdown_is_answered_and_ends_it_while_every_kind_of_stream_is_open() {
    let served = Served::start(plugin()).await;
    let channel = || served.channel.clone();
    let stdio = GrpcStdioClient::new(channel()).stream_stdio(()).await.unwrap();
    let announcements = tokio_stream::pending::<ConnInfo>();
    let broker = GrpcBrokerClient::new(channel()).start_stream(announcements).await.unwrap();
    let request = HealthCheckRequest { service: "plugin".to_owned() };
    let health = HealthClient::new(channel()).watch(request).await.unwrap();
    let mut greeter = PluginGreetingClient::new(channel());
    let hanging =
        tokio::spawn(async move { greeter.greeting(Hello { msg: "hang".to_owned() }).await });

    let asked = Instant::now();
    GrpcControllerClient::new(channel()).shutdown(Empty {}).await.expect("it is answered");
    let (result, left) = served.has_ended().await;
    result.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(left, 0, "the socket's file is gone");

    timeout(PATIENCE, hanging).await.unwrap().unwrap().unwrap_err();
    let until_closed = async {
        let mut health = health.into_inner();
        while let Ok(Some(_)) = health.message().await {}
        let mut broker = broker.into_inner();
        while let Ok(Some(_)) = broker.message().await {}
        let mut stdio = stdio.into_inner();
        while let Ok(Some(_)) = stdio.message().await {}
    };
    timeout(PATIENCE, until_closed).await.expect("the streams end");
}

#[tokio::test]
async fn a_broker_stream_that_the_host_ends_is_no_error() {
    let served = Served::start(plugin()).await;
    let announced = ConnInfo { service_id: 1, network: "unix".into(), ..ConnInfo::default() };
    let mut client = GrpcBrokerClient::new(served.channel.clone());
    let mut stream = client.start_stream(tokio_stream::once(announced)).await.unwrap().into_inner();
    assert!(stream.next().await.is_none());
    assert_eq!(served.greet("you").await.unwrap(), "ahoy you");
}

#[tokio::test]
async fn its_owner_can_end_it() {
    let mut served = Served::start(plugin()).await;
    let (unused, _) = oneshot::channel();
    std::mem::replace(&mut served.end, unused).send(()).unwrap();
    let (result, left) = served.has_ended().await;
    assert!(result.is_ok() && left == 0);
}

#[test]
fn versions_are_those_that_were_added_or_one() {
    let host = HostRequest { protocol_versions: vec![1, 2, 5], ..HostRequest::default() };
    assert_eq!(plugin().choose_version(&host), 1);
    assert_eq!(plugin().version(2).version(5).version(9).choose_version(&host), 5);
    assert_eq!(plugin().version(9).version(8).choose_version(&host), 8);
}

#[tokio::test]
async fn a_host_finds_the_services_of_its_version_and_of_all_and_no_others() {
    let plugin = || {
        Plugin::new("K", "v")
            .service(quorum::initialiser(Careless))
            .version_with(1, |set| set)
            .version_with(4, |set| set.service(quorum::greeter(Greeter("four"))))
            .version_with(7, |set| set.service(quorum::greeter(Greeter("seven"))))
    };
    for (offered, expected) in
        [(&[4, 1][..], Some("four x")), (&[7, 4], Some("seven x")), (&[1], None), (&[9], None)]
    {
        let served = Served::under(plugin(), offered).await;
        assert_eq!(served.greet("x").await.ok().as_deref(), expected, "{offered:?}");
        let mut initialiser = PluginInitializerClient::new(served.channel.clone());
        initialiser.init(Init::default()).await.expect("a service of every version");
    }
}

#[tokio::test]
async fn test_mode_ends_when_told_and_says_so() {
    let serving = plugin().version(3).version(2).serve_in_test_mode().unwrap();
    let Address::Unix(path) = serving.reattach().address.clone() else { panic!("a socket") };
    assert_eq!(serving.reattach().version, 2, "the lowest, without a host's list");
    let endpoint = Endpoint::from_shared(format!("unix://{}", path.display())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut client = PluginGreetingClient::new(channel.clone());
    assert_eq!(
        client.greeting(Hello { msg: "x".into() }).await.unwrap().into_inner().msg,
        "ahoy x"
    );
    let _open = GrpcStdioClient::new(channel).stream_stdio(()).await.unwrap();
    serving.end();
    timeout(PATIENCE, serving.ended()).await.expect("it says so").unwrap();
    assert!(!path.exists());
    client.greeting(Hello::default()).await.unwrap_err();
}

#[tokio::test]
async fn dropping_a_plugin_in_test_mode_ends_it() {
    let serving = plugin().serve_in_test_mode().unwrap();
    let Address::Unix(path) = serving.reattach().address.clone() else { panic!("a socket") };
    let endpoint = Endpoint::from_shared(format!("unix://{}", path.display())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    drop(serving);
    let ended = async {
        let mut client = PluginGreetingClient::new(channel);
        while client.greeting(Hello::default()).await.is_ok() {}
    };
    timeout(PATIENCE, ended).await.expect("no call succeeds for ever");
    assert!(!path.exists());
}
