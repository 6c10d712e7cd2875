//! What the actor keeps of what happened: the version that ran, deaths, failures.

use std::sync::Arc;
use std::time::SystemTime;

use super::actor::PluginActor;
use crate::crash::{self, CrashReport};
use crate::error::{PluginError, PluginErrorKind};
use crate::live::Lost;

impl PluginActor {
    /// So that a version that is older than this one is noticed.
    pub(super) fn remember(&self) {
        let Some((_, serving)) = self.lifecycle.serving() else { return };
        if serving.loaded.files.distribution().is_none() {
            return;
        }
        let (resolver, instance) = (self.host.resolver.load_full(), self.instance.clone());
        let definition = serving.loaded.provider.definition.clone();
        let work = move || {
            let written =
                outrigger_discovery::remember_run(&resolver.base_dir, &instance, &definition);
            if let Err(error) = written {
                let version = &definition.version;
                tracing::warn!(plugin = %instance, "that {version} runs cannot be remembered, so that going back from it would not be noticed: {error}");
            }
        };
        let work = tokio::task::spawn_blocking(work);
        self.host.tasks.spawn_on(async move { drop(work.await) }, &self.host.io);
    }

    /// Keeps a report on the generation that served.
    pub(super) fn crashed(&self, error: &PluginError, lost: Lost) {
        let (since, memory) = self.served_since;
        let (status, last_words) = match &*error.kind {
            PluginErrorKind::Died { status, last_words } => (Some(*status), last_words.clone()),
            _ => (None, String::new()),
        };
        let after = crash::out_of_memory_kills();
        self.status.send_modify(|known| {
            known.crashes.push(CrashReport {
                at: SystemTime::now(),
                generation: known.generation.unwrap_or_default(),
                pid: known.pid,
                version: known.version.clone(),
                served: since.elapsed(),
                status,
                out_of_memory: crash::is_out_of_memory(status, memory, after),
                reason: error.kind.to_string().into(),
                panic: crash::panic_text(&last_words),
                last_words,
                calls: lost.calls,
                lost: lost.methods,
            });
        });
    }

    pub(super) fn failed(&self, error: &PluginError) {
        self.count_failure(&error.kind);
        let text: Arc<str> = error.kind.to_string().into();
        self.status.send_modify(|status| {
            status.failures += 1;
            status.last_error = Some(text);
        });
    }
}
