//! What makes a type a gateway that a host can hand out.

use outrigger_core::Link;

/// A handle on an instance, made from its link. Implemented by the handles
/// here, and by an embedder's for interfaces of its own.
pub trait Gateway: Sized {
    /// The interface whose instances it can be made for, in lower case.
    const INTERFACE: &'static str;

    /// Makes the handle; no call is made.
    fn from_link(link: Link) -> Self;
}
