//! The conformance kit: holds a plugin, or a host, in any language, to the
//! rules of `docs/wire-protocol.md`, case by case.
//!
//! [`plugin`] drives an executable through cases of its own process each.
//! [`host`] runs a host once a case, and looks at it from inside of the plugin
//! that it starts. A [`Case`] names the rule that it is about and says what was expected and
//! what was seen; a [`Report`] is all of them. Nothing is printed here.

mod identity;
mod process;
mod provider;
mod report;
mod tls;
mod wire;
mod yamux;

pub mod host;
pub mod plugin;

pub use identity::IdentityError;
pub use report::{Case, Counts, Report, Strength, Verdict, rule_link};
