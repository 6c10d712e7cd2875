//! A token manager that adds to a token each time it is refreshed.

use std::sync::Arc;

use outrigger_proto::quorum::plugin_q_light_token_manager as manager;
use outrigger_proto::quorum::plugin_q_light_token_refresher_server::PluginQLightTokenRefresher;
use outrigger_proto::quorum::token_refresh as refresh;
use serde_json::json;
use tonic::{Request, Response, Status, async_trait};

use crate::config::Shared;

/// The token manager.
pub(crate) struct Manager(pub(crate) Arc<Shared>);

#[async_trait]
impl PluginQLightTokenRefresher for Manager {
    async fn plugin_q_light_token_manager(
        &self,
        _: Request<manager::Request>,
    ) -> Result<Response<manager::Response>, Status> {
        let config = self.0.called("PluginQLightTokenManager", json!({}))?;
        let refresh_anticipation_in_millisecond = config.anticipation;
        Ok(Response::new(manager::Response { refresh_anticipation_in_millisecond }))
    }

    async fn token_refresh(
        &self,
        request: Request<refresh::Request>,
    ) -> Result<Response<refresh::Response>, Status> {
        let refresh::Request { current_token, psi } = request.into_inner();
        let with = json!({ "currentToken": current_token, "psi": psi });
        let config = self.0.called("TokenRefresh", with)?;
        if config.is_wrong("refresh") {
            return Err(Status::unavailable("the endpoint does not answer"));
        }
        Ok(Response::new(refresh::Response { token: format!("{current_token}+{psi}") }))
    }
}
