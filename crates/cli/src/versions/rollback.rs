//! `outrigger rollback`: the version before the latest upgrade.

use clap::Args;
use outrigger::PluginDefinition;
use outrigger::distribution::remember_run;
use outrigger::settings::ProviderEdit;
use serde_json::json;

use super::history::History;
use super::settings_file::SettingsFile;
use super::stage;
use super::target::Target;
use crate::failure::Failure;
use crate::logging;
use crate::run::flags::HostFlags;

/// Take back the latest upgrade of a plugin in the settings file.
///
/// The version before it is verified first; its config comes back where the
/// upgrade replaced it. A running host takes it up on SIGHUP.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A configured plugin
    #[arg(value_name = "NAME")]
    target: Target,
    #[command(flatten)]
    host: HostFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::install("warn");
    if arguments.target.version.is_some() {
        return Err(Failure::Usage(
            "rollback goes back one upgrade; for a version of your choice, use upgrade".to_owned(),
        ));
    }
    let runtime = crate::runtime()?;
    let _entered = runtime.enter();
    let registered = arguments.host.builder()?.register()?;
    let (instance, provider) = arguments.target.instance(registered.settings())?;
    let configured = &provider.definition;
    let mut history = History::open(&registered.settings().base_dir)?;
    let Some(upgrade) = history.latest(instance).cloned() else {
        return Err(Failure::Failed(format!("`{instance}` was never upgraded by this command")));
    };
    if upgrade.to != configured.version {
        return Err(Failure::Failed(format!(
            "`{instance}` is configured with {}, but its latest upgrade went to {}; \
             change the version with upgrade",
            configured.version, upgrade.to
        )));
    }
    let back = PluginDefinition { version: upgrade.from.clone(), ..configured.clone() };
    let staged = stage(&registered, &back)?;
    let file = SettingsFile::open(&registered)?;
    let edit = ProviderEdit { version: &upgrade.from, config: upgrade.config.as_deref() };
    file.change(instance, &edit)?;
    history.pop(instance)?;
    remember_run(&registered.settings().base_dir, instance, &back).map_err(|error| {
        Failure::failed("that going back is meant cannot be remembered", &error)
    })?;
    if arguments.json {
        let report = json!({
            "instance": instance,
            "name": back.name,
            "version": { "from": upgrade.to, "to": upgrade.from },
            "sha256": staged.digest,
            "config_restored": upgrade.config.is_some(),
        });
        println!("{report}");
        return Ok(());
    }
    println!("{instance}: {} {} -> {}", back.name, upgrade.to, upgrade.from);
    println!("changed in {}; a running host takes it up on SIGHUP", file.path.display());
    Ok(())
}
