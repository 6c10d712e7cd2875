//! What keeps a plugin from serving.

use std::io;

use outrigger_transport::serve::ServeError;

use crate::cookie::CookieError;

/// Why a plugin does not serve, or serves no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No host started this program, or the wrong one.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// No tokio runtime could be built.
    #[error("no runtime could be built: {0}; check the limits on descriptors")]
    Runtime(#[source] io::Error),
    /// No handler could be installed for SIGINT or SIGTERM.
    #[error("no signal handler could be installed: {0}")]
    Signals(#[source] io::Error),
    /// No listener or no identity could be made.
    #[error("cannot listen: {0}")]
    Listen(#[from] ServeError),
    /// The handshake line could not be written.
    #[error("the handshake line could not be written: {0}; the host closed standard output")]
    Announce(#[source] io::Error),
    /// A set of descriptors for reflection is malformed; holds the decoder's
    /// words.
    #[error(
        "a descriptor set given to `Plugin::descriptors` cannot be used: {0}; it must be an \
         encoded FileDescriptorSet, as protoc writes it"
    )]
    Descriptors(String),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(#[from] tonic::transport::Error),
}
