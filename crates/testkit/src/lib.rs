//! What end-to-end tests share: a process and a watchdog for each test, plugins
//! with named faults in real distributions, and censuses of what is left over.
//!
//! `outrigger-interop-plugin` is the SDK's plugin of the interop matrix.
//! The fixture plugin itself is the program `outrigger-fixture-plugin`; its
//! `--list` says which faults it has.

pub mod artifacts;
pub mod census;
pub mod central;
pub mod collector;
pub mod harness;
pub mod hosted;
pub mod kit;
pub mod lateness;
pub mod load;
pub mod loopback;
pub mod oauth;
pub mod probe;
pub mod quorum;
pub mod quorum_programs;
pub mod token_endpoint;
pub mod wrong_host;
