//! GoQuorum's hello world interface, the smallest there is: trait, handle and
//! actor. It is also the pattern for the others.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use outrigger_core::{InterfaceSpec, Link};
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world;
use outrigger_transport::Endpoint;
use outrigger_types::InterfaceName;

use crate::call::{CallOptions, Caller, Method, Sent};
use crate::fault::GatewayError;
use crate::gateway::Gateway;
use crate::initialiser::{QuorumInitialiser, quorum_cookie};

mod actor;

pub use actor::{GreeterActor, Greeting};

/// The interface's name, the key in the settings.
pub const INTERFACE: &str = "helloworld";

/// What a node's code asks of a greeter.
pub trait Greeter: Send + Sync {
    /// Greets whoever `message` names.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn greeting(&self, message: &str) -> impl Future<Output = Result<String, GatewayError>> + Send;
}

/// The interface as the host knows it: protocol version 1, GoQuorum's cookie
/// and initialiser, two generations at a time.
///
/// # Panics
///
/// Never: the name is a constant of the right form.
#[must_use]
pub fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("invariant: a constant of the right form");
    InterfaceSpec::new(name, quorum_cookie())
        .with_initialiser(QuorumInitialiser)
        .with_idempotent(&["/proto.PluginGreeting/Greeting"])
}

/// A handle on an instance: a cheap clone.
#[derive(Debug, Clone)]
pub struct Handle {
    caller: Caller,
    greeting: Arc<Method>,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        Self { caller: Caller::new(link), greeting: Arc::new(Method::new("Greeting")) }
    }
}

impl Handle {
    /// As [`Greeter::greeting`], with options of this call's own.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the call at the plugin.
    pub async fn greeting_with(
        &self,
        message: &str,
        options: CallOptions,
    ) -> Result<String, GatewayError> {
        self.caller
            .call_repeatable(&self.greeting, options, |outgoing| async move {
                let request = plugin_hello_world::Request { msg: message.to_owned() };
                let request = outgoing.request(request);
                let rpc = match outgoing.into_endpoint() {
                    Endpoint::Rpc(rpc) => rpc,
                    Endpoint::Local(local) => {
                        let Some(local) = local.downcast_ref::<LocalGreeter>() else {
                            return Sent::WrongEndpoint;
                        };
                        return local.greet(message).await;
                    }
                };
                let largest = rpc.largest_message();
                let mut client = PluginGreetingClient::new(rpc)
                    .max_decoding_message_size(largest)
                    .max_encoding_message_size(largest);
                match client.greeting(request).await {
                    Ok(response) => Sent::Answer(response.into_inner().msg),
                    Err(status) => Sent::Status(status),
                }
            })
            .await
    }
}

impl Greeter for Handle {
    async fn greeting(&self, message: &str) -> Result<String, GatewayError> {
        self.greeting_with(message, CallOptions::default()).await
    }
}

/// A greeter that runs within the node, as the value of [`Endpoint::Local`].
#[derive(Clone)]
pub struct LocalGreeter(Arc<dyn ErasedGreeter>);

impl LocalGreeter {
    /// Wraps a greeter.
    #[must_use]
    pub fn new(greeter: impl Greeter + 'static) -> Self {
        Self(Arc::new(greeter))
    }

    async fn greet(&self, message: &str) -> Sent<String> {
        match self.0.greet(message).await {
            Ok(answer) => Sent::Answer(answer),
            Err(error) => Sent::Status(tonic::Status::internal(error.to_string())),
        }
    }
}

impl fmt::Debug for LocalGreeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalGreeter")
    }
}

trait ErasedGreeter: Send + Sync {
    fn greet<'a>(&'a self, message: &'a str) -> BoxFuture<'a, Result<String, GatewayError>>;
}

impl<G: Greeter> ErasedGreeter for G {
    fn greet<'a>(&'a self, message: &'a str) -> BoxFuture<'a, Result<String, GatewayError>> {
        Box::pin(self.greeting(message))
    }
}
