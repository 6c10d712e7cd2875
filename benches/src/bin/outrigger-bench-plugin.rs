//! The plugin of the benchmarks: GoQuorum's hello world, which says what it is
//! told, so that what is measured is everything but the plugin.

use std::process::ExitCode;

use outrigger_sdk::{Plugin, Status, quorum};

struct Echo;

impl quorum::Initialiser for Echo {
    async fn init(&self, _identity: &str, _config: &[u8]) -> Result<(), Status> {
        Ok(())
    }
}

impl quorum::Greeter for Echo {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        Ok(msg.to_owned())
    }
}

fn main() -> ExitCode {
    Plugin::quorum().service(quorum::initialiser(Echo)).service(quorum::greeter(Echo)).run()
}
