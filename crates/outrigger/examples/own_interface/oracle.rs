//! The interface `oracle` on the node's side: the trait that the node's code
//! uses, the handle that makes calls of it, and what the host has to know.

use std::future::Future;
use std::sync::Arc;

use outrigger::{
    CallOptions, Caller, Cookie, Endpoint, Gateway, GatewayError, InitialiseError,
    InitialiseRequest, Initialiser, InterfaceName, InterfaceSpec, Link, Method, Rpc,
};
use tonic::Code;

use crate::generated::oracle_client::OracleClient;
use crate::generated::{ConfigureRequest, PriceRequest};

/// The interface's name, the key in the settings.
pub(crate) const INTERFACE: &str = "oracle";

/// The version of what is spoken: of `oracle.proto`. A change that old plugins
/// cannot follow gets the next number, and the host may list both.
pub(crate) const PROTOCOL_VERSION: u32 = 5;

/// The cookie keeps people from running a plugin by hand. It is no secret, but
/// must be the interface's own: any name, any random text.
pub(crate) const COOKIE_KEY: &str = "ORACLE_PLUGIN_COOKIE";
pub(crate) const COOKIE_VALUE: &str = "9d3f1c0e7b5a42868f64c1d20be7a935";

/// Prices are short: what is longer is not one, and is refused before it fills
/// the memory.
const LARGEST_MESSAGE: usize = 64 << 10;

/// Money, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cents(pub(crate) u64);

/// What the node's code asks of an oracle. It knows nothing of plugins, so a
/// test can pass an oracle of its own.
pub(crate) trait PriceOracle: Send + Sync {
    /// The price of a pair; `None` for one that the oracle does not follow.
    fn price(&self, pair: &str)
    -> impl Future<Output = Result<Option<Cents>, GatewayError>> + Send;
}

/// The interface as the host knows it.
pub(crate) fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("a constant of the right form");
    let cookie = Cookie { key: COOKIE_KEY.to_owned(), value: COOKIE_VALUE.to_owned() };
    // Two processes may run at the same time, so that a reload fails no call:
    // that is so unless `with_reload` says otherwise.
    InterfaceSpec::new(name, cookie)
        .with_versions([PROTOCOL_VERSION])
        .with_initialiser(Configure)
        .with_idempotent(&["/oracle.Oracle/Price"])
        .with_largest_message(LARGEST_MESSAGE)
}

/// A handle on an instance: a cheap clone, good across reloads and restarts.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    caller: Caller,
    price: Arc<Method>,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        Self { caller: Caller::new(link), price: Arc::new(Method::new("Price")) }
    }
}

impl PriceOracle for Handle {
    async fn price(&self, pair: &str) -> Result<Option<Cents>, GatewayError> {
        let message = || PriceRequest { pair: pair.to_owned() };
        // The deadline, the end of the process, spans and metrics: all of that
        // is around the closure. What is left is the call itself, which may be made
        // again, as the interface says below; others are made with `unary`.
        let answer = self.caller.repeatable(&self.price, CallOptions::default(), |rpc, out| {
            let request = out.request(message());
            async move { client(rpc).price(request).await }
        });
        match answer.await {
            // A plugin is not the node: its answers are checked.
            Ok(answer) if answer.cents == 0 => Err(GatewayError::BadAnswer {
                plugin: self.caller.link().instance().to_string(),
                method: self.price.name(),
                what: "a price of 0".to_owned(),
            }),
            Ok(answer) => Ok(Some(Cents(answer.cents))),
            Err(GatewayError::Refused { code: Code::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A generated client knows 4 MiB as the limit, unless it is told.
fn client(rpc: Rpc) -> OracleClient<Rpc> {
    let largest = rpc.largest_message();
    OracleClient::new(rpc).max_decoding_message_size(largest).max_encoding_message_size(largest)
}

/// Initialises by a call of the interface's own. An interface that needs none
/// leaves `with_initialiser` out; one that uses GoQuorum's service has
/// `outrigger::initialiser::QuorumInitialiser`.
#[derive(Debug)]
struct Configure;

#[tonic::async_trait]
impl Initialiser for Configure {
    async fn initialise(
        &self,
        endpoint: &Endpoint,
        request: InitialiseRequest,
    ) -> Result<(), InitialiseError> {
        // What runs within the node was initialised by whoever made it.
        let Endpoint::Rpc(rpc) = endpoint else {
            return Ok(());
        };
        let message = ConfigureRequest { config: request.config.expose().to_vec() };
        match client(rpc.clone()).configure(message).await {
            Ok(_) => Ok(()),
            Err(status) => Err(InitialiseError {
                // The same config would be refused again, so nobody tries.
                permanent: status.code() == Code::InvalidArgument,
                // Escaped, since it goes to the log.
                message: status.message().escape_debug().to_string(),
            }),
        }
    }
}
