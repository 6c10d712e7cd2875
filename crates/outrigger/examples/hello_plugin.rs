//! The smallest plugin, for `embed` to greet with. One to copy, with a config
//! and a build of its own, is in `examples/plugins/rust` of the repository.

use std::process::ExitCode;

use outrigger_sdk::{Plugin, Status, quorum};

struct Hello;

impl quorum::Initialiser for Hello {
    async fn init(&self, _identity: &str, _config: &[u8]) -> Result<(), Status> {
        Ok(())
    }
}

impl quorum::Greeter for Hello {
    async fn greeting(&self, msg: &str) -> Result<String, Status> {
        Ok(format!("Hello {msg}!"))
    }
}

fn main() -> ExitCode {
    Plugin::quorum().service(quorum::initialiser(Hello)).service(quorum::greeter(Hello)).run()
}
