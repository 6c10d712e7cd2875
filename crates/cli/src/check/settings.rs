//! Settings are looked at: all layers, every key, and for each provider what a
//! start would look for. Nothing is started.

use std::path::{Path, PathBuf};

use clap::Args;
use outrigger::distribution::locate;
use outrigger::settings::{ProcessEnv, ProviderSettings, Settings, Sources, read_config};
use outrigger::{InstanceName, InterfaceName, Platform};

use super::distribution::look;
use super::findings::Findings;
use crate::run::flags::interfaces;

const READ: &str = "settings that can be read, with the right types and complete";
const KEYS: &str = "known keys only";
const INTERFACES: &str = "interfaces that `outrigger run` knows";
const FOUND: &str = "a zip of this name and version in baseDir";
const METADATA: &str = "the name and version of the settings in plugin-meta.json";
const CONFIG: &str = "a config whose file or variable is there";

/// What is said of a file of settings or a distribution.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings and distributions")]
pub(super) struct Files {
    /// The public key that signatures are checked with
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
    /// The node's data directory; `baseDir` is `plugins` in it by default
    #[arg(long, value_name = "DIR")]
    datadir: Option<PathBuf>,
}

pub(super) fn check(path: &Path, files: &Files) -> Findings {
    let mut findings = Findings::new(&path.display());
    let toml = path.extension().is_some_and(|ending| ending == "toml");
    let sources = Sources::new();
    let sources = if toml { sources.with_toml(path) } else { sources.with_json(path) };
    let sources = match &files.datadir {
        Some(datadir) => sources.with_datadir(datadir),
        None => sources,
    };
    let Some(loaded) = findings.take("settings", READ, sources.load()) else { return findings };
    findings.none("keys", KEYS, &loaded.warnings);
    let settings = &loaded.settings;
    let known: Vec<InterfaceName> = interfaces().into_iter().map(|spec| spec.name).collect();
    findings.take("interfaces", INTERFACES, settings.check_supported(&known));
    for (instance, provider) in &settings.providers {
        check_provider(&mut findings, settings, (instance, provider), files.key.as_ref());
    }
    findings
}

fn check_provider(
    findings: &mut Findings,
    settings: &Settings,
    (instance, provider): (&InstanceName, &ProviderSettings),
    key: Option<&PathBuf>,
) {
    let named = |name: &str| format!("{instance}-{name}");
    let definition = &provider.definition;
    let config = read_config(&definition.config, &ProcessEnv);
    findings.take(named("config"), CONFIG, config);
    let platform = Platform::current();
    let located = locate(&settings.base_dir, definition, &platform);
    let Some(located) = findings.take(named("distribution"), FOUND, located) else { return };
    let prefix = named("");
    let Some(metadata) = look(findings, &prefix, &located.path, key) else { return };
    let said = [
        (metadata.name.as_deref(), definition.name.as_str()),
        (metadata.version.as_deref(), definition.version.as_str()),
    ];
    let wrong: Vec<String> = said
        .into_iter()
        .filter(|(found, wanted)| *found != Some(*wanted))
        .map(|(found, wanted)| format!("{} instead of {wanted}", found.unwrap_or("nothing")))
        .collect();
    findings.none(named("metadata"), METADATA, &wrong);
}
