//! `outrigger pack`: a distribution from a directory.

use std::path::PathBuf;

use clap::Args;
use outrigger::distribution::{self, IfExists, PackOptions};

use crate::failure::Failure;
use crate::tree;

/// Make a distribution from a directory.
///
/// The directory holds `plugin-meta.json`, the entry point that it names, and
/// whatever else the plugin needs. The same files give the same zip.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The directory
    directory: PathBuf,
    /// Where to put the zip
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Put it where a plugin central has it instead, in this tree of files
    #[arg(long, value_name = "TREE", conflicts_with = "output")]
    central: Option<PathBuf>,
    /// The path in the tree, as settings have it in `pluginDistPathTemplate`
    #[arg(long, value_name = "TEMPLATE", requires = "central")]
    dist_path: Option<String>,
    /// How hard to compress, from 0 to 9
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=9))]
    level: u32,
    /// Fail if the zip is there already
    #[arg(long)]
    keep: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = PackOptions {
        level: arguments.level,
        if_exists: if arguments.keep { IfExists::Refuse } else { IfExists::Replace },
        ..PackOptions::default()
    };
    let packed = match &arguments.central {
        None => distribution::pack(&arguments.directory, &arguments.output, &options)?,
        Some(tree) => {
            let failed = |error| {
                Failure::failed(&format!("{} cannot be written to", tree.display()), &error)
            };
            std::fs::create_dir_all(tree).map_err(failed)?;
            // In the same file system, so that it appears in one step.
            let scratch =
                tempfile::Builder::new().prefix(".outrigger-").tempdir_in(tree).map_err(failed)?;
            let packed = distribution::pack(&arguments.directory, scratch.path(), &options)?;
            tree::put(tree, arguments.dist_path.as_deref(), packed, options.if_exists)?
        }
    };
    if arguments.json {
        let report = serde_json::json!({
            "path": packed.path,
            "sha256": packed.digest,
            "bytes": packed.size,
            "entrypoint": packed.metadata.entry_point,
        });
        println!("{report}");
    } else {
        println!("{}", packed.path.display());
        println!("sha256 {}, {} bytes", packed.digest, packed.size);
    }
    Ok(())
}
