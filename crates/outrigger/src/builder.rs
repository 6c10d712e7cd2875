//! From a builder to a host, in two phases.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outrigger_core::manager::{
    self, Host, HostConfig, Interfaces, MakeTrust, SettingsSource, Sourced, Trust, WatchSettings,
};
use outrigger_core::settings::{
    ProcessEnv, REATTACH_VARIABLE, Settings, SettingsError, SettingsFormat, Sources, Warning,
    reattached,
};
use outrigger_core::{HostError, InterfaceSpec, PluginSource};
use outrigger_discovery::{Resolver, Verifier};
use outrigger_transport::{Driver, Output, Reattach, Runner};
use outrigger_types::{InstanceName, Sha256Digest};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::host::PluginHost;
use crate::trust::{Choice, Downloads, check_judge, trust};

/// What a host is to be. Made by [`PluginHost::builder`].
///
/// Settings come from files, under environment variables `OUTRIGGER__A__B`,
/// under overrides.
#[derive(Debug, Default)]
#[must_use]
pub struct PluginHostBuilder {
    settings: Option<Settings>,
    sources: Sources,
    interfaces: Interfaces,
    verification: Choice,
    public_key: Option<PathBuf>,
    downloads: Downloads,
    identity: String,
    driver: Option<Arc<dyn Driver>>,
    /// By the names that were given.
    origins: Vec<(String, PluginSource)>,
    outputs: Vec<(String, Output)>,
    io: Option<Handle>,
    watch: Option<WatchSettings>,
    allow_chaos: bool,
}

impl PluginHostBuilder {
    /// Uses settings that the node built itself. Beats every other source; a
    /// reload finds the same settings.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Reads a GoQuorum settings file, given as a `file:` URL.
    pub fn settings_url(mut self, url: impl Into<String>) -> Self {
        self.sources = std::mem::take(&mut self.sources).with_url(url);
        self
    }

    /// Reads a GoQuorum settings file, given as a path.
    pub fn settings_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources = std::mem::take(&mut self.sources).with_json(path);
        self
    }

    /// Reads the section `[Node.Plugins]` of a TOML file.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources = std::mem::take(&mut self.sources).with_toml(path);
        self
    }

    /// Layers one value over everything else, under a key path such as
    /// `timeouts.drain`.
    pub fn override_value(mut self, key: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.sources = std::mem::take(&mut self.sources).with_override(key, value);
        self
    }

    /// The node's data directory; `baseDir` defaults to `plugins` in it.
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources = std::mem::take(&mut self.sources).with_datadir(path);
        self
    }

    /// Adds an interface. The settings may name those that were added, and no
    /// others.
    pub fn interface(mut self, spec: InterfaceSpec) -> Self {
        self.interfaces.insert(spec.name.clone(), Arc::new(spec));
        self
    }

    /// The key that verifies distributions; by default `<baseDir>/gpg.key`.
    /// Signatures lie beside the distributions.
    pub fn public_key(mut self, path: impl Into<PathBuf>) -> Self {
        self.public_key = Some(path.into());
        self
    }

    /// Runs distributions that nobody verified. Dangerous: whoever can write to
    /// `baseDir` runs code as the node. Logged at each start.
    pub fn danger_skip_verification(mut self) -> Self {
        self.verification = Choice::DangerSkip;
        self
    }

    /// Verifies by signatures that lie beside distributions or, where there is
    /// none that is good, come from the settings' plugin central. The key lies
    /// here, or its fingerprint is pinned by `verification.fingerprints`.
    #[cfg(all(feature = "central", feature = "openpgp"))]
    pub fn online(mut self) -> Self {
        self.verification = Choice::Online { trust_central_key: false };
        self
    }

    /// Has whoever waits told how far downloads from the plugin central have come.
    #[cfg(feature = "central")]
    pub fn on_download(
        mut self,
        told: impl Fn(outrigger_central::Download<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.downloads.told = Some(outrigger_central::OnDownload::new(told));
        self
    }

    /// As [`online`](Self::online), with whatever key the central has:
    /// GoQuorum's way. Whoever has the central then decides what runs, unless
    /// fingerprints are pinned.
    #[cfg(all(feature = "central", feature = "openpgp"))]
    pub fn danger_trust_central_key(mut self) -> Self {
        self.verification = Choice::Online { trust_central_key: true };
        self
    }

    /// Lets something of the node's own judge distributions.
    pub fn verifier(mut self, verifier: Arc<dyn Verifier>) -> Self {
        self.verification = Choice::Custom(verifier);
        self
    }

    /// The node's identity, as plugins are told it at their initialisation.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = identity.into();
        self
    }

    /// Runs plugins in another way than as processes.
    pub fn driver(mut self, driver: Arc<dyn Driver>) -> Self {
        self.driver = Some(driver);
        self
    }

    /// Runs one instance from a directory instead of its distribution: the files
    /// where they stand, unpacked and unsigned. A reload looks at them anew.
    /// For whoever writes a plugin; [`register`](Self::register) refuses it
    /// unless [`danger_skip_verification`](Self::danger_skip_verification) was
    /// called.
    pub fn develop(self, instance: impl Into<String>, directory: impl Into<PathBuf>) -> Self {
        self.source(instance, PluginSource::Directory(directory.into()))
    }

    /// Attaches to a plugin that runs already, instead of launching one: the
    /// node vouches for it, whatever verifies its other plugins. One in test
    /// mode is left alone when the host stops; any other is stopped like a
    /// plugin of the host's own.
    ///
    /// Connections to it are secured as the interface, or the definition's
    /// `tls`, says; in test mode plainly, unless one of them gives certificates.
    pub fn attach(self, instance: impl Into<String>, reattach: Reattach) -> Self {
        self.source(instance, PluginSource::Attached(reattach))
    }

    /// Has one instance's processes started by somebody else, as in a container.
    pub fn runner(self, instance: impl Into<String>, runner: Arc<dyn Runner>) -> Self {
        self.source(instance, PluginSource::Runner(runner))
    }

    /// Says where one instance's generations come from. An instance has one
    /// source at most; the variable `OUTRIGGER_REATTACH_PLUGINS` takes its place.
    pub fn source(mut self, instance: impl Into<String>, source: PluginSource) -> Self {
        self.origins.push((instance.into(), source));
        self
    }

    /// Gives one instance's output to somebody, beside the log.
    pub fn output(mut self, instance: impl Into<String>, output: Output) -> Self {
        self.outputs.push((instance.into(), output));
        self
    }

    /// Watches the settings' files, and takes up what changed as
    /// [`PluginHost::apply`] does, once it has settled. What is in the files
    /// decides, and nothing else: files that are named in them are not watched.
    pub fn watch_settings(mut self, how: WatchSettings) -> Self {
        self.watch = Some(how);
        self
    }

    /// Lets [`PluginHost::chaos`] disturb plugins on purpose. For tests of a node.
    pub const fn allow_chaos(mut self) -> Self {
        self.allow_chaos = true;
        self
    }

    /// Where connections are driven; by default the runtime that calls
    /// [`Registered::start`]. It must outlive the host.
    pub fn runtime(mut self, handle: Handle) -> Self {
        self.io = Some(handle);
        self
    }

    /// Reads and checks the settings: no process, no network, nothing written.
    /// Blocks on small files.
    ///
    /// # Errors
    ///
    /// [`HostError`]: settings that cannot be read, an interface that was not
    /// added, a source or an output of an instance that is not configured or that
    /// has one already, an unsigned directory where plugins are verified, a launcher that is
    /// none, a feature of this crate that the node was built without.
    pub fn register(self) -> Result<Registered, HostError> {
        // Before they are read: a change after that is seen.
        let files = self.sources.files().unwrap_or_default();
        let watch = self.watch.map(|how| (how, manager::digest_of(&files)));
        let (settings, source, warnings) = match self.settings {
            Some(settings) => {
                let source = SettingsSource::Fixed(Arc::new(settings.clone()));
                (settings, source, Vec::new())
            }
            None => {
                let loaded = self.sources.load()?;
                let source = SettingsSource::Sources(Arc::new(self.sources));
                (loaded.settings, source, loaded.warnings)
            }
        };
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let mut sources = named(&settings, "source", self.origins)?;
        let skips = matches!(self.verification, Choice::DangerSkip);
        for (instance, reattach) in running(&settings)? {
            if !skips {
                return Err(HostError::UnverifiedAttach { instance });
            }
            sources.insert(instance, PluginSource::Attached(reattach));
        }
        let outputs = named(&settings, "output", self.outputs)?;
        let asked = self.verification.clone();
        let (choice, public_key, downloads) = (self.verification, self.public_key, self.downloads);
        let make_trust: MakeTrust = Arc::new(move |settings| {
            trust(settings, choice.clone(), public_key.clone(), &downloads)
        });
        let trust = make_trust(&settings)?;
        Host::check(&settings, &self.interfaces, &sources, &*trust.verifier)?;
        check_judge(&settings, &asked, &sources)?;
        let config = Unstarted {
            settings,
            source,
            interfaces: self.interfaces,
            sources,
            outputs,
            trust,
            make_trust: Made(make_trust),
            identity: self.identity.into(),
            driver: self.driver,
            io: self.io,
            watch,
            allow_chaos: self.allow_chaos,
        };
        Ok(Registered { config, warnings })
    }
}

/// What was said by name, by instances that are configured.
fn named<T>(
    settings: &Settings,
    what: &'static str,
    said: Vec<(String, T)>,
) -> Result<BTreeMap<InstanceName, T>, HostError> {
    let find = |name: String| {
        let parsed = InstanceName::parse(&name).ok();
        let found = parsed.filter(|parsed| settings.providers.contains_key(parsed));
        found.ok_or_else(|| HostError::UnknownInstance {
            name: name.escape_debug().to_string(),
            known: settings.providers.keys().cloned().collect(),
        })
    };
    let mut by_name = BTreeMap::new();
    for (name, it) in said {
        let instance = find(name)?;
        if by_name.insert(instance.clone(), it).is_some() {
            return Err(HostError::SaidTwice { instance, what });
        }
    }
    Ok(by_name)
}

/// Configured instances that the environment says run already. It may serve
/// several hosts, so what this one does not have is no error.
fn running(settings: &Settings) -> Result<Vec<(InstanceName, Reattach)>, HostError> {
    let (known, unknown): (Vec<_>, Vec<_>) = reattached(&ProcessEnv)?
        .into_iter()
        .partition(|(instance, _)| settings.providers.contains_key(instance));
    for (instance, _) in unknown {
        tracing::warn!("{REATTACH_VARIABLE} names `{instance}`, which is not configured here");
    }
    Ok(known)
}

/// A closure has nothing to show.
struct Made(MakeTrust);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeTrust")
    }
}

#[derive(Debug)]
struct Unstarted {
    settings: Settings,
    source: SettingsSource,
    interfaces: Interfaces,
    sources: Sourced,
    outputs: BTreeMap<InstanceName, Output>,
    trust: Trust,
    make_trust: Made,
    identity: Arc<str>,
    driver: Option<Arc<dyn Driver>>,
    io: Option<Handle>,
    watch: Option<(WatchSettings, Option<Sha256Digest>)>,
    allow_chaos: bool,
}

/// Settings that were read and found good; nothing runs yet.
#[derive(Debug)]
#[must_use]
pub struct Registered {
    config: Unstarted,
    warnings: Vec<Warning>,
}

impl Registered {
    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.config.settings
    }

    /// The file that defines the providers; `None` where no file does.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when the settings URL names no file.
    pub fn providers_file(&self) -> Result<Option<(PathBuf, SettingsFormat)>, SettingsError> {
        match &self.config.source {
            SettingsSource::Fixed(_) => Ok(None),
            SettingsSource::Sources(sources) => sources.providers_file(),
        }
    }

    /// What was doubtful about them; each was logged too.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What a start would find, verify and unpack distributions with, here
    /// into workspaces beneath `work_dir`.
    #[must_use]
    pub fn resolver(&self, work_dir: &Path) -> Resolver {
        let config = &self.config;
        let Trust { verifier, central } = config.trust.clone();
        manager::resolver(&config.settings, verifier, central, work_dir)
    }

    /// Starts the plugins, and comes back when all required ones serve. Must
    /// run on a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// [`HostError`] of the first required plugin that failed; nothing runs and
    /// nothing is left on the disk then.
    pub async fn start(self) -> Result<PluginHost, HostError> {
        self.start_or(CancellationToken::new()).await
    }

    /// As [`Registered::start`], until `cancel` is cancelled: what was started
    /// by then is taken down before this returns.
    ///
    /// # Errors
    ///
    /// As [`Registered::start`], and [`HostError::Stopped`] once it is
    /// cancelled.
    pub async fn start_or(self, cancel: CancellationToken) -> Result<PluginHost, HostError> {
        let config = self.config;
        let config = HostConfig {
            settings: config.settings,
            source: config.source,
            interfaces: config.interfaces,
            sources: config.sources,
            outputs: config.outputs,
            trust: config.trust,
            make_trust: config.make_trust.0,
            host_identity: config.identity,
            driver: config.driver,
            io: config.io.unwrap_or_else(Handle::current),
            watch: config.watch,
            allow_chaos: config.allow_chaos,
        };
        Ok(PluginHost::new(Host::start_or(config, cancel).await?))
    }
}
