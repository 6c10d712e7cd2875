//! GoQuorum's interfaces in one plugin: a wallet with real keys, a security
//! plugin, a QLight token manager, hello world.
//!
//! Its config is a JSON object. `record` names a file that gets a line of JSON
//! for each call. `answer` makes one kind of answer wrong. The rest is what each
//! part is about: see [`config::Config`].

mod account;
mod config;
mod qlight;
mod security;

use std::process::ExitCode;
use std::sync::Arc;

use outrigger_proto::quorum::account_service_server::AccountServiceServer;
use outrigger_proto::quorum::authentication_manager_server::AuthenticationManagerServer;
use outrigger_proto::quorum::plugin_q_light_token_refresher_server::PluginQLightTokenRefresherServer;
use outrigger_proto::quorum::tls_configuration_source_server::TlsConfigurationSourceServer;
use outrigger_sdk::{Plugin, Status, quorum};

use crate::account::Wallet;
use crate::config::Shared;

fn main() -> ExitCode {
    let shared = Arc::new(Shared::default());
    Plugin::quorum()
        .service(quorum::initialiser(shared.clone()))
        .service(quorum::greeter(Hello(shared.clone())))
        .service(AccountServiceServer::new(Wallet::new(shared.clone())))
        .service(TlsConfigurationSourceServer::new(security::Tls(shared.clone())))
        .service(AuthenticationManagerServer::new(security::Authentication(shared.clone())))
        .service(PluginQLightTokenRefresherServer::new(qlight::Manager(shared)))
        .run()
}

struct Hello(Arc<Shared>);

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        let config = self.0.config()?;
        Ok(format!("{} {msg}!", config.greeting))
    }
}
