//! Plugins that nobody here wrote: the notification plugins of Debian's crowdsec
//! package, on go-plugin 1.0.1, with a cookie, services and settings of their
//! own. They are run as they come; crowdsec itself is not.

/// Included as text, so that rustfmt leaves it as the generator wrote it.
#[allow(warnings, clippy::all, clippy::pedantic, reason = "generated code")]
mod generated {
    include!("crowdsec/generated.rs");
}

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use outrigger::{
    CallOptions, Caller, Cookie, Endpoint, Gateway, GatewayError, InitialiseError,
    InitialiseRequest, Initialiser, InterfaceName, InterfaceSpec, Link, Method, PluginHost,
};
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::stop;
use generated::notifier_client::NotifierClient;
use generated::{Config, Notification};

const INTERFACE: &str = "notifier";

/// The plugins compare the cookie with itself, so any value will do; crowdsec
/// makes a new one for each start.
fn interface() -> InterfaceSpec {
    let cookie = Cookie { key: "CROWDSEC_PLUGIN_KEY".to_owned(), value: "a-key".to_owned() };
    InterfaceSpec::new(InterfaceName::parse(INTERFACE).unwrap(), cookie).with_initialiser(Configure)
}

#[derive(Debug)]
struct Configure;

#[tonic::async_trait]
impl Initialiser for Configure {
    async fn initialise(
        &self,
        endpoint: &Endpoint,
        request: InitialiseRequest,
    ) -> Result<(), InitialiseError> {
        let Endpoint::Rpc(rpc) = endpoint else { return Ok(()) };
        // JSON is YAML.
        let config = Config { config: request.config.expose().to_vec() };
        let answer = NotifierClient::new(rpc.clone()).configure(config).await;
        answer.map(drop).map_err(|status| InitialiseError {
            permanent: true,
            message: status.message().escape_debug().to_string(),
        })
    }
}

struct Notifier {
    caller: Caller,
    notify: Arc<Method>,
}

impl Gateway for Notifier {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        Self { caller: Caller::new(link), notify: Arc::new(Method::new("Notify")) }
    }
}

impl Notifier {
    async fn notify(&self, name: &str, text: &str) -> Result<(), GatewayError> {
        let message = Notification { name: name.to_owned(), text: text.to_owned() };
        let call = self.caller.unary(&self.notify, CallOptions::default(), |rpc, out| async move {
            NotifierClient::new(rpc).notify(out.request(message)).await
        });
        call.await.map(drop)
    }
}

/// A kit that provides the package's plugin with this config.
fn kit(plugin: &str, config: Value) -> Option<Kit> {
    let program = fs::read(artifacts::foreign("crowdsec")?.join(plugin)).unwrap();
    let mut kit = Kit::new();
    let name = format!("notification-{plugin}");
    kit.pack(&name, &[(plugin, &program, 0o755)], json!({ "entrypoint": plugin }));
    kit.provide(INTERFACE, &name);
    kit.set(&format!("/providers/{INTERFACE}/config"), config);
    Some(kit)
}

async fn start(kit: &Kit) -> Result<PluginHost, String> {
    let builder = PluginHost::builder().settings_url(kit.settings_url());
    let registered = builder.interface(interface()).danger_skip_verification().register();
    registered.unwrap().start().await.map_err(|error| error.to_string())
}

/// Answers one request over HTTP, and gives what it was.
async fn receive(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut request, mut piece) = (String::new(), [0; 1024]);
    while !request.ends_with("the text") {
        let length = stream.read(&mut piece).await.unwrap();
        assert_ne!(length, 0, "the request ended early: {request}");
        request.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
    request
}

/// Settings of every plugin of the package, by which it is content.
fn content(plugin: &str, server: SocketAddr) -> Value {
    let url = format!("http://{server}/notify");
    match plugin {
        "email" => json!({
            "name": "here", "smtp_host": "127.0.0.1",
            "sender_email": "from@example.org", "receiver_emails": ["to@example.org"],
        }),
        "slack" => json!({ "name": "here", "webhook": url }),
        "splunk" => json!({ "name": "here", "url": url, "token": "none" }),
        "http" => json!({
            "name": "here", "url": url, "method": "POST", "headers": { "X-Test": "yes" },
        }),
        _ => json!({ "name": "here" }),
    }
}

e2e! {
    async fn debian_s_http_notification_plugin_posts_what_it_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = content("http", listener.local_addr().unwrap());
        let Some(kit) = kit("http", config) else { return };
        let host = start(&kit).await.unwrap();
        let status = host.watch(INTERFACE).unwrap().borrow().clone();
        assert_eq!(status.app_version, Some(1));

        let notifier = host.gateway::<Notifier>(INTERFACE).unwrap();
        let deadline = Duration::from_secs(10);
        let (notified, request) = tokio::join!(
            notifier.notify("here", "the text"),
            tokio::time::timeout(deadline, receive(listener)),
        );
        notified.unwrap();
        let request = request.unwrap();
        assert!(request.starts_with("POST /notify HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("X-Test: yes\r\n"), "{request}");

        let unknown = notifier.notify("elsewhere", "the text").await.unwrap_err().to_string();
        assert!(unknown.contains("elsewhere"), "{unknown}");
        stop(host).await;
        kit.assert_clean();
    }

    async fn every_notification_plugin_of_debian_s_crowdsec_starts_and_stops() {
        for plugin in ["dummy", "email", "slack", "splunk"] {
            let Some(kit) = kit(plugin, content(plugin, ([127, 0, 0, 1], 9).into())) else { return };
            let host = start(&kit).await.unwrap();
            let status = host.watch(INTERFACE).unwrap().borrow().clone();
            assert_eq!(status.failures, 0, "{plugin}: {status:?}");
            stop(host).await;
            kit.assert_clean();
        }
    }

    async fn a_foreign_plugin_s_own_refusal_reaches_the_operator() {
        let Some(kit) = kit("email", json!({ "name": "here" })) else { return };
        let error = start(&kit).await.unwrap_err();
        assert!(error.contains("SMTP host is not set"), "{error}");
        kit.assert_clean();
    }
}
