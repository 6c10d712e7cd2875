//! Chaos, where the host was built to allow it.

use actix::{Context, Handler, ResponseFuture};

use super::actor::PluginManager;
use super::messages::ChaosPlugin;
use crate::caught;
use crate::error::HostError;
use crate::plugin::messages::{Disturb, Disturbed};

impl Handler<ChaosPlugin> for PluginManager {
    type Result = ResponseFuture<Result<(), HostError>>;

    fn handle(&mut self, asked: ChaosPlugin, _: &mut Context<Self>) -> Self::Result {
        let (registry, allowed) = (self.registry.clone(), self.chaos);
        caught::answer(async move {
            let ChaosPlugin { instance, chaos } = asked;
            if !allowed {
                return Err(HostError::ChaosNotAllowed);
            }
            if let Some(wrong) = chaos.wrong() {
                return Err(HostError::Chaos { instance, reason: wrong });
            }
            let Some(found) = registry.get(instance.as_str()) else {
                let known = registry.names();
                return Err(HostError::UnknownInstance { name: instance.to_string(), known });
            };
            tracing::warn!(plugin = %instance, ?chaos, "is disturbed on purpose");
            match found.actor.send(Disturb(chaos)).await {
                Ok(Disturbed::Done) => Ok(()),
                Ok(Disturbed::NothingServes) => {
                    Err(HostError::NotServing { instance, state: found.status().state })
                }
                Ok(Disturbed::NoProcess) => {
                    let reason = "it has no process of this host's".to_owned();
                    Err(HostError::Chaos { instance, reason })
                }
                Err(_) => Err(HostError::Stopped),
            }
        })
    }
}
