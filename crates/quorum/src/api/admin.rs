//! `admin`: reloading, and what is known of the plugins.

use std::collections::BTreeMap;

use actix::Addr;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::ErrorObjectOwned;
use outrigger::manager::messages::{GetStatus, ReloadPlugin};
use outrigger::manager::{Lookup, PluginManager};
use outrigger::{HostError, InstanceName, PluginHost, PluginStatus, actix};
use serde_json::{Map, Value, json};

use super::{ERROR, Positional, failed};

struct Admin {
    manager: Addr<PluginManager>,
    lookup: Lookup,
}

pub(super) fn module(
    host: &PluginHost,
) -> Result<RpcModule<impl Send + Sync>, RegisterMethodError> {
    let mut module = RpcModule::new(Admin { manager: host.manager(), lookup: host.lookup() });
    module.register_async_method("admin_reloadPlugin", |params, admin, _| async move {
        let name: String = Positional::of(&params).next()?;
        reload(&admin.manager, &name).await
    })?;
    module.register_async_method("admin_nodeInfo", |_, admin, _| async move {
        let statuses = admin.manager.send(GetStatus).await.map_err(|error| failed(&error))?;
        let base_dir = admin.lookup.base_dir().display().to_string();
        Ok::<_, ErrorObjectOwned>(json!({ "plugins": info(&base_dir, &statuses) }))
    })?;
    Ok(module)
}

async fn reload(manager: &Addr<PluginManager>, name: &str) -> Result<bool, ErrorObjectOwned> {
    let name = name.to_lowercase();
    let unknown = || {
        let shown: String = name.chars().take(128).collect();
        let text = format!("no such plugin provider: {}", shown.escape_debug());
        ErrorObjectOwned::owned(ERROR, text, None::<()>)
    };
    let instance = InstanceName::parse(&name).map_err(|_| unknown())?;
    match manager.send(ReloadPlugin { instance }).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(HostError::UnknownInstance { .. })) => Err(unknown()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

/// The part `plugins` of GoQuorum's `admin_nodeInfo`: nothing without plugins,
/// and else `baseDir` and, for each instance, an object with `name`, `version`,
/// `config` and `executable`, the program with its arguments (`null` while
/// nothing serves). `config` is always `"(not shown)"`, where GoQuorum shows
/// secrets.
#[must_use]
pub fn plugins_info(host: &PluginHost) -> Value {
    info(&host.base_dir().display().to_string(), &host.status())
}

fn info(base_dir: &str, statuses: &[PluginStatus]) -> Value {
    if statuses.is_empty() {
        return json!({});
    }
    let plugin = |status: &PluginStatus| {
        let object = json!({
            "name": status.name,
            "version": status.version,
            "config": "(not shown)",
            "executable": status.executable.as_deref(),
        });
        (status.instance.to_string(), object)
    };
    let plugins: BTreeMap<String, Value> = statuses.iter().map(plugin).collect();
    let mut object = Map::new();
    object.insert("baseDir".to_owned(), json!(base_dir));
    object.extend(plugins);
    Value::Object(object)
}
