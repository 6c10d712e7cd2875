//! What a node does with GoQuorum's plugins. Each part is usable on its own.

pub mod api;
#[cfg(test)]
mod fake;
pub mod psi;
pub mod security;
pub mod server;
pub mod tls;
pub mod token_holder;
pub mod wallet;
