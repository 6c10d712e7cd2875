//! Taking up settings that changed: what they drop is stopped, what they change
//! is reloaded, what they add is started, and the rest is left alone.

use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use actix::{Context, Handler, ResponseFuture};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use outrigger_discovery::Resolver;
use outrigger_types::{InstanceName, InterfaceName, Sha256Digest, failpoint};
use tokio::time::timeout;

use super::actor::{PluginManager, STARTING_TOGETHER, flatten};
use super::config::{SettingsSource, spec};
use super::gate::Gate;
use super::ground::Ground;
use super::messages::{Adopt, ApplySettings, ApplyWatched};
use super::plan::{Applied, Difference, difference};
use super::registry::{Instance, Registry};
use super::watching::digest_of;
use crate::caught;
use crate::error::{HostError, PluginError, PluginErrorKind};
use crate::mail::Mail;
use crate::plugin::HostContext;
use crate::plugin::messages::{GetServed, Reload, Remove, Served, Start};
use crate::settings::{Env, ProviderSettings, Settings, SettingsError, read_config};

impl Handler<ApplySettings> for PluginManager {
    type Result = ResponseFuture<Result<Applied, HostError>>;

    fn handle(&mut self, apply: ApplySettings, ctx: &mut Context<Self>) -> Self::Result {
        let work = Work::of(self, ctx, None);
        caught::answer(async move { work.run(apply.dry_run).await })
    }
}

impl Handler<ApplyWatched> for PluginManager {
    type Result = ResponseFuture<Result<Applied, HostError>>;

    fn handle(&mut self, apply: ApplyWatched, ctx: &mut Context<Self>) -> Self::Result {
        let work = Work::of(self, ctx, Some((apply.files, apply.digest)));
        caught::answer(async move { work.run(false).await })
    }
}

impl Handler<Adopt> for PluginManager {
    type Result = Result<Instance, PluginError>;

    fn handle(&mut self, adopt: Adopt, _: &mut Context<Self>) -> Self::Result {
        let Adopt { instance, provider } = adopt;
        let refused = |kind| PluginError { plugin: instance.clone(), kind: Arc::new(kind) };
        if self.stopping {
            return Err(refused(PluginErrorKind::Stopped));
        }
        let spec = spec(&self.factory.interfaces, &provider)
            .map_err(|error| refused(PluginErrorKind::Internal(error.to_string())))?;
        let make = || self.factory.make(&instance, provider, spec);
        let made = catch_unwind(AssertUnwindSafe(make))
            .map_err(|panic| refused(PluginErrorKind::Internal(caught::text(&*panic))))?;
        self.registry.insert(&instance, &made);
        Ok(made)
    }
}

/// What becomes of one instance.
struct Step {
    name: InstanceName,
    provider: ProviderSettings,
    /// `None`: it is to be made.
    instance: Option<Instance>,
}

/// One application of settings.
struct Work {
    manager: Mail<PluginManager>,
    registry: Registry,
    source: SettingsSource,
    known: Vec<InterfaceName>,
    context: Arc<HostContext>,
    ground: Ground,
    gate: Gate,
    /// What must be in these files when they are read.
    expected: Option<(Vec<PathBuf>, Sha256Digest)>,
}

impl Work {
    fn of(
        manager: &PluginManager,
        ctx: &mut Context<PluginManager>,
        expected: Option<(Vec<PathBuf>, Sha256Digest)>,
    ) -> Self {
        use actix::AsyncContext as _;
        Self {
            manager: Mail::new(ctx.address(), manager.mailbox.clone()),
            registry: manager.registry.clone(),
            source: manager.settings.clone(),
            known: manager.factory.interfaces.keys().cloned().collect(),
            context: manager.factory.context.clone(),
            ground: manager.ground.clone(),
            gate: manager.gate.clone(),
            expected,
        }
    }

    async fn run(self, dry_run: bool) -> Result<Applied, HostError> {
        let _nothing_to_fail = failpoint::fails("manager.apply");
        let _turn = self.gate.alone().await?;
        let order = self.gate.order();
        let source = self.source.clone();
        let ground = self.ground.clone();
        let expected = self.expected.clone();
        let read = self.context.io.spawn_blocking(move || {
            let as_expected = || {
                let same = |it: &(Vec<PathBuf>, Sha256Digest)| digest_of(&it.0) == Some(it.1);
                if expected.as_ref().is_none_or(same) {
                    Ok(())
                } else {
                    Err(HostError::SettingsMoved)
                }
            };
            as_expected()?;
            let settings = source.load()?;
            as_expected()?;
            let resolver = ground.wanted(&settings)?;
            Ok::<_, HostError>((settings, resolver))
        });
        let (settings, resolver) = read.await.map_err(|_| HostError::Stopped)??;
        self.check(&settings)?;
        let running = self.registry.all().clone();
        let Difference { added, removed, kept } = difference(
            running.iter().map(|(name, instance)| (name, &instance.interface)),
            &settings.providers,
        );
        let mut applied = Applied { removed, ..Applied::default() };
        let mut steps = Vec::new();
        for name in kept {
            let (Some(instance), Some(provider)) =
                (running.get(&name), settings.providers.get(&name))
            else {
                continue;
            };
            if self.stands(instance, provider, &resolver).await {
                applied.unchanged.push(name);
            } else {
                let (instance, provider) = (Some(instance.clone()), provider.clone());
                steps.push(Step { name, provider, instance });
            }
        }
        for name in added {
            let Some(provider) = settings.providers.get(&name).cloned() else { continue };
            steps.push(Step { name, provider, instance: None });
        }
        steps.sort_by(|one, two| one.name.cmp(&two.name));
        if dry_run {
            for step in steps {
                applied.count(step.name, step.instance.is_none());
            }
            return Ok(applied);
        }
        self.ground.take(&settings, resolver)?;
        self.follow(&settings);
        self.remove(&applied.removed).await;
        let outcomes = steps.into_iter().map(|step| async {
            let (name, new) = (step.name.clone(), step.instance.is_none());
            (name, new, self.take(step, order).await)
        });
        let mut outcomes = stream::iter(outcomes).buffered(STARTING_TOGETHER);
        while let Some((name, new, outcome)) = outcomes.next().await {
            match outcome {
                Ok(()) => applied.count(name, new),
                Err(error) => applied.failed.push(error),
            }
        }
        Ok(applied)
    }

    /// Settings with anything that this host cannot do are not taken up at all.
    fn check(&self, settings: &Settings) -> Result<(), HostError> {
        match settings.check_supported(&self.known) {
            Err(SettingsError::Unsupported { interfaces }) => {
                Err(HostError::UnknownInterface { interfaces, known: self.known.clone() })
            }
            other => Ok(other?),
        }
    }

    /// What concerns no generation holds from now on.
    fn follow(&self, settings: &Settings) {
        for (name, instance) in self.registry.all().iter() {
            let Some(wanted) = settings.providers.get(name) else { continue };
            let (required, strategy) = (wanted.required, wanted.restart.strategy);
            let known = (instance.required, instance.strategy, &instance.after);
            if known != (required, strategy, &wanted.after) {
                let after = wanted.after.clone();
                self.registry
                    .insert(name, &Instance { required, strategy, after, ..instance.clone() });
            }
        }
    }

    async fn remove(&self, names: &[InstanceName]) {
        let removed = names.iter().filter_map(|name| self.registry.remove(name));
        // A closed mailbox has nothing left to stop.
        join_all(removed.map(|instance| instance.actor.send(Remove))).await;
    }

    async fn take(&self, step: Step, order: u64) -> Result<(), PluginError> {
        let Step { name, provider, instance } = step;
        let outcome = match instance {
            Some(instance) => instance.actor.send(Reload { provider, order }).await,
            None => {
                let adopt = Adopt { instance: name.clone(), provider };
                flatten(&name, self.manager.send(adopt).await)?.actor.send(Start).await
            }
        };
        flatten(&name, outcome).map(drop)
    }

    /// Whether what serves is what the settings ask for, down to the bytes.
    async fn stands(
        &self,
        instance: &Instance,
        wanted: &ProviderSettings,
        resolver: &Arc<Resolver>,
    ) -> bool {
        let Some(served) = instance.actor.send(GetServed).await.ok().flatten() else {
            return false;
        };
        // What concerns no generation is taken up without one.
        let known = &served.provider;
        let mut asked = wanted.clone();
        asked.required = known.required;
        asked.after.clone_from(&known.after);
        asked.restart.strategy = known.restart.strategy;
        if served.provider != asked || served.looks_anew {
            return false;
        }
        let limit = wanted.timeouts.start;
        let (env, resolver) = (self.context.env.clone(), resolver.clone());
        let compare = self.context.io.spawn_blocking(move || same_bytes(&*env, &resolver, &served));
        matches!(timeout(limit, compare).await, Ok(Ok(true)))
    }
}

impl Applied {
    fn count(&mut self, name: InstanceName, new: bool) {
        if new { self.added.push(name) } else { self.changed.push(name) }
    }
}

/// Blocks on the disk.
fn same_bytes(env: &dyn Env, resolver: &Resolver, served: &Served) -> bool {
    let definition = &served.provider.definition;
    let same_config = served.config.is_none_or(|known| {
        let config = read_config(&definition.config, env);
        let digest = config.map(|raw| outrigger_discovery::sha256(raw.expose()));
        matches!(digest, Ok(Ok(digest)) if digest == known)
    });
    same_config && served.distribution.is_none_or(|known| known == present(resolver, served, known))
}

/// The digest of the zip that a reload would find. One that is gone, or that
/// cannot be read, is no reason to end what was verified.
fn present(resolver: &Resolver, served: &Served, known: Sha256Digest) -> Sha256Digest {
    let definition = &served.provider.definition;
    let located = outrigger_discovery::locate(&resolver.base_dir, definition, &resolver.platform);
    let digest = located.ok().and_then(|located| {
        let file = File::open(located.path).ok()?;
        // One byte more than is allowed has another digest, and is refused then.
        let limit = resolver.limits.archive_bytes.saturating_add(1);
        outrigger_discovery::sha256(file.take(limit)).ok()
    });
    digest.unwrap_or(known)
}
