//! The conformance kit: holds a plugin, or a host, in any language, to the
//! rules of `docs/wire-protocol.md`, case by case.
//!
//! A [`Case`] names the rule that it is about and says what was expected and
//! what was seen; a [`Report`] is all of them. Nothing is printed here.

mod report;

pub use report::{Case, Counts, Report, Strength, Verdict, rule_link};
