//! GoQuorum's JSON-RPC methods of plugins, as jsonrpsee modules that a node
//! merges into its own server.
//!
//! | method | parameters | result |
//! | --- | --- | --- |
//! | `admin_reloadPlugin` | an interface's name, in any case | `true` |
//! | `admin_nodeInfo` | none | `{"plugins": …}`, see [`plugins_info`] |
//! | `plugin@helloworld_greeting` | a text | a text |
//! | `plugin@account_newAccount` | any JSON | `{"address": "0x…", "url": "…"}` |
//! | `plugin@account_importRawKey` | a key in hexadecimal digits without `0x`, any JSON | the same |
//!
//! A namespace answers while its interface is configured: settings that are
//! applied to a running host may add and remove it. Until then its methods are
//! unknown, with the code −32601. Other errors have the code −32000, and −32602
//! where a parameter is wrong. No config, key or token is in
//! any result or error.

mod account;
mod admin;
mod helloworld;

use std::fmt;

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::{ErrorCode, ErrorObjectOwned, Params};
use outrigger::{Following, Gateway, PluginHost};
use serde::de::DeserializeOwned;

pub use admin::plugins_info;

/// The code of what went wrong in a plugin or on the way to it.
pub const ERROR: i32 = -32_000;

/// A set of methods that is switched on as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Namespace {
    /// `admin`: reloading, and the state of plugins.
    Admin,
    /// `plugin@helloworld`.
    HelloWorld,
    /// `plugin@account`: making accounts, and nothing else of the interface.
    Account,
}

impl Namespace {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Admin, Self::HelloWorld, Self::Account];

    /// The name, as in GoQuorum's flag `--http.api`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::HelloWorld => "plugin@helloworld",
            Self::Account => "plugin@account",
        }
    }

    /// The namespace of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| namespace.name() == name)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The methods of these namespaces.
///
/// # Errors
///
/// Never, unless two namespaces have a method of the same name.
pub fn module(
    host: &PluginHost,
    namespaces: &[Namespace],
) -> Result<RpcModule<()>, RegisterMethodError> {
    let mut module = RpcModule::new(());
    for namespace in namespaces {
        match namespace {
            Namespace::Admin => module.merge(admin::module(host)?)?,
            Namespace::HelloWorld => module.merge(helloworld::module(host.follow())?)?,
            Namespace::Account => module.merge(account::module(host.follow())?)?,
        }
    }
    Ok(module)
}

/// The gateway of now; without one it is as if the method were not there.
fn present<G: Gateway>(following: &Following<G>) -> Result<G, ErrorObjectOwned> {
    following.gateway().ok_or_else(|| ErrorObjectOwned::from(ErrorCode::MethodNotFound))
}

fn failed(error: &dyn std::error::Error) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(ERROR, error.to_string(), None::<()>)
}

/// The parameters in order, with GoQuorum's words for one that is missing. What
/// is wrong with one is not shown, since it may be a key.
struct Positional<'a> {
    values: jsonrpsee::types::params::ParamsSequence<'a>,
    place: usize,
}

impl<'a> Positional<'a> {
    fn of(params: &'a Params<'_>) -> Self {
        Self { values: params.sequence(), place: 0 }
    }

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, ErrorObjectOwned> {
        let place = self.place;
        self.place += 1;
        let invalid = |text: String| ErrorObjectOwned::owned(-32_602, text, None::<()>);
        match self.values.optional_next::<T>() {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(invalid(format!("missing value for required argument {place}"))),
            Err(_) => Err(invalid(format!("invalid argument {place}"))),
        }
    }
}
