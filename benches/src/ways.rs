//! The ways to make one and the same call.

use std::future::Future;

use outrigger::Rpc;
use outrigger::actix::Addr;
use outrigger::helloworld::{Greeter as _, GreeterActor, Greeting, Handle};
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request;

/// What every call carries, there and back: 64 bytes.
pub const PAYLOAD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A way to make a call. Each caller has a clone of its own.
pub trait Way: Clone + Send + 'static {
    /// Makes one call and looks at the answer.
    ///
    /// # Panics
    ///
    /// The call fails, or the answer is another than was sent.
    fn call(&mut self) -> impl Future<Output = ()> + Send;
}

fn check(answer: &str) {
    assert_eq!(answer.len(), PAYLOAD.len(), "the plugin does not echo");
}

/// The generated client on the connection: what a node would do that had no
/// gateway. No deadline, no metrics, no reload, and it dies with its generation.
#[derive(Debug, Clone)]
pub struct CallRaw(PluginGreetingClient<Rpc>);

impl CallRaw {
    /// A client on a connection.
    #[must_use]
    pub fn new(rpc: Rpc) -> Self {
        Self(PluginGreetingClient::new(rpc))
    }
}

impl Way for CallRaw {
    async fn call(&mut self) {
        let request = Request { msg: PAYLOAD.to_owned() };
        let answer = self.0.greeting(request).await.expect("a raw call of the benchmark failed");
        check(&answer.get_ref().msg);
    }
}

/// The gateway's handle, as a node calls it.
#[derive(Debug, Clone)]
pub struct CallHandle(pub Handle);

impl Way for CallHandle {
    async fn call(&mut self) {
        let answer = self.0.greeting(PAYLOAD).await;
        check(&answer.expect("a call of the benchmark through the handle failed"));
    }
}

/// The gateway's actor, on whichever thread it runs.
#[derive(Debug, Clone)]
pub struct CallActor(pub Addr<GreeterActor>);

impl Way for CallActor {
    async fn call(&mut self) {
        let sent = self.0.send(Greeting { message: PAYLOAD.to_owned() }).await;
        let answer = sent.expect("the gateway's actor of the benchmark is gone");
        check(&answer.expect("a call of the benchmark through the actor failed"));
    }
}
