//! The admin API of a real host, as its operators and others reach it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod call;
mod command;
mod doctor;
mod http;
mod running;
mod systemd;
