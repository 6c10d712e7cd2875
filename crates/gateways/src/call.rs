//! What every call through a gateway has around it: the live connection, a
//! deadline, a trace span, metrics, and the mapping of what it came back with.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use outrigger_core::{Circuit, Link, Passage, Unavailable};
use outrigger_transport::{Endpoint, Rpc};
use outrigger_types::Generation;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::fault::GatewayError;
use crate::metrics::MethodMetrics;

/// A method of an interface, and what a gateway keeps for it.
#[derive(Debug)]
pub struct Method {
    name: &'static str,
    metrics: MethodMetrics,
    /// Looked up at the first call.
    circuit: OnceLock<Arc<Circuit>>,
}

impl Method {
    /// `name` is shown in errors, spans and metrics, as in `Greeting`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, metrics: MethodMetrics::default(), circuit: OnceLock::new() }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// gRPC has no room for deadlines without end.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// Of the settings' deadline, what a plugin must have had to be blamed for no answer.
const PATIENCE: f64 = 0.9;

/// What a caller can set for one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// From the start of the call, waiting for a reload included; `None`: the
    /// settings' `timeouts.call`.
    pub deadline: Option<Duration>,
}

/// A call that is on its way out: where to, and what is left of its deadline.
#[derive(Debug)]
pub struct Outgoing {
    endpoint: Endpoint,
    left: Duration,
}

impl Outgoing {
    /// How the call reaches its generation.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The connection, for a generated client; `None` for a plugin that runs
    /// within the node.
    #[must_use]
    pub fn rpc(&self) -> Option<Rpc> {
        match self.endpoint() {
            Endpoint::Rpc(rpc) => Some(rpc.clone()),
            Endpoint::Local(_) => None,
        }
    }

    /// The application protocol version of the generation that has the call:
    /// which of the interface's services to use. `None` for a plugin that runs
    /// within the node.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        match self.endpoint() {
            Endpoint::Rpc(rpc) => Some(rpc.version()),
            Endpoint::Local(_) => None,
        }
    }

    /// The endpoint itself, for one client.
    #[must_use]
    pub fn into_endpoint(self) -> Endpoint {
        self.endpoint
    }

    /// A request that tells the plugin how long the caller waits.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.left.min(LONGEST_DEADLINE));
        request
    }
}

/// The way from a gateway to its instance.
#[derive(Debug, Clone)]
pub struct Caller(Link);

impl Caller {
    /// A way to the instance behind a link.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self(link)
    }

    /// The instance's link.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.0
    }

    /// Makes one unary call over gRPC: `send` gets the connection and makes the
    /// request. The call ends at its deadline, or at once when its generation
    /// does.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; [`GatewayError::WrongEndpoint`] for an instance that
    /// runs within the node.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the call at the plugin.
    pub async fn unary<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        send: S,
    ) -> Result<T, GatewayError>
    where
        S: FnOnce(Rpc, Outgoing) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call(method, options, |outgoing| async move {
            let Some(rpc) = outgoing.rpc() else { return Sent::WrongEndpoint };
            match send(rpc, outgoing).await {
                Ok(response) => Sent::Answer(response.into_inner()),
                Err(status) => Sent::Status(status),
            }
        })
        .await
    }

    /// As [`unary`](Self::unary), for a request that can be made again. Where the
    /// interface declares the method idempotent and the settings' `calls.retries`
    /// allow it, a call whose generation ended is made again on the next one; where
    /// not, nothing is ever sent twice.
    ///
    /// # Errors
    ///
    /// As [`unary`](Self::unary); that of the first try where the second one was
    /// not sent.
    pub async fn repeatable<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        send: S,
    ) -> Result<T, GatewayError>
    where
        S: Fn(Rpc, Outgoing) -> F,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_repeatable(method, options, |outgoing| {
            let sent = outgoing.rpc().map(|rpc| send(rpc, outgoing));
            async move {
                match sent {
                    None => Sent::WrongEndpoint,
                    Some(sent) => match sent.await {
                        Ok(response) => Sent::Answer(response.into_inner()),
                        Err(status) => Sent::Status(status),
                    },
                }
            }
        })
        .await
    }

    /// The same, in whatever way `send` makes the call.
    pub(crate) async fn call_repeatable<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        send: S,
    ) -> Result<T, GatewayError>
    where
        S: Fn(Outgoing) -> F,
        F: Future<Output = Sent<T>>,
    {
        let started = Instant::now();
        match self.call(method, options, &send).await {
            Ok(answer) => {
                self.0.budget().earn();
                Ok(answer)
            }
            Err(error) if error.was_lost() => {
                self.again(method, options, started, error, &send).await
            }
            Err(error) => Err(error),
        }
    }

    #[cold]
    async fn again<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        started: Instant,
        mut error: GatewayError,
        send: &S,
    ) -> Result<T, GatewayError>
    where
        S: Fn(Outgoing) -> F,
        F: Future<Output = Sent<T>>,
    {
        let limits = self.0.limits();
        if !self.0.is_idempotent(method.name) {
            return Err(error);
        }
        let deadline = options.deadline.unwrap_or(limits.deadline);
        for _ in 0..limits.bounds.retries {
            let left = deadline.saturating_sub(started.elapsed());
            if left.is_zero() || !self.0.budget().spend() {
                break;
            }
            method.metrics.repeated(self.0.instance().as_str(), method.name);
            match self.call(method, CallOptions { deadline: Some(left) }, send).await {
                Ok(answer) => return Ok(answer),
                Err(again) if again.was_lost() => error = again,
                // Of the two, the first says what happened.
                Err(again) if again.was_not_sent() => break,
                Err(again) => return Err(again),
            }
        }
        Err(error)
    }

    /// What a call failed with whose answer breaks the interface's rules.
    pub(crate) fn bad_answer(&self, method: &Method, what: String) -> GatewayError {
        let plugin = self.0.instance().to_string();
        let error = GatewayError::BadAnswer { plugin, method: method.name, what };
        method.metrics.failed(self.0.instance().as_str(), method.name, &error);
        error
    }

    /// Makes one call, in whatever way `send` makes it.
    pub(crate) async fn call<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        send: S,
    ) -> Result<T, GatewayError>
    where
        S: FnOnce(Outgoing) -> F,
        F: Future<Output = Sent<T>>,
    {
        let plugin = self.0.instance().as_str();
        let mut unended = Unended { caller: self, method, armed: true };
        let work = self.guarded(method, options, send);
        // Looked at here, since a span that nobody wants still costs its fields.
        let spanned = tracing::span_enabled!(target: "outrigger::call", tracing::Level::DEBUG)
            && outrigger_transport::trace::wanted();
        let outcome = if spanned {
            let span = tracing::debug_span!(
                target: "outrigger::call",
                "plugin.call",
                otel.kind = "client",
                rpc.system = "grpc",
                plugin,
                method = method.name,
            );
            work.instrument(span).await
        } else {
            work.await
        };
        unended.armed = false;
        if let Err(error) = &outcome {
            method.metrics.failed(plugin, method.name, error);
            self.0.counts().failed();
            tracing::debug!(plugin, method = method.name, %error, "call failed");
        }
        outcome
    }

    async fn guarded<T, S, F>(
        &self,
        method: &Method,
        options: CallOptions,
        send: S,
    ) -> Result<T, GatewayError>
    where
        S: FnOnce(Outgoing) -> F,
        F: Future<Output = Sent<T>>,
    {
        let plugin = self.0.instance().as_str();
        let limits = self.0.limits();
        let deadline = options.deadline.unwrap_or(limits.deadline);
        let started = Instant::now();
        let late = || GatewayError::DeadlineExceeded {
            plugin: plugin.to_owned(),
            method: method.name,
            deadline,
        };
        let circuit = method.circuit.get_or_init(|| self.0.circuit(method.name));
        let outlier = &limits.bounds.outlier;
        // A caller with less patience than the settings blames nobody.
        let patient = |left: Duration| left >= limits.deadline.mul_f64(PATIENCE);
        let mut probe = match self.0.generation() {
            None => None,
            Some(generation) => match circuit.passage(generation, outlier, patient(deadline)) {
                Passage::Open => None,
                Passage::Probe(probe) => Some(probe),
                Passage::Closed { retry_in, failures } => {
                    let (instance, method) = (self.0.instance().clone(), method.name);
                    let tripped = Unavailable::Tripped { instance, method, failures, retry_in };
                    return Err(tripped.into());
                }
            },
        };
        // Zero is none, for generations are counted from one: nobody had it, or not
        // for long enough to be blamed.
        let (had_it, blamed) = (AtomicU64::new(0), AtomicBool::new(false));
        let work = async {
            if let Some(chaos) = limits.chaos {
                let _queued = method.metrics.queued(plugin, method.name);
                Box::pin(self.0.suffer(chaos)).await?;
            }
            let entered = match self.0.enter_now() {
                Some(entered) => entered,
                None => {
                    let _queued = method.metrics.queued(plugin, method.name);
                    self.0.enter_slowly().await?
                }
            };
            let _in_flight = method.metrics.in_flight(plugin, method.name);
            had_it.store(entered.generation().0, Ordering::Relaxed);
            let left = deadline.saturating_sub(started.elapsed());
            blamed.store(patient(left), Ordering::Relaxed);
            let outgoing = Outgoing { endpoint: entered.endpoint().clone(), left };
            let sent = tokio::select! {
                biased;
                sent = send(outgoing) => sent,
                unavailable = entered.ended() => {
                    entered.lost(method.name);
                    return Err(unavailable.into());
                }
            };
            let status = match sent {
                Sent::Answer(answer) => return Ok(answer),
                Sent::Status(status) => status,
                Sent::WrongEndpoint => {
                    return Err(GatewayError::WrongEndpoint { plugin: plugin.to_owned() });
                }
            };
            let error = GatewayError::from_status(&status, plugin, method.name, deadline);
            if matches!(error, GatewayError::Disconnected { .. })
                && let Some(unavailable) = entered.ended_by_now().await
            {
                entered.lost(method.name);
                return Err(unavailable.into());
            }
            Err(error)
        };
        let outcome = tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| Err(late()));
        let took = started.elapsed();
        let generation = Generation(had_it.load(Ordering::Relaxed));
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                match error.is_outlier() {
                    Some(true) if blamed.load(Ordering::Relaxed) => {
                        circuit.unanswered(generation, outlier, started, probe.take());
                    }
                    Some(false) => circuit.answered(generation, started + took),
                    _ => {}
                }
                return Err(error);
            }
        };
        circuit.answered(generation, started + took);
        self.0.counts().answered(took);
        method.metrics.answered(plugin, method.name, took.as_secs_f64());
        Ok(answer)
    }
}

/// Counts a call whose future is dropped before it ended.
struct Unended<'a> {
    caller: &'a Caller,
    method: &'a Method,
    armed: bool,
}

impl Drop for Unended<'_> {
    fn drop(&mut self) {
        if self.armed {
            let Self { caller, method, .. } = self;
            method.metrics.abandoned(caller.0.instance().as_str(), method.name);
            caller.0.counts().failed();
        }
    }
}

/// What a call came back with.
pub(crate) enum Sent<T> {
    Answer(T),
    Status(Status),
    WrongEndpoint,
}
