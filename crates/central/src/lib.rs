//! Fetches distributions, signatures and keys from a plugin central: a static
//! file server, or a directory that mirrors one.
//!
//! [`Client`] is an [`outrigger_discovery::Central`]. Each of its calls tries the
//! base URL and then the mirrors, each a few times if what failed may pass, and
//! ends within time and size limits. A distribution appears under its name
//! whole or not at all.

mod address;
mod client;
mod config;
mod download;
mod error;
mod http;
mod netrc;
mod pin;
mod progress;

pub use address::{Address, AddressError, Template, TemplateError};
pub use client::Client;
pub use config::{Config, ConfigError, Limits};
pub use error::FetchError;
pub use pin::{Pin, PinError};
pub use progress::{Download, OnDownload};
