//! Tests of the whole crate, from outside. One program, so that it links once.

#![allow(clippy::unwrap_used, reason = "a test's helpers may fail as its body may")]

mod accepted;
mod corpus;
mod developing;
mod forge;
mod gpgv;
mod openpgp_cases;
mod packing;
mod pgp_fixtures;
mod properties;
mod resolving;
mod signing;
mod support;
