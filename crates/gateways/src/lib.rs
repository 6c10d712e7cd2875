//! Gateways: each adapts an internal Rust trait to the gRPC calls of a plugin
//! interface, one module an interface.
//!
//! A gateway is a *handle*: a cheap clone that implements the trait. A call
//! finds the live connection, goes out with a deadline, and comes back as a
//! value of the trait or as a [`GatewayError`]; all of that is [`Caller`], which
//! an embedder's own gateways use too. The gateway *actor* of an interface holds
//! the same handle and offers the same calls as messages, for code that is
//! itself made of actors. The handle is the hot path: a mailbox costs more than
//! the call's own work as soon as it is another thread's.

pub mod account;
mod actor;
mod call;
mod fault;
mod gateway;
pub mod helloworld;
pub mod initialiser;
mod metrics;
pub mod qlight;
pub mod security;

pub use call::{CallOptions, Caller, Method, Outgoing};
pub use fault::GatewayError;
pub use gateway::Gateway;
