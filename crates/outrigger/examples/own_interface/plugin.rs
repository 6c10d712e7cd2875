//! The plugin's side: an oracle whose prices stand in its config, as in
//! `{"ETH/USD": 250000}`. A program of its own, as plugins usually are, has
//! [`run`] for a `main`, and the generated code from the same `.proto`.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::OnceLock;

use outrigger_sdk::Plugin;
use tonic::{Request, Response, Status};

use crate::generated::oracle_server::{Oracle, OracleServer};
use crate::generated::{ConfigureRequest, ConfigureResponse, PriceRequest, PriceResponse};
use crate::oracle::{COOKIE_KEY, COOKIE_VALUE, PROTOCOL_VERSION};

/// Cents by pair, once they are known.
#[derive(Debug, Default)]
struct FixedPrices(OnceLock<HashMap<String, u64>>);

#[tonic::async_trait]
impl Oracle for FixedPrices {
    async fn configure(
        &self,
        request: Request<ConfigureRequest>,
    ) -> Result<Response<ConfigureResponse>, Status> {
        let prices = serde_json::from_slice(&request.get_ref().config)
            .map_err(|error| Status::invalid_argument(format!("config: {error}")))?;
        self.0.get_or_init(|| prices);
        Ok(Response::new(ConfigureResponse {}))
    }

    async fn price(
        &self,
        request: Request<PriceRequest>,
    ) -> Result<Response<PriceResponse>, Status> {
        let prices = self.0.get().ok_or_else(|| Status::failed_precondition("not configured"))?;
        let pair = &request.get_ref().pair;
        match prices.get(pair) {
            Some(&cents) => Ok(Response::new(PriceResponse { cents })),
            None => Err(Status::not_found(format!("no price for {pair:?}"))),
        }
    }
}

/// Serves until the host wants the plugin to end, or is dead.
pub(crate) fn run() -> ExitCode {
    Plugin::new(COOKIE_KEY, COOKIE_VALUE)
        .made_for("the example node")
        .version(PROTOCOL_VERSION)
        .service(OracleServer::new(FixedPrices::default()))
        .run()
}
