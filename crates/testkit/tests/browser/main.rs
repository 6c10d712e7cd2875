//! The dashboard of a real host, in a real headless Chromium.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod acting;
mod driven;
mod looks;
mod site;
mod watching;
