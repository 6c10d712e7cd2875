//! `outrigger list`: what is configured, and what lies in the base directory.

use clap::Args;
use outrigger::distribution::{Distribution, Limits, locate};
use outrigger::settings::ProviderSettings;
use outrigger::{InstanceName, Platform, PluginVersion, Registered};
use serde_json::{Value, json};

use super::{signer, zips};
use crate::failure::Failure;
use crate::logging;
use crate::run::flags::HostFlags;

/// List the configured plugins, and the versions that are installed.
///
/// Each installed version that is configured is verified. Nothing is fetched.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: HostFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A row of the list.
struct Row<'a> {
    instance: &'a InstanceName,
    provider: &'a ProviderSettings,
    /// The configured version's SHA-256 and signer, or what is wrong with it.
    state: Result<(String, String), String>,
    installed: Vec<PluginVersion>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::install("warn");
    let registered = arguments.host.builder()?.register()?;
    let rows: Vec<Row<'_>> = registered
        .settings()
        .providers
        .iter()
        .map(|(instance, provider)| row(&registered, instance, provider))
        .collect::<Result<_, Failure>>()?;
    if arguments.json {
        let rows: Vec<Value> = rows.iter().map(to_json).collect();
        println!("{}", json!({ "baseDir": registered.settings().base_dir, "plugins": rows }));
        return Ok(());
    }
    for row in &rows {
        println!("{}", to_line(row));
    }
    Ok(())
}

fn row<'a>(
    registered: &Registered,
    instance: &'a InstanceName,
    provider: &'a ProviderSettings,
) -> Result<Row<'a>, Failure> {
    let settings = registered.settings();
    let definition = &provider.definition;
    let platform = Platform::current();
    let installed = zips::versions(&settings.base_dir, &definition.name, &platform)
        .map_err(|error| Failure::failed("the base directory cannot be read", &error))?;
    Ok(Row { instance, provider, state: state(registered, provider), installed })
}

fn state(registered: &Registered, provider: &ProviderSettings) -> Result<(String, String), String> {
    let resolver = registered.resolver(&registered.settings().run_dir);
    let located = locate(&resolver.base_dir, &provider.definition, &resolver.platform)
        .map_err(|_| "not installed".to_owned())?;
    let limits: &Limits = &resolver.limits;
    let opened = Distribution::open(&located.path, limits).map_err(|error| error.to_string())?;
    let digest = opened.digest();
    let verified =
        resolver.verifier.verify(&located.path, &digest).map_err(|error| error.to_string())?;
    Ok((digest.to_string(), signer(&verified)))
}

fn to_line(row: &Row<'_>) -> String {
    let definition = &row.provider.definition;
    let state = match &row.state {
        Ok((digest, signer)) => format!("sha256 {}, signed by {signer}", &digest[..12]),
        Err(problem) => problem.clone(),
    };
    let others: Vec<&str> = others(row).collect();
    let others = match others[..] {
        [] => String::new(),
        _ => format!("; also installed: {}", others.join(", ")),
    };
    format!("{}: {} {} ({state}){others}", row.instance, definition.name, definition.version)
}

fn others<'a>(row: &'a Row<'_>) -> impl Iterator<Item = &'a str> {
    let configured = &row.provider.definition.version;
    row.installed.iter().filter(move |version| *version != configured).map(PluginVersion::as_str)
}

fn to_json(row: &Row<'_>) -> Value {
    let definition = &row.provider.definition;
    let (digest, signer, problem) = match &row.state {
        Ok((digest, signer)) => (Some(digest), Some(signer), None),
        Err(problem) => (None, None, Some(problem)),
    };
    json!({
        "instance": row.instance,
        "interface": row.provider.interface,
        "name": definition.name,
        "version": definition.version,
        "sha256": digest,
        "signed_by": signer,
        "problem": problem,
        "installed": row.installed,
    })
}
