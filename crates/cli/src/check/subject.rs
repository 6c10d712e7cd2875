//! What FILE is, and how it is started: an executable as it is, a directory or
//! a distribution by its metadata.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use outrigger::Platform;
use outrigger::distribution::{Distribution, Limits, METADATA_FILE, Metadata, Workspace};
use outrigger_conformance::plugin::Subject;
use outrigger_sdk::quorum;

use super::Arguments;
use super::plugin::start_timeout;
use crate::failure::Failure;

/// The beginning of every zip with a file in it.
const ZIP: &[u8] = b"PK\x03\x04";

/// What a file is, by its beginning and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A zip.
    Distribution,
    /// JSON or TOML.
    Settings,
    /// Anything else, a directory too.
    Program,
}

impl Kind {
    /// Looks at a file.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Ok(Self::Program);
        }
        let mut beginning = Vec::new();
        let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut beginning));
        read.map_err(|error| Failure::failed(&path.display().to_string(), &error))?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if beginning.starts_with(ZIP) || ending == "zip" {
            return Ok(Self::Distribution);
        }
        let object = beginning.trim_ascii_start().starts_with(b"{");
        let settings = object || matches!(ending, "json" | "toml");
        Ok(if settings { Self::Settings } else { Self::Program })
    }
}

/// A program that was found.
pub(super) struct Located {
    program: PathBuf,
    arguments: Vec<OsString>,
    directory: PathBuf,
    /// For whoever reads the report.
    pub(super) remark: Option<String>,
    /// Where a distribution was unpacked; removed with this value.
    _unpacked: Option<(Workspace, tempfile::TempDir)>,
}

impl Located {
    /// Finds the program of FILE.
    pub(super) fn find(arguments: &Arguments) -> Result<Self, Failure> {
        let file = arguments.file.as_deref().unwrap_or(Path::new(""));
        let missing = |error| Failure::failed(&file.display().to_string(), &error);
        let path = file.canonicalize().map_err(missing)?;
        if path.is_dir() {
            return Self::in_directory(&path);
        }
        if Kind::of(&path)? == Kind::Distribution {
            return Self::in_distribution(&path);
        }
        let directory = std::env::current_dir()?;
        let (arguments, remark, unpacked) = (Vec::new(), None, None);
        Ok(Self { program: path, arguments, directory, remark, _unpacked: unpacked })
    }

    /// What the kit starts.
    pub(super) fn subject(&self, arguments: &Arguments) -> Result<Subject, Failure> {
        let given = self.arguments.iter().chain(&arguments.arguments).cloned().collect::<Vec<_>>();
        let file = arguments.file.as_deref().unwrap_or(&self.program);
        let words = std::iter::once(file.as_os_str()).chain(given.iter().map(|word| &**word));
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        Ok(Subject {
            name: words.join(" "),
            program: self.program.clone(),
            arguments: given,
            directory: self.directory.clone(),
            cookie: cookie(arguments.cookie.as_deref())?,
            versions: versions(arguments),
            start_timeout: start_timeout(arguments),
        })
    }

    fn in_directory(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(METADATA_FILE);
        let bytes = std::fs::read(&path);
        let bytes = bytes.map_err(|error| Failure::failed(&path.display().to_string(), &error))?;
        let metadata = Metadata::parse(&bytes, directory)?;
        Ok(Self::by_metadata(directory, &metadata))
    }

    fn in_distribution(zip: &Path) -> Result<Self, Failure> {
        let limits = Limits::default();
        let distribution = Distribution::open(zip, &limits)?;
        let mut contents = distribution.contents(&limits, &Platform::current())?;
        let private = tempfile::Builder::new().prefix("outrigger-check-").tempdir()?;
        let workspace = Workspace::create(private.path(), "plugin")?;
        contents.unpack(&workspace.tree())?;
        let located = Self::by_metadata(&workspace.tree(), contents.metadata());
        let remark =
            Some("the distribution was not verified: its signature is not looked at".into());
        Ok(Self { remark, _unpacked: Some((workspace, private)), ..located })
    }

    fn by_metadata(directory: &Path, metadata: &Metadata) -> Self {
        Self {
            program: directory.join(&metadata.entry_point),
            arguments: metadata.parameters.iter().map(OsString::from).collect(),
            directory: directory.to_owned(),
            remark: None,
            _unpacked: None,
        }
    }
}

/// `KEY=VALUE`, or GoQuorum's.
pub(super) fn cookie(given: Option<&str>) -> Result<(String, String), Failure> {
    let Some(given) = given else {
        return Ok((quorum::COOKIE_KEY.to_owned(), quorum::COOKIE_VALUE.to_owned()));
    };
    match given.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(Failure::Usage(format!("--cookie: `{given}` is not of the form KEY=VALUE"))),
    }
}

/// Those given, or 1.
fn versions(arguments: &Arguments) -> Vec<u32> {
    if arguments.versions.is_empty() { vec![1] } else { arguments.versions.clone() }
}
