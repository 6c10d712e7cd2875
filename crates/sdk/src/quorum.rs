//! GoQuorum's plugin interfaces, as traits to implement.
//!
//! A call before `Init` is answered as the implementation sees fit;
//! `FAILED_PRECONDITION` says best what happened.

use std::future::Future;
use std::sync::Arc;

use outrigger_proto::quorum::plugin_greeting_server::{PluginGreeting, PluginGreetingServer};
use outrigger_proto::quorum::plugin_hello_world as hello;
use outrigger_proto::quorum_init::plugin_initialization as initialisation;
use outrigger_proto::quorum_init::plugin_initializer_server::{
    PluginInitializer, PluginInitializerServer,
};
use tonic::{Request, Response, Status};

/// The environment variable that holds GoQuorum's magic cookie.
pub const COOKIE_KEY: &str = "QUORUM_PLUGIN_MAGIC_COOKIE";

/// GoQuorum's magic cookie.
pub const COOKIE_VALUE: &str = "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09\
                                41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664";

/// Takes the configuration. Every plugin of GoQuorum serves this beside its
/// own interfaces.
pub trait Initialiser: Send + Sync + 'static {
    /// Called once after each connection, before anything else.
    ///
    /// `identity` is the node's name and may be empty. `config` is what the
    /// operator wrote in the plugin's definition, as it was written: JSON, or
    /// any bytes that the plugin understands.
    ///
    /// # Errors
    ///
    /// Any status fails the plugin's start; `INVALID_ARGUMENT` is the usual
    /// one for a bad configuration, and its message is what the operator sees.
    fn init(
        &self,
        identity: &str,
        config: &[u8],
    ) -> impl Future<Output = Result<(), Status>> + Send;
}

/// Greets: interface `helloworld`.
pub trait Greeter: Send + Sync + 'static {
    /// Answers `msg`, a name, with a greeting.
    ///
    /// # Errors
    ///
    /// Any status reaches the caller.
    fn greeting(&self, msg: &str) -> impl Future<Output = Result<String, Status>> + Send;
}

impl<T: Initialiser> Initialiser for Arc<T> {
    async fn init(&self, identity: &str, config: &[u8]) -> Result<(), Status> {
        (**self).init(identity, config).await
    }
}

impl<T: Greeter> Greeter for Arc<T> {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        (**self).greeting(msg).await
    }
}

/// The initialiser service over `implementation`.
pub fn initialiser<T: Initialiser>(implementation: T) -> PluginInitializerServer<Initialising<T>> {
    PluginInitializerServer::new(Initialising(implementation))
}

/// The `helloworld` service over `implementation`.
pub fn greeter<T: Greeter>(implementation: T) -> PluginGreetingServer<Greeting<T>> {
    PluginGreetingServer::new(Greeting(implementation))
}

/// Adapts an [`Initialiser`] to the generated service.
#[derive(Debug)]
pub struct Initialising<T>(T);

#[tonic::async_trait]
impl<T: Initialiser> PluginInitializer for Initialising<T> {
    async fn init(
        &self,
        request: Request<initialisation::Request>,
    ) -> Result<Response<initialisation::Response>, Status> {
        let request = request.into_inner();
        self.0.init(&request.host_identity, &request.raw_configuration).await?;
        Ok(Response::new(initialisation::Response {}))
    }
}

/// Adapts a [`Greeter`] to the generated service.
#[derive(Debug)]
pub struct Greeting<T>(T);

#[tonic::async_trait]
impl<T: Greeter> PluginGreeting for Greeting<T> {
    async fn greeting(
        &self,
        request: Request<hello::Request>,
    ) -> Result<Response<hello::Response>, Status> {
        let msg = self.0.greeting(&request.get_ref().msg).await?;
        Ok(Response::new(hello::Response { msg }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_128_hexadecimal_digits() {
        assert_eq!(COOKIE_VALUE.len(), 128);
        assert!(COOKIE_VALUE.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_lowercase()));
    }
}
