//! `outrigger upgrade`: another version in the settings.

use clap::Args;
use outrigger::settings::ProviderEdit;
use outrigger::{
    ConfigSource, InstanceName, Platform, PluginDefinition, PluginVersion, Registered,
};
use serde_json::value::RawValue;

use super::history::{History, Upgrade};
use super::plan::{Plan, Side};
use super::settings_file::SettingsFile;
use super::target::Target;
use super::{stage, zips};
use crate::failure::Failure;
use crate::logging;
use crate::run::flags::HostFlags;

/// Change the version of a configured plugin in the settings file.
///
/// The distribution is fetched where that is configured, and verified, first.
/// What differs is shown. A running host takes it up on SIGHUP.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A configured plugin; without a version, the latest that is installed
    #[arg(value_name = "NAME[@VERSION]")]
    target: Target,
    /// Show what differs, and leave the settings as they are
    #[arg(long)]
    plan: bool,
    /// The config that the new version is to have: one JSON value
    #[arg(long, value_name = "JSON", value_parser = parse_config)]
    with_config: Option<Config>,
    #[command(flatten)]
    host: HostFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A JSON value that may hold secrets.
#[derive(Clone)]
struct Config(Box<RawValue>);

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Config")
    }
}

fn parse_config(text: &str) -> Result<Config, String> {
    serde_json::from_str(text).map(Config).map_err(|error| format!("it is no JSON: {error}"))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::install("warn");
    let runtime = crate::runtime()?;
    let _entered = runtime.enter();
    let registered = arguments.host.builder()?.register()?;
    let (instance, provider) = arguments.target.instance(registered.settings())?;
    let from = &provider.definition;
    let version = match &arguments.target.version {
        Some(version) => version.clone(),
        None => latest(&registered, instance, from)?,
    };
    let config = arguments.with_config.as_ref().map(|config| &*config.0);
    if version == from.version && config.is_none() {
        return Err(Failure::Failed(format!(
            "`{instance}` is configured with {} {version} already",
            from.name
        )));
    }
    let file = SettingsFile::open(&registered)?;
    if config.is_some() && !file.takes_configs() {
        return Err(Failure::Failed(format!(
            "{} is TOML, where --with-config cannot write; change the config by hand",
            file.path.display()
        )));
    }
    let to = PluginDefinition { version, ..from.clone() };
    let staged = stage(&registered, &to)?;
    let before = stage(&registered, from).map_err(|failure| failure.to_string());
    let sides =
        (Side { definition: from, staged: before }, Side { definition: &to, staged: Ok(staged) });
    let plan = Plan::new(instance, sides.0, sides.1, config);
    if !arguments.plan {
        let mut history = History::open(&registered.settings().base_dir)?;
        let edit = ProviderEdit { version: &to.version, config };
        let upgrade = Upgrade {
            instance: instance.clone(),
            from: from.version.clone(),
            to: to.version.clone(),
            config: config.map(|_| raw(&from.config)).transpose()?,
        };
        // First what takes the change back, then the change.
        history.push(upgrade)?;
        if let Err(failure) = file.change(instance, &edit) {
            history.pop(instance)?;
            return Err(failure);
        }
    }
    if arguments.json {
        println!("{}", plan.to_json(!arguments.plan));
        return Ok(());
    }
    for line in plan.lines() {
        println!("{line}");
    }
    let path = file.path.display();
    if arguments.plan {
        println!("the settings were not changed; without --plan, {path} would be");
    } else {
        println!("changed in {path}; a running host takes it up on SIGHUP");
    }
    Ok(())
}

/// The latest version that lies in the base directory, if it is later than the
/// configured one.
fn latest(
    registered: &Registered,
    instance: &InstanceName,
    configured: &PluginDefinition,
) -> Result<PluginVersion, Failure> {
    let base_dir = &registered.settings().base_dir;
    let installed = zips::versions(base_dir, &configured.name, &Platform::current())
        .map_err(|error| Failure::failed("the base directory cannot be read", &error))?;
    let later = |version: &PluginVersion| version.precedence(&configured.version).is_gt();
    installed.into_iter().next_back().filter(later).ok_or_else(|| {
        Failure::Failed(format!(
            "nothing later than {0} {1} lies in {2}; name a version: {instance}@VERSION",
            configured.name,
            configured.version,
            base_dir.display()
        ))
    })
}

/// A config as it stood in the settings.
fn raw(config: &ConfigSource) -> Result<Box<RawValue>, Failure> {
    let text = match config {
        ConfigSource::None => "null".to_owned(),
        ConfigSource::Inline(raw) => String::from_utf8_lossy(raw.expose()).into_owned(),
        ConfigSource::Text(raw) => serde_json::to_string(&String::from_utf8_lossy(raw.expose()))?,
    };
    Ok(RawValue::from_string(text)?)
}
