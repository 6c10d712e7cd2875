//! `outrigger doctor`: says why a path, a key, the clock, a permission, an
//! architecture or a kernel feature is wrong, and what to do.
//!
//! It starts no plugin and changes nothing but a temporary directory.

mod directory;
mod file;
mod kernel;
mod key;
mod limits;
mod machine;
mod network;
mod plugins;
mod report;

use std::path::PathBuf;

use clap::Args;
use outrigger::Registered;
use outrigger::diagnosis::{Launcher, LauncherSource};
use outrigger::settings::{ProcessEnv, Settings, default_run_dir};

use self::report::Report;
use crate::failure::{Failure, chain};
use crate::run::flags::HostFlags;
use crate::runtime;

/// Say why something is wrong on this machine, and what to do.
///
/// Looks at the machine; with --plugins or --config at the settings and at all that
/// a host would find by them; and at each PATH: a program, a distribution, a key or
/// a directory. Starts nothing. Exit status 1 if any check failed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: HostFlags,
    /// Files and directories to look at too
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut report = Report::default();
    let settings = look_at_settings(&mut report, &arguments.host)?;
    machine::check(&mut report, settings.as_ref());
    kernel::check(&mut report);
    let plugins = settings.as_ref().map_or(0, |settings| settings.providers.len());
    limits::check(&mut report, plugins);
    let (launcher, default) = (
        settings.as_ref().and_then(|settings| settings.launcher.clone()),
        default_run_dir(&ProcessEnv),
    );
    look_at_launcher(&mut report, launcher.as_deref());
    let run_dir = settings.as_ref().map_or(default, |settings| settings.run_dir.clone());
    directory::run_dir(&mut report, &run_dir);
    runtime()?.block_on(network::hosts(&mut report, &run_dir));
    if let Some(settings) = &settings {
        directory::base_dir(&mut report, &settings.base_dir);
        runtime()?.block_on(network::central(&mut report, &settings.central));
        look_at_plugins(&mut report, &arguments.host, settings)?;
    }
    for path in &arguments.paths {
        file::check(&mut report, path);
    }
    report.show(arguments.json)
}

fn look_at_settings(report: &mut Report, flags: &HostFlags) -> Result<Option<Settings>, Failure> {
    if !flags.given() {
        report.skip("settings", "neither --plugins nor --config was given");
        return Ok(None);
    }
    match flags.sources().load() {
        Ok(loaded) => {
            let settings = loaded.settings;
            report.ok("settings", format!("{} plugins are configured", settings.providers.len()));
            for warning in &loaded.warnings {
                report.warn("settings-keys", warning.to_string(), "correct or remove the key");
            }
            Ok(Some(settings))
        }
        Err(error) => {
            report.fail(
                "settings",
                chain(&error),
                "correct the settings; docs/settings.md has every key",
            );
            Ok(None)
        }
    }
}

fn look_at_launcher(report: &mut Report, setting: Option<&std::path::Path>) {
    match Launcher::locate(setting) {
        Ok(Some(launcher)) => {
            let how = match launcher.source {
                LauncherSource::Setting => "named by the settings",
                LauncherSource::Hook => "this program itself",
                LauncherSource::Beside => "beside this program",
                LauncherSource::Path => "on PATH",
            };
            report.ok("launcher", format!("{how}: {}", launcher.path.display()));
        }
        Ok(None) => report.warn(
            "launcher",
            "there is none, so that processes which plugins start may outlive them",
            "put outrigger-launcher beside the node's program, or set `launcher`",
        ),
        Err(path) => report.fail(
            "launcher",
            format!("{} is no executable of this user's", path.display()),
            "correct the setting `launcher`, or remove it",
        ),
    }
}

fn look_at_plugins(
    report: &mut Report,
    flags: &HostFlags,
    settings: &Settings,
) -> Result<(), Failure> {
    let registered: Registered = match flags.builder()?.register() {
        Ok(registered) => {
            report.ok("register", "a host takes these settings and flags");
            registered
        }
        Err(error) => {
            report.fail(
                "register",
                chain(&error),
                "correct what it names; nothing starts before that",
            );
            return Ok(());
        }
    };
    let work = tempfile::tempdir()?;
    let mut resolver = registered.resolver(work.path());
    for path in resolver.verifier.trusted_files() {
        key::check(report, "key", &path);
    }
    // What is not here is not fetched now.
    let central = resolver.central.take().is_some();
    for (instance, provider) in &settings.providers {
        plugins::check(report, &resolver, central, (instance, provider));
    }
    Ok(())
}
