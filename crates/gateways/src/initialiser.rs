//! GoQuorum's initialiser: the service that every one of its plugins serves.

use async_trait::async_trait;
use outrigger_core::{InitialiseError, InitialiseRequest, Initialiser};
use outrigger_proto::quorum_init::plugin_initialization;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_transport::{Cookie, Endpoint};
use tonic::Code;

/// The cookie of GoQuorum's plugins.
#[must_use]
pub fn quorum_cookie() -> Cookie {
    Cookie { key: COOKIE_KEY.to_owned(), value: COOKIE_VALUE.to_owned() }
}

const COOKIE_KEY: &str = "QUORUM_PLUGIN_MAGIC_COOKIE";
const COOKIE_VALUE: &str = "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E0941152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664";

/// Initialises plugins by `proto_common.PluginInitializer/Init`.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuorumInitialiser;

#[async_trait]
impl Initialiser for QuorumInitialiser {
    async fn initialise(
        &self,
        endpoint: &Endpoint,
        request: InitialiseRequest,
    ) -> Result<(), InitialiseError> {
        // What runs within the node was initialised by whoever made it.
        let Endpoint::Rpc(rpc) = endpoint else { return Ok(()) };
        let request = plugin_initialization::Request {
            host_identity: request.host_identity.to_string(),
            raw_configuration: request.config.expose().to_vec().into(),
        };
        let largest = rpc.largest_message();
        let mut client = PluginInitializerClient::new(rpc.clone())
            .max_decoding_message_size(largest)
            .max_encoding_message_size(largest);
        match client.init(request).await {
            Ok(_) => Ok(()),
            Err(status) => Err(InitialiseError {
                permanent: matches!(
                    status.code(),
                    Code::InvalidArgument | Code::Unimplemented | Code::FailedPrecondition
                ),
                message: words(status.code(), status.message()),
            }),
        }
    }
}

fn words(code: Code, message: &str) -> String {
    let message = message.escape_debug();
    match code {
        Code::Unimplemented => "it does not serve proto_common.PluginInitializer".to_owned(),
        code => format!("{code:?}: {message}"),
    }
}
