//! The launcher as its host sees it: real processes, real sockets, and after
//! each test a census that finds none of them left.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

mod exec;
mod harness;
mod life;
mod refusals;
mod tree;
