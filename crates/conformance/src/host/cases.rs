//! The cases, by section of the wire protocol.

use super::case::HostCase;

mod broker;
mod connection;
mod launch;
mod line;
mod output;
mod shutdown;
mod tls;
mod versions;

/// All cases, in the order of the rules.
pub(super) const ALL: &[&[HostCase]] = &[
    launch::CASES,
    line::CASES,
    versions::CASES,
    tls::CASES,
    connection::CASES,
    broker::CASES,
    output::CASES,
    shutdown::CASES,
];
