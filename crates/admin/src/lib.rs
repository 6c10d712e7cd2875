//! Seeing and steering a running host: an API, health endpoints, metrics and events.
//!
//! [`Admin::serve`] listens on a Unix socket in the run directory, which only this
//! user can reach, and on TCP where an address is given. On TCP the health endpoints,
//! `/metrics` and the dashboard's own files are open to whoever reaches them;
//! everything else needs a token or, where TLS is on, a client's certificate; and no
//! other web page can ask for anything.
//!
//! | path | what |
//! | --- | --- |
//! | `GET /`, `/assets/FILE` | the dashboard |
//! | `POST /` | JSON-RPC 2.0: `outrigger_status`, `outrigger_reload`, `outrigger_reloadAll`, `outrigger_apply`, `outrigger_start`, `outrigger_stop`, `outrigger_chaos`, `outrigger_logs`, `outrigger_crashes`, `outrigger_history`, `outrigger_services`, `outrigger_call`, `rpc.discover` |
//! | `GET /events` | server-sent events: `status` with every instance, then `event` for each thing that happens, and `sample` with `?samples=true` |
//! | `GET /ws` | a WebSocket: the same methods, and `outrigger_subscribe` for the same events |
//! | `GET /logs/INSTANCE` | server-sent events: the last lines, then each further one |
//! | `GET /access` | what the token allows |
//! | `GET /metrics` | Prometheus text |
//! | `GET /livez`, `/readyz`, `/startupz` | health, with reasons |

mod audit;
mod auth;
mod call;
mod disturbance;
mod following;
mod health;
mod history;
mod http;
mod limit;
mod metrics;
mod openrpc;
mod own;
mod page;
mod request;
mod rpc;
mod server;
mod socket;
mod stream;
mod tls;
mod tls_client;
pub mod view;
mod ws;

pub use auth::{READ_ONLY_TOKEN, TOKEN};
pub use metrics::Metrics;
pub use openrpc::openrpc;
pub use server::{Admin, AdminError, AdminOptions};
pub use socket::SOCKET;
pub use tls::{TlsError, TlsFiles};
pub use tls_client::TlsClient;
