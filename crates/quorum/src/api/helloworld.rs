//! `plugin@helloworld`.

use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use outrigger::helloworld::{Greeter as _, Handle};

use super::{Positional, failed};

pub(super) fn module(handle: Handle) -> Result<RpcModule<Handle>, RegisterMethodError> {
    let mut module = RpcModule::new(handle);
    module.register_async_method("plugin@helloworld_greeting", |params, handle, _| async move {
        let message: String = Positional::of(&params).next()?;
        handle.greeting(&message).await.map_err(|error| failed(&error))
    })?;
    Ok(module)
}
