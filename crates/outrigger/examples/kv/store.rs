//! The interface `kv` on the node's side: the trait that the node's code uses,
//! the handle that makes calls of it, and what the host has to know.

use std::future::Future;
use std::sync::{Arc, Weak};

use outrigger::{
    Broker, BrokerError, Brokered, CallOptions, Caller, Cookie, Gateway, GatewayError,
    InterfaceName, InterfaceSpec, Link, Method, Rpc,
};
use tonic::{Code, Request, Response, Status};

use crate::generated::observer_server::{self, ObserverServer};
use crate::generated::store_client::StoreClient;
use crate::generated::watched_store_client::WatchedStoreClient;
use crate::generated::{ChangedRequest, ChangedResponse, GetRequest, PutRequest, WatchRequest};

/// The interface's name.
pub(crate) const INTERFACE: &str = "kv";

/// The version in which stores began to be watched.
pub(crate) const WATCHED: u32 = 5;

/// The version before that.
pub(crate) const PLAIN: u32 = 2;

/// The cookie of this interface's plugins.
pub(crate) const COOKIE_KEY: &str = "KV_PLUGIN_COOKIE";
pub(crate) const COOKIE_VALUE: &str = "5f0c7a2e9b8d4163";

/// What the node's code asks of a store.
pub(crate) trait Store: Send + Sync {
    fn put(&self, key: &str, value: &[u8])
    -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// The value of a key; `None` for one that was never put.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, GatewayError>> + Send;

    /// Tells the observer of every later change, for as long as what this
    /// returns is kept and the generation that serves now lives. A store of
    /// version 2 fails with [`GatewayError::Unimplemented`].
    fn watch(
        &self,
        observer: impl Observer,
    ) -> impl Future<Output = Result<Watching, GatewayError>> + Send;
}

/// What is told of changes.
pub(crate) trait Observer: Send + Sync + 'static {
    fn changed(&self, key: &str);
}

/// A watch that goes on until this is dropped.
pub(crate) struct Watching {
    _served: Brokered,
    /// The service takes a moment to end; the observer is told nothing by then.
    _observer: Arc<dyn Observer>,
}

/// The interface as the host knows it. Its plugins are not initialised, so it
/// needs no initialiser; each chooses the highest version that it has too.
pub(crate) fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("a constant of the right form");
    let cookie = Cookie { key: COOKIE_KEY.to_owned(), value: COOKIE_VALUE.to_owned() };
    InterfaceSpec::new(name, cookie).with_versions([PLAIN, WATCHED]).with_largest_message(16 << 20)
}

/// A handle on an instance, whatever its version.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    caller: Caller,
    methods: Arc<Methods>,
}

#[derive(Debug)]
struct Methods {
    put: Method,
    get: Method,
    watch: Method,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        let methods = Methods {
            put: Method::new("Put"),
            get: Method::new("Get"),
            watch: Method::new("Watch"),
        };
        Self { caller: Caller::new(link), methods: Arc::new(methods) }
    }
}

impl Store for Handle {
    async fn put(&self, key: &str, value: &[u8]) -> Result<(), GatewayError> {
        let message = PutRequest { key: key.to_owned(), value: value.to_vec() };
        let put = self.caller.unary(&self.methods.put, CallOptions::default(), |rpc, out| {
            let message = out.request(message);
            // The next generation may have another version: each call asks.
            async move {
                match rpc.version() {
                    WATCHED => watched(rpc).put(message).await,
                    _ => plain(rpc).put(message).await,
                }
            }
        });
        put.await.map(drop)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, GatewayError> {
        let message = GetRequest { key: key.to_owned() };
        let get = self.caller.unary(&self.methods.get, CallOptions::default(), |rpc, out| {
            let message = out.request(message);
            async move {
                match rpc.version() {
                    WATCHED => watched(rpc).get(message).await,
                    _ => plain(rpc).get(message).await,
                }
            }
        });
        match get.await {
            Ok(found) => Ok(Some(found.value)),
            Err(GatewayError::Refused { code: Code::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn watch(&self, observer: impl Observer) -> Result<Watching, GatewayError> {
        let observer: Arc<dyn Observer> = Arc::new(observer);
        let told = Arc::downgrade(&observer);
        let watch =
            self.caller.unary(&self.methods.watch, CallOptions::default(), |rpc, out| async move {
                if rpc.version() < WATCHED {
                    return Err(Status::unimplemented("it is of version 2"));
                }
                let served = serve(rpc.broker(), told).await;
                let served = served.map_err(|error| Status::unavailable(error.to_string()))?;
                let message = WatchRequest { observer: served.id() };
                watched(rpc).watch(out.request(message)).await?;
                Ok(Response::new(served))
            });
        Ok(Watching { _served: watch.await?, _observer: observer })
    }
}

/// Serves an observer to the plugin, which finds it by the id.
async fn serve(
    broker: Option<&Broker>,
    observer: Weak<dyn Observer>,
) -> Result<Brokered, BrokerError> {
    let broker = broker.ok_or(BrokerError::NotServed)?;
    broker.serve(ObserverServer::new(Observed(observer))).await
}

/// The observer as a service, for as long as somebody keeps the observer.
struct Observed(Weak<dyn Observer>);

#[tonic::async_trait]
impl observer_server::Observer for Observed {
    async fn changed(
        &self,
        request: Request<ChangedRequest>,
    ) -> Result<Response<ChangedResponse>, Status> {
        let Some(observer) = self.0.upgrade() else {
            return Err(Status::unavailable("nobody watches any more"));
        };
        observer.changed(&request.get_ref().key);
        Ok(Response::new(ChangedResponse {}))
    }
}

fn plain(rpc: Rpc) -> StoreClient<Rpc> {
    let largest = rpc.largest_message();
    StoreClient::new(rpc).max_decoding_message_size(largest).max_encoding_message_size(largest)
}

fn watched(rpc: Rpc) -> WatchedStoreClient<Rpc> {
    let largest = rpc.largest_message();
    WatchedStoreClient::new(rpc)
        .max_decoding_message_size(largest)
        .max_encoding_message_size(largest)
}
