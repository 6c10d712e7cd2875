//! Seeing and steering a running host: an API, health endpoints, metrics and events.
//!
//! [`Admin::serve`] listens on a Unix socket in the run directory, which only this
//! user can reach, and on TCP where an address is given. On TCP the health endpoints
//! and `/metrics` are open to whoever reaches them; everything else needs a token,
//! and no web page can ask for anything.
//!
//! | path | what |
//! | --- | --- |
//! | `POST /` | JSON-RPC 2.0: `outrigger_status`, `outrigger_reload`, `outrigger_reloadAll`, `outrigger_apply`, `outrigger_start`, `outrigger_stop`, `outrigger_logs`, `outrigger_crashes`, `outrigger_services`, `outrigger_call` |
//! | `GET /events` | server-sent events: `status` with every instance, then `event` for each thing that happens |
//! | `GET /logs/INSTANCE` | server-sent events: the last lines, then each further one |
//! | `GET /metrics` | Prometheus text |
//! | `GET /livez`, `/readyz`, `/startupz` | health, with reasons |

mod auth;
mod call;
mod health;
mod http;
mod limit;
mod metrics;
mod rpc;
mod server;
mod socket;
mod stream;
pub mod view;

pub use auth::{READ_ONLY_TOKEN, TOKEN};
pub use metrics::Metrics;
pub use server::{Admin, AdminError, AdminOptions};
pub use socket::SOCKET;
