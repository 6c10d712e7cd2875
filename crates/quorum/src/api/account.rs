//! `plugin@account`: the making of accounts, and nothing else of the interface.

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::ErrorObjectOwned;
use outrigger::Following;
use outrigger::account::{Account, AccountService as _, Handle};
use outrigger_types::go_json;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Positional, failed, present};

pub(super) fn module(
    following: Following<Handle>,
) -> Result<RpcModule<Following<Handle>>, RegisterMethodError> {
    let mut module = RpcModule::new(following);
    module.register_async_method("plugin@account_newAccount", |params, plugin, _| async move {
        let handle = present(&plugin)?;
        let config = config(&mut Positional::of(&params))?;
        let made = handle.new_account(config.as_bytes()).await;
        made.map(|account| shown(&account)).map_err(|error| failed(&error))
    })?;
    module.register_async_method(
        "plugin@account_importRawKey",
        |params, plugin, _| async move {
            let handle = present(&plugin)?;
            let mut params = Positional::of(&params);
            let key: String = params.next()?;
            let config = config(&mut params)?;
            let made = handle.import_raw_key(&key, config.as_bytes()).await;
            made.map(|account| shown(&account)).map_err(|error| failed(&error))
        },
    )?;
    Ok(module)
}

/// Any JSON, as GoQuorum writes it anew.
fn config(params: &mut Positional<'_>) -> Result<String, ErrorObjectOwned> {
    let config: Box<RawValue> = params.next()?;
    go_json(config.get()).map_err(|error| failed(&error))
}

fn shown(account: &Account) -> Value {
    json!({ "address": account.address.to_string(), "url": account.url.to_string() })
}
