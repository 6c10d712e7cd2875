//! The handle: both security services by gRPC calls.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_core::Link;
use outrigger_proto::quorum as proto;
use outrigger_proto::quorum::authentication_manager_client::AuthenticationManagerClient;
use outrigger_proto::quorum::tls_configuration_source_client::TlsConfigurationSourceClient;
use outrigger_types::Generation;

use super::{
    AuthenticationManager, AuthenticationToken, INTERFACE, TlsConfiguration,
    TlsConfigurationSource, convert,
};
use crate::call::{CallOptions, Caller, Method};
use crate::fault::GatewayError;
use crate::gateway::Gateway;

/// A handle on an instance: a cheap clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) caller: Caller,
    options: CallOptions,
    methods: Arc<Methods>,
}

#[derive(Debug)]
struct Methods {
    get: Method,
    authenticate: Method,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        let methods =
            Methods { get: Method::new("Get"), authenticate: Method::new("Authenticate") };
        let options = CallOptions::default();
        Self { caller: Caller::new(link), options, methods: Arc::new(methods) }
    }
}

impl Handle {
    /// The same handle, whose calls have these options.
    #[must_use]
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }
}

impl TlsConfigurationSource for Handle {
    async fn get(&self) -> Result<Option<TlsConfiguration>, GatewayError> {
        let method = &self.methods.get;
        let call = self.caller.repeatable(method, self.options, |rpc, outgoing| async move {
            let largest = rpc.largest_message();
            let mut client =
                TlsConfigurationSourceClient::new(rpc).max_decoding_message_size(largest);
            client.get(outgoing.request(proto::tls_configuration::Request {})).await
        });
        let answer = call.await?;
        convert::tls(answer.data).map_err(|what| self.caller.bad_answer(method, what))
    }
}

impl AuthenticationManager for Handle {
    async fn authenticate(&self, token: &[u8]) -> Result<AuthenticationToken, GatewayError> {
        let method = &self.methods.authenticate;
        let raw_token = Bytes::copy_from_slice(token);
        let call = self.caller.repeatable(method, self.options, |rpc, outgoing| {
            let raw_token = raw_token.clone();
            let request = outgoing.request(proto::AuthenticationToken { raw_token });
            async move {
                let largest = rpc.largest_message();
                let mut client =
                    AuthenticationManagerClient::new(rpc).max_decoding_message_size(largest);
                client.authenticate(request).await
            }
        });
        let answer = call.await?;
        convert::token(answer).map_err(|what| self.caller.bad_answer(method, what))
    }

    async fn is_enabled(&self) -> Result<bool, GatewayError> {
        match self.authenticate(b"").await {
            Err(GatewayError::Unimplemented { .. }) => Ok(false),
            // It answered, so that it is there to ask.
            Ok(_) | Err(GatewayError::Refused { .. } | GatewayError::BadAnswer { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn epoch(&self) -> Option<u64> {
        self.caller.link().generation().map(|Generation(number)| number)
    }
}
