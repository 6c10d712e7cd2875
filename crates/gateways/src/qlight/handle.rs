//! The handle: a token manager by gRPC calls.

use std::sync::Arc;
use std::time::Duration;

use outrigger_core::Link;
use outrigger_proto::quorum as proto;
use outrigger_proto::quorum::plugin_q_light_token_refresher_client::PluginQLightTokenRefresherClient;
use outrigger_transport::Rpc;

use super::{INTERFACE, TokenManager};
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
    anticipation: Method,
    refresh: Method,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        let methods = Methods {
            anticipation: Method::new("PluginQLightTokenManager"),
            refresh: Method::new("TokenRefresh"),
        };
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

fn client(rpc: Rpc) -> PluginQLightTokenRefresherClient<Rpc> {
    let largest = rpc.largest_message();
    PluginQLightTokenRefresherClient::new(rpc)
        .max_decoding_message_size(largest)
        .max_encoding_message_size(largest)
}

fn prefixed(error: GatewayError) -> GatewayError {
    GatewayError::RefreshToken(Box::new(error))
}

impl TokenManager for Handle {
    async fn refresh_anticipation(&self) -> Result<Duration, GatewayError> {
        let method = &self.methods.anticipation;
        let call = self.caller.repeatable(method, self.options, |rpc, outgoing| async move {
            let request = outgoing.request(proto::plugin_q_light_token_manager::Request {});
            client(rpc).plugin_q_light_token_manager(request).await
        });
        let milliseconds = call.await.map_err(prefixed)?.refresh_anticipation_in_millisecond;
        match u64::try_from(milliseconds) {
            Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            Err(_) => {
                let what = format!("a refresh anticipation of {milliseconds} ms");
                Err(prefixed(self.caller.bad_answer(method, what)))
            }
        }
    }

    async fn token_refresh(&self, current: &str, psi: &str) -> Result<String, GatewayError> {
        let request = proto::token_refresh::Request {
            current_token: current.to_owned(),
            psi: psi.to_owned(),
        };
        let call =
            self.caller.unary(&self.methods.refresh, self.options, |rpc, outgoing| async move {
                client(rpc).token_refresh(outgoing.request(request)).await
            });
        Ok(call.await.map_err(prefixed)?.token)
    }
}
