//! `outrigger install`: a verified distribution into the base directory.

use clap::Args;
use serde_json::json;

use super::target::Target;
use super::{signer, stage};
use crate::failure::Failure;
use crate::logging;
use crate::run::flags::HostFlags;

/// Fetch a distribution into the base directory, and verify it.
///
/// It comes from the settings' plugin central unless it lies there already.
/// Nothing that runs is touched, and the settings are not changed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A configured plugin, or any plugin's name with its version
    #[arg(value_name = "NAME[@VERSION]")]
    target: Target,
    #[command(flatten)]
    host: HostFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    logging::install("warn");
    let runtime = crate::runtime()?;
    let _entered = runtime.enter();
    let registered = arguments.host.builder()?.register()?;
    let definition = arguments.target.definition(registered.settings())?;
    let staged = stage(&registered, &definition)?;
    if arguments.json {
        let report = json!({
            "name": definition.name,
            "version": definition.version,
            "path": staged.distribution,
            "sha256": staged.digest,
            "signed_by": signer(&staged.verified_by),
            "warnings": staged.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        println!("{report}");
        return Ok(());
    }
    println!("{}", staged.distribution.display());
    println!("sha256 {}, signed by {}", staged.digest, signer(&staged.verified_by));
    Ok(())
}
