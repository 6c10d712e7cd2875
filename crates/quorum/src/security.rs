//! Who may call a node's JSON-RPC: authentication once a request or connection,
//! authorisation of each call. It fails closed.
//!
//! [`SecurityLayer`] goes around the HTTP service of a jsonrpsee server and
//! [`AuthorizeLayer`] around its RPC service; both are needed, and a call that
//! comes through the second without the first is refused.

mod authenticator;
mod authority;
mod disabled;
mod error;
mod http;
mod rpc;
mod session;

pub use authenticator::{Authenticator, AuthenticatorOptions};
pub use authority::{authorise, authorise_psi};
pub use disabled::{Disabled, Manager};
pub use error::SecurityError;
pub use http::{SecurityLayer, SecurityService};
pub use rpc::{AuthorizeLayer, AuthorizeService};
pub use session::{Access, Caller};
