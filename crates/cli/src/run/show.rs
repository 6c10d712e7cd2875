//! What `run` prints.

use std::io::Write as _;

use outrigger::{Applied, HostError, PluginHost, PluginStatus};
use outrigger_admin::Admin;
use serde_json::{Value, json};

use crate::rpc::Rpc;

/// Where things are printed, and in which form.
#[derive(Clone, Copy)]
pub(super) struct Show<'a> {
    pub(super) host: &'a PluginHost,
    pub(super) rpc: Option<&'a Rpc>,
    pub(super) admin: &'a Admin,
    pub(super) json: bool,
}

impl Show<'_> {
    /// All required plugins serve.
    pub(super) fn ready(self) {
        if self.json {
            line(&self.event("ready").to_string());
        } else {
            self.plugins();
        }
    }

    /// Settings were read anew. A plugin that failed, or settings that cannot be
    /// used, end nothing that runs.
    pub(super) fn applied(self, applied: Result<Applied, HostError>) {
        let (applied, error) = match applied {
            Ok(applied) => (applied, None),
            Err(error) => {
                tracing::error!("the settings were not taken up: {error}");
                (Applied::default(), Some(error.to_string()))
            }
        };
        for error in &applied.failed {
            tracing::error!("{error}");
        }
        let Applied { added, removed, changed, unchanged, failed, .. } = &applied;
        if self.json {
            let failed: Vec<_> = failed.iter().map(|error| &error.plugin).collect();
            let mut event = self.event("reloaded");
            event["added"] = json!(added);
            event["removed"] = json!(removed);
            event["changed"] = json!(changed);
            event["unchanged"] = json!(unchanged);
            event["failed"] = json!(failed);
            event["error"] = json!(error);
            line(&event.to_string());
            return;
        }
        for (what, instances) in [("added", added), ("removed", removed), ("changed", changed)] {
            for instance in instances {
                line(&format!("{instance}: {what}"));
            }
        }
        self.plugins();
    }

    fn event(self, name: &str) -> Value {
        let plugins: Vec<Value> = self.host.status().iter().map(to_json).collect();
        json!({
            "event": name,
            "plugins": plugins,
            "rpc": self.rpc.map(Rpc::url),
            "admin": {
                "socket": self.admin.socket(),
                "address": self.admin.address(),
                "token": self.admin.token(),
            },
        })
    }

    fn plugins(self) {
        for status in self.host.status() {
            line(&format!(
                "{}: {} {} is {}, generation {}, pid {}, sandbox {}",
                status.instance,
                status.name,
                status.version,
                status.state,
                status.generation.map_or("-".into(), |generation| generation.to_string()),
                status.pid.map_or("-".into(), |pid| pid.to_string()),
                status.sandbox,
            ));
        }
        if let Some(rpc) = self.rpc {
            line(&format!("JSON-RPC is served at {}", rpc.url()));
        }
        line(&format!("the admin API is served at {}", self.admin.socket().display()));
        if let (Some(address), Some(token)) = (self.admin.address(), self.admin.token()) {
            line(&format!("and at http://{address}, with the token in {}", token.display()));
        }
    }
}

/// A reader that has gone away is no reason for a host to end.
fn line(text: &str) {
    let _unread = writeln!(std::io::stdout(), "{text}");
}

fn to_json(status: &PluginStatus) -> Value {
    json!({
        "instance": status.instance,
        "interface": status.interface,
        "name": status.name,
        "version": status.version,
        "state": status.state,
        "generation": status.generation,
        "pid": status.pid,
        "protocol_version": status.app_version,
        "security": status.security,
        "multiplexed": status.multiplexed,
        "runs_as": status.runs_as,
        "directory": status.directory,
        "sandbox": status.sandbox,
        "failures": status.failures,
        "last_error": status.last_error.as_deref(),
    })
}
