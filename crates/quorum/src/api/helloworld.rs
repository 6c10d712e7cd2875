//! `plugin@helloworld`.

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use outrigger::Following;
use outrigger::helloworld::{Greeter as _, Handle};

use super::{Positional, failed, present};

pub(super) fn module(
    following: Following<Handle>,
) -> Result<RpcModule<Following<Handle>>, RegisterMethodError> {
    let mut module = RpcModule::new(following);
    module.register_async_method("plugin@helloworld_greeting", |params, plugin, _| async move {
        let handle = present(&plugin)?;
        let message: String = Positional::of(&params).next()?;
        handle.greeting(&message).await.map_err(|error| failed(&error))
    })?;
    Ok(module)
}
