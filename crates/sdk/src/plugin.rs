//! The plugin: what it serves, to whom, and how it is reached.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;

use bytes::Bytes;
use outrigger_proto::metrics::metrics_server::MetricsServer;
use outrigger_proto::metrics::read_response::Source;
use outrigger_transport::serve::{HostRequest, Listen, Listening, ServeError};
use outrigger_transport::{Broker, GivenTls};
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use crate::cookie::Cookie;
use crate::environment;
use crate::error::Error;
use crate::host::HostWatch;
use crate::output::Capture;
use crate::quorum;
use crate::services::{Health, OwnMetrics};
use crate::set::ServiceSet;
use crate::stderr;

/// What a plugin without versions speaks.
const FIRST_VERSION: u32 = 1;

/// What is done before the end.
pub(crate) struct Hook(pub(crate) Pin<Box<dyn Future<Output = Result<(), String>> + Send>>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// A plugin to be: its cookie, its versions and its services.
#[derive(Debug)]
pub struct Plugin {
    pub(crate) cookie: Cookie,
    pub(crate) versions: BTreeMap<u32, ServiceSet>,
    pub(crate) services: ServiceSet,
    pub(crate) health: Health,
    pub(crate) descriptors: Vec<&'static [u8]>,
    pub(crate) capture: Option<Capture>,
    pub(crate) broker: Broker,
    pub(crate) hook: Option<Hook>,
    tcp: bool,
    tls: Option<GivenTls>,
    #[cfg(feature = "opentelemetry")]
    traced: Option<String>,
}

impl Plugin {
    /// A plugin whose host sets the environment variable `cookie_key` to
    /// `cookie_value`. Both come from the host's documentation, and neither may
    /// be empty.
    #[must_use]
    pub fn new(cookie_key: impl Into<String>, cookie_value: impl Into<String>) -> Self {
        let host = "another program".to_owned();
        Self {
            cookie: Cookie { key: cookie_key.into(), value: cookie_value.into(), host },
            versions: BTreeMap::new(),
            services: ServiceSet::default(),
            health: Health::default(),
            descriptors: Vec::new(),
            capture: None,
            broker: Broker::new(),
            hook: None,
            tcp: false,
            tls: None,
            #[cfg(feature = "opentelemetry")]
            traced: None,
        }
    }

    /// A plugin of GoQuorum: its cookie, application protocol version 1.
    #[must_use]
    pub fn quorum() -> Self {
        Self::new(quorum::COOKIE_KEY, quorum::COOKIE_VALUE).made_for("GoQuorum")
    }

    /// Does something before the plugin ends: when its host asks it to, by SIGTERM,
    /// and when the host is gone. Calls are still answered meanwhile. Outrigger
    /// reports an error of it; it waits 2 s by default, and kills then.
    ///
    /// ```
    /// # use outrigger_sdk::Plugin;
    /// # async fn flush() -> Result<(), std::io::Error> { Ok(()) }
    /// let plugin = Plugin::quorum().at_shutdown(flush());
    /// # drop(plugin);
    /// ```
    #[must_use]
    pub fn at_shutdown<E: fmt::Display>(
        mut self,
        hook: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        let hook = async move { hook.await.map_err(|error| error.to_string()) };
        self.hook = Some(Hook(Box::pin(hook)));
        self
    }

    /// Names the host, for the person who runs the plugin by hand.
    #[must_use]
    pub fn made_for(mut self, host: impl Into<String>) -> Self {
        self.cookie.host = host.into();
        self
    }

    /// Adds an application protocol version; without any it is 1. The highest
    /// that the host speaks too is agreed on, and without one the lowest, which
    /// the host refuses with a message that names both sides'.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.versions.entry(version).or_default();
        self
    }

    /// Adds an application protocol version with services of its own. A host
    /// that agrees on it finds these and those of [`service`](Self::service),
    /// which they replace where they have the same name; a host of another
    /// version does not find them.
    ///
    /// ```
    /// # use outrigger_sdk::{Plugin, Status, quorum};
    /// # struct Greeter(&'static str);
    /// # impl quorum::Greeter for Greeter {
    /// #     async fn greeting(&self, msg: &str) -> Result<String, Status> {
    /// #         Ok(format!("{} {msg}", self.0))
    /// #     }
    /// # }
    /// let plugin = Plugin::new("KEY", "value")
    ///     .version_with(1, |set| set.service(quorum::greeter(Greeter("Hello"))))
    ///     .version_with(2, |set| set.service(quorum::greeter(Greeter("Good day"))));
    /// # drop(plugin);
    /// ```
    #[must_use]
    pub fn version_with(
        mut self,
        version: u32,
        add: impl FnOnce(ServiceSet) -> ServiceSet,
    ) -> Self {
        let set = self.versions.remove(&version).unwrap_or_default();
        self.versions.insert(version, add(set));
        self
    }

    /// Adds a service of every version: one of this crate, or any that tonic
    /// generated. One of the same name replaces it, go-plugin's own services
    /// included. See [`ServiceSet::service`] on the sizes of messages.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.services = self.services.service(service);
        self
    }

    /// Shows the host what the plugin counts itself: `text` gives it in Prometheus'
    /// text format, of at most a MiB, whenever the host asks, which is every few
    /// seconds. The host shows it beside its own under the plugin's name.
    #[must_use]
    pub fn metrics(self, text: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.service(MetricsServer::new(OwnMetrics::new(move || Source::Text(text()))))
    }

    /// The same, where the plugin serves that text already: at `GET /metrics` on this
    /// port of 127.0.0.1.
    #[must_use]
    pub fn metrics_port(self, port: u16) -> Self {
        self.service(MetricsServer::new(OwnMetrics::new(move || Source::Port(port.into()))))
    }

    /// The same, where the plugin counts with OpenTelemetry: `encoded` gives a serialised
    /// `opentelemetry.proto.metrics.v1.MetricsData`, or an `ExportMetricsServiceRequest`,
    /// which is the same on the wire, of at most a MiB. Its sums and histograms are
    /// cumulative; the host shows no others, and no exponential histograms.
    #[must_use]
    pub fn metrics_opentelemetry<B: Into<Bytes>>(
        self,
        encoded: impl Fn() -> B + Send + Sync + 'static,
    ) -> Self {
        let source = move || Source::Opentelemetry(encoded().into());
        self.service(MetricsServer::new(OwnMetrics::new(source)))
    }

    /// Adds an encoded `google.protobuf.FileDescriptorSet` that describes
    /// services of yours, so that a tool which asks by gRPC reflection, such as
    /// grpcurl, can call them. Reflection names every service without it.
    #[must_use]
    pub fn descriptors(mut self, set: &'static [u8]) -> Self {
        self.descriptors.push(set);
        self
    }

    /// Listens on TCP, on the first free port of 127.0.0.1 that the host
    /// allows, rather than on a Unix socket. Without TLS, every user of the
    /// machine can call the plugin then.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// Serves with TLS that the host was given as well, rather than with what
    /// the two agree on at the start (AutoMTLS) if the host asks for it. It
    /// holds for the connections of the broker too.
    #[must_use]
    pub fn tls(mut self, tls: GivenTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Continues its callers' traces, and has [`run`](Self::run) export them over OTLP
    /// as OpenTelemetry's variables say; nothing is exported where they name no
    /// endpoint. `service` is the service's name, unless `OTEL_SERVICE_NAME` says
    /// another.
    #[cfg(feature = "opentelemetry")]
    #[must_use]
    pub fn traced(mut self, service: impl Into<String>) -> Self {
        self.traced = Some(service.into());
        self
    }

    /// Chooses which of the program's outputs go to the host's own outputs by
    /// go-plugin's stdio stream; without it, standard output does.
    #[must_use]
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = Some(capture);
        self
    }

    /// A handle on what the plugin reports as its health.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// A handle on connections beside the main one, in both directions, for the
    /// services of this plugin to keep. They use it while they answer: before a
    /// host has opened the broker, which hosts do at once, a call waits up to
    /// five seconds.
    ///
    /// ```
    /// # use outrigger_sdk::{Plugin, Status, quorum};
    /// # struct Greeter(outrigger_sdk::Broker);
    /// # impl quorum::Greeter for Greeter {
    /// #     async fn greeting(&self, _: &str) -> Result<String, Status> {
    /// #         Ok(String::new())
    /// #     }
    /// # }
    /// let plugin = Plugin::new("KEY", "value");
    /// let broker = plugin.broker();
    /// let plugin = plugin.service(quorum::greeter(Greeter(broker)));
    /// # drop(plugin);
    /// ```
    #[must_use]
    pub fn broker(&self) -> Broker {
        self.broker.clone()
    }

    /// The version to announce to `host`.
    #[must_use]
    pub fn choose_version(&self, host: &HostRequest) -> u32 {
        if self.versions.is_empty() {
            return host.choose_version(&[FIRST_VERSION]);
        }
        let versions: Vec<u32> = self.versions.keys().copied().collect();
        host.choose_version(&versions)
    }

    /// Listens as `host` asks for it and as this plugin was told to. Must run on
    /// a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ServeError`] names what is missing.
    pub fn listen(&self, host: &HostRequest) -> Result<Listening, ServeError> {
        let listen =
            Listen { version: self.choose_version(host), tcp: self.tcp, tls: self.tls.clone() };
        Listening::open(host, &listen)
    }

    /// Serves until the host wants the plugin to end, or is dead. The last line
    /// of a plugin's `main`, or the last but its cleanup.
    ///
    /// It brings a runtime of one thread, and sends log and panics to the host
    /// ([`log::install`](crate::log::install)), and what is printed too
    /// ([`capture`](Self::capture)). SIGINT is ignored, since a Ctrl-C in the
    /// host's terminal goes to its plugins too; SIGTERM ends the plugin as a
    /// request of the host does. Calls that still run then are cut off after
    /// 50 ms.
    ///
    /// The code is 0 when the plugin served and ended as it should. It is 1
    /// when it did not serve; why is on standard error.
    #[must_use]
    pub fn run(self) -> ExitCode {
        if let Err(refusal) = self.cookie.check() {
            // For a person at a terminal, if it still exists.
            stderr::write(&format!("{refusal}\n"));
            return ExitCode::FAILURE;
        }
        // Before any thread is there that could look at the environment.
        let request = environment::take_request();
        let host = HostWatch::start();
        #[cfg(feature = "opentelemetry")]
        if let Some(service) = self.traced.clone() {
            return run(crate::traces::exported(service, self.serve_under(&host, request)));
        }
        crate::log::install();
        run(self.serve_under(&host, request))
    }

    /// As [`run`](Self::run), on the current tokio runtime (with its I/O and
    /// time drivers), and without touching log and panics. When it returns, the
    /// host's connections are closed and the socket is gone.
    ///
    /// # Errors
    ///
    /// [`Error`]; the refusal of a wrong cookie among them, whose text is meant
    /// for a person and is to be printed as it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts all connections and removes the socket.
    pub async fn serve(self) -> Result<(), Error> {
        self.cookie.check()?;
        let request = environment::take_request();
        let host = HostWatch::start();
        self.serve_under(&host, request).await
    }
}

/// Runs a plugin on a runtime of one thread.
pub(crate) fn run(serving: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(Error::Runtime).and_then(|runtime: tokio::runtime::Runtime| {
        let served = runtime.block_on(serving);
        // Nothing waits for a blocking call that goes on.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
