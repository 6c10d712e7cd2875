//! Plugins that run within the node: another driver behind the same lifecycle.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use outrigger::helloworld::{Greeter, LocalGreeter};
use outrigger::{Containment, Driver, Endpoint, GatewayError};
use outrigger_testkit::{census, e2e, kit::Kit};
use outrigger_transport::{
    Connection, ConnectionInfo, ExitStatus, Health, LaunchError, LaunchSpec, LaunchTimings,
    StopLadder, Stopped,
};
use tokio_util::sync::CancellationToken;

use crate::{greeter, status, stop};

struct Polite;

impl Greeter for Polite {
    async fn greeting(&self, message: &str) -> Result<String, GatewayError> {
        Ok(format!("Good day, {message}."))
    }
}

/// Gives every generation the same endpoint, and no process.
#[derive(Debug, Clone)]
struct InNode(Endpoint);

#[async_trait]
impl Driver for InNode {
    async fn launch(
        &self,
        _: LaunchSpec,
        _: CancellationToken,
    ) -> Result<Arc<dyn Connection>, LaunchError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Connection for InNode {
    fn endpoint(&self) -> Endpoint {
        self.0.clone()
    }

    fn info(&self) -> ConnectionInfo {
        ConnectionInfo {
            pid: None,
            app_version: 1,
            containment: Containment::None,
            timings: LaunchTimings::default(),
            certificate: None,
        }
    }

    async fn died(&self) -> ExitStatus {
        std::future::pending().await
    }

    fn last_words(&self) -> String {
        String::new()
    }

    async fn health(&self, _: Duration) -> Health {
        Health::Serving
    }

    async fn stop(&self, _: StopLadder) -> Stopped {
        Stopped::Graceful
    }

    async fn kill(&self) -> Stopped {
        Stopped::Killed
    }
}

async fn start(kit: &Kit, endpoint: Endpoint) -> outrigger::PluginHost {
    let builder = kit.builder().driver(Arc::new(InNode(endpoint)));
    builder.register().unwrap().start().await.unwrap()
}

e2e! {
    async fn a_plugin_within_the_node_is_called_and_reloaded_like_any_other() {
        let kit = Kit::with("ok");
        let host = start(&kit, Endpoint::Local(Arc::new(LocalGreeter::new(Polite)))).await;
        assert!(census::descendants().is_empty());
        assert_eq!(greeter(&host).greeting("node").await.unwrap(), "Good day, node.");
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter(&host).greeting("node").await.unwrap(), "Good day, node.");
        assert_eq!(status(&host).pid, None);
        stop(host).await;
        kit.assert_clean();
    }

    async fn something_else_within_the_node_is_refused_with_a_typed_error() {
        let kit = Kit::with("ok");
        let host = start(&kit, Endpoint::Local(Arc::new("no greeter"))).await;
        let error = greeter(&host).greeting("node").await.unwrap_err();
        assert_eq!(error.outcome(), "wrong-endpoint");
        assert!(error.was_not_sent());
        stop(host).await;
    }
}
