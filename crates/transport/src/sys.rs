//! The one place of this crate with `unsafe`: handing descriptors to the
//! runtime's reactor.
#![expect(unsafe_code, reason = "tokio's registration of descriptors is unsafe by signature")]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits for readability of a descriptor on the current runtime.
///
/// # Errors
///
/// The reactor refuses the descriptor.
pub(crate) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open until it is dropped and always names the
    // same descriptor; the `AsyncFd` owns it until it is dropped itself, and
    // nobody here takes it back out.
    let registered = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(registered?)
}
