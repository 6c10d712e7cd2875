//! The files that generations run from: found, judged, and made ready.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_discovery::{Developed, EntryKind, Metadata, Resolved};
use outrigger_transport::{Image, Program};
use outrigger_types::{InstanceName, Sha256Digest, failpoint};
use tokio::time::Instant;

use super::{Blueprint, HostContext};
use crate::error::PluginErrorKind;
use crate::settings::ProviderSettings;
use crate::source::PluginSource;
use crate::status::StartTimings;

/// What can be launched, and the settings that asked for it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) provider: ProviderSettings,
    pub(crate) files: Files,
    pub(crate) program: Program,
    pub(crate) timings: StartTimings,
}

impl Loaded {
    /// What is missing of it, if somebody removed it.
    pub(crate) fn gone(&self) -> Option<PathBuf> {
        let program = match &self.program {
            Program::Path(path) if !matches!(self.files, Files::Elsewhere) => Some(path.clone()),
            _ => None,
        };
        let directory = self.files.working_directory().filter(|path| !path.is_dir());
        directory.or_else(|| program.filter(|path| !path.exists()))
    }
}

/// Files that a generation runs from.
#[derive(Debug)]
pub(crate) enum Files {
    /// A distribution in a private directory, which goes with its last
    /// generation.
    Unpacked(Box<Resolved>),
    /// Somebody's own, where they stand.
    Directory(Box<Developed>),
    /// None: what is attached to runs already.
    Elsewhere,
}

impl Files {
    /// What they say of the program.
    pub(crate) const fn metadata(&self) -> Option<&Metadata> {
        match self {
            Self::Unpacked(resolved) => Some(&resolved.metadata),
            Self::Directory(developed) => Some(&developed.metadata),
            Self::Elsewhere => None,
        }
    }

    /// The program's path and its arguments.
    pub(crate) fn command_line(&self) -> Option<Arc<[String]>> {
        let program = match self {
            Self::Unpacked(resolved) => &resolved.entry_point.path,
            Self::Directory(developed) => &developed.entry_point,
            Self::Elsewhere => return None,
        };
        let arguments = self.metadata().into_iter().flat_map(|metadata| &metadata.parameters);
        let program = program.display().to_string();
        Some(std::iter::once(program).chain(arguments.cloned()).collect())
    }

    /// Where the program runs.
    pub(crate) fn working_directory(&self) -> Option<PathBuf> {
        match self {
            Self::Unpacked(resolved) => Some(resolved.workspace.tree()),
            Self::Directory(developed) => Some(developed.directory.clone()),
            Self::Elsewhere => None,
        }
    }

    /// What must outlive the process.
    pub(crate) fn keep(&self) -> Option<Arc<dyn Send + Sync>> {
        match self {
            Self::Unpacked(resolved) => Some(resolved.workspace.clone()),
            Self::Directory(_) | Self::Elsewhere => None,
        }
    }

    /// The digest of the zip that they came from.
    pub(crate) fn distribution(&self) -> Option<Sha256Digest> {
        self.unpacked().map(|resolved| resolved.digest)
    }

    const fn unpacked(&self) -> Option<&Resolved> {
        match self {
            Self::Unpacked(resolved) => Some(resolved),
            Self::Directory(_) | Self::Elsewhere => None,
        }
    }
}

/// Finds, verifies and unpacks, and seals the program if it is a single file.
/// Blocks.
pub(super) fn load(
    host: &HostContext,
    blueprint: &Blueprint,
    instance: &InstanceName,
    provider: ProviderSettings,
    proven: Option<&Loaded>,
) -> Result<Loaded, PluginErrorKind> {
    host.restore()?;
    if failpoint::fails("plugin.load") {
        return Err(PluginErrorKind::Internal("a failpoint".to_owned()));
    }
    let (files, program) = match &blueprint.source {
        Some(PluginSource::Directory(directory)) => {
            let developed =
                host.resolver.load().resolve_directory(directory, &provider.definition)?;
            let program = Program::Path(developed.entry_point.clone());
            (Files::Directory(Box::new(developed)), program)
        }
        Some(PluginSource::Attached(_)) => (Files::Elsewhere, Program::Path(PathBuf::new())),
        Some(PluginSource::Runner(_) | PluginSource::Driver(_)) | None => {
            return unpack(host, instance, provider, proven);
        }
    };
    Ok(Loaded { provider, files, program, timings: StartTimings::default() })
}

fn unpack(
    host: &HostContext,
    instance: &InstanceName,
    provider: ProviderSettings,
    proven: Option<&Loaded>,
) -> Result<Loaded, PluginErrorKind> {
    let start = Instant::now();
    let clock = || start.elapsed();
    let known = proven.and_then(|loaded| loaded.files.unpacked());
    let resolver = host.resolver.load_full();
    let definition = &provider.definition;
    let older = resolver.check_version(instance, definition)?;
    let mut resolved = resolver.resolve(definition, known, &clock)?;
    if let Some(warning) = older {
        tracing::warn!(plugin = %instance, "{warning}");
        resolved.warnings.push(warning);
    }
    let before: Duration = clock();
    let program = match (proven, known) {
        // Made once for each verified distribution.
        (Some(proven), Some(known)) if Arc::ptr_eq(&known.workspace, &resolved.workspace) => {
            proven.program.clone()
        }
        _ => program(&resolved)?,
    };
    let timings = StartTimings {
        verify: resolved.timings.locate + resolved.timings.verify,
        unpack: resolved.timings.unpack + clock().saturating_sub(before),
        ..StartTimings::default()
    };
    Ok(Loaded { provider, files: Files::Unpacked(Box::new(resolved)), program, timings })
}

/// Seals a single-file executable, and checks that what was sealed is what was
/// verified.
fn program(resolved: &Resolved) -> Result<Program, PluginErrorKind> {
    let entry = &resolved.entry_point;
    if !entry.single_file || entry.kind != EntryKind::Elf {
        return Ok(Program::Path(entry.path.clone()));
    }
    let seal = || {
        let mut file = File::open(&entry.path)?;
        let image = Image::seal(&resolved.metadata.entry_point, &mut file)?;
        let digest = outrigger_discovery::sha256(image.reader()?)?;
        Ok::<_, std::io::Error>((image, digest))
    };
    let (image, digest) = seal().map_err(PluginErrorKind::Seal)?;
    if digest != entry.digest {
        return Err(PluginErrorKind::Swapped(entry.path.clone()));
    }
    Ok(Program::Image(Arc::new(image)))
}
