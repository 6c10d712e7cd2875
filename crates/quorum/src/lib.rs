//! What a node does with GoQuorum's plugins. Each part is usable on its own.

#[cfg(test)]
mod fake;
pub mod psi;
pub mod security;
pub mod tls;
