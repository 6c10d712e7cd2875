//! What the command line asks for, checked.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use outrigger::distribution::{METADATA_FILE, Metadata};
use outrigger::{
    Cookie, InterfaceName, InterfaceSpec, PluginHost, PluginHostBuilder, PluginName, PluginVersion,
    helloworld,
};

use super::ignore::Ignore;
use super::{Arguments, Tls};
use crate::failure::Failure;

/// The instance, and the interface, of a plugin of another host's.
const FOREIGN: &str = "plugin";

/// What a greeter is greeted with, unless somebody says otherwise.
const MESSAGE: &str = "world";

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where the build runs and files are watched; absolute.
    pub(super) directory: PathBuf,
    /// Where the plugin runs from; absolute.
    pub(super) tree: PathBuf,
    pub(super) build: Vec<OsString>,
    pub(super) build_limit: Duration,
    pub(super) ignore: Ignore,
    pub(super) call: Option<(String, Duration)>,
    pub(super) once: bool,
    pub(super) json: bool,
    /// A file with the plugin's config; absolute.
    pub(super) config_file: Option<PathBuf>,
    config: Option<String>,
    interface: InterfaceSpec,
    tls: Tls,
    multiplex: bool,
    label: String,
}

impl Plan {
    /// Checks what was asked for.
    pub(super) fn new(arguments: Arguments) -> Result<Self, Failure> {
        refuse_verification(&arguments)?;
        let given = &arguments.directory;
        let directory = std::path::absolute(given)
            .ok()
            .filter(|directory| directory.is_dir())
            .ok_or_else(|| Failure::Usage(format!("{} is no directory", given.display())))?;
        let tree = match &arguments.out {
            None => directory.clone(),
            Some(out) => directory.join(below(out)?),
        };
        if arguments.out.is_none() && !directory.join(METADATA_FILE).is_file() {
            return Err(Failure::Usage(format!(
                "{} has no {METADATA_FILE}; add one, or say with --out where the build puts it",
                given.display()
            )));
        }
        let interface = interface(&arguments)?;
        let (config, config_file) = config(arguments.config.as_deref())?;
        let ignore = Ignore::new(&arguments.ignore, arguments.out.as_deref())?;
        let call = arguments
            .call
            .clone()
            .or_else(|| (arguments.once && arguments.cookie.is_none()).then(|| MESSAGE.to_owned()));
        let interval = Duration::from_millis(arguments.call_interval.max(1));
        let named = |folder: &Path| read_metadata(&folder.join(METADATA_FILE))?.name;
        let folder = || directory.file_name().map(|name| name.to_string_lossy().into_owned());
        let label = named(&tree).or_else(|| named(&directory)).or_else(folder);
        let label = label.unwrap_or_else(|| FOREIGN.to_owned());
        Ok(Self {
            tree,
            build: arguments.build,
            build_limit: Duration::from_secs(arguments.build_timeout),
            ignore,
            call: call.map(|message| (message, interval)),
            once: arguments.once,
            json: arguments.json,
            config_file,
            config,
            interface,
            tls: arguments.tls,
            multiplex: arguments.multiplex,
            label: label.escape_debug().to_string(),
            directory,
        })
    }

    /// The plugin's name as lines show it.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The instance's name.
    pub(super) fn instance(&self) -> &str {
        self.interface.name.as_str()
    }

    /// Where the plugin's program is, if its metadata says so by now.
    pub(super) fn entry_point(&self) -> Option<PathBuf> {
        let metadata = read_metadata(&self.tree.join(METADATA_FILE))?;
        Some(self.tree.join(metadata.entry_point))
    }

    /// A host with this one plugin, from what the last build made.
    pub(super) fn builder(&self) -> PluginHostBuilder {
        let metadata = read_metadata(&self.tree.join(METADATA_FILE));
        let said = |read: fn(&Metadata) -> Option<&String>| metadata.as_ref().and_then(read);
        // What names no distribution has no need to: nobody looks for one.
        let name = said(|metadata| metadata.name.as_ref());
        let name = name.filter(|name| PluginName::parse(name).is_ok());
        let version = said(|metadata| metadata.version.as_ref());
        let version = version.filter(|version| PluginVersion::parse(version).is_ok());
        let key = |key: &str| format!("providers.{}.{key}", self.instance());
        let mut builder = PluginHost::builder()
            .interface(self.interface.clone())
            .override_value("baseDir", &self.tree)
            .override_value(key("name"), name.map_or(FOREIGN, String::as_str))
            .override_value(key("version"), version.map_or("0", String::as_str))
            .override_value(key("tls.mode"), if self.tls == Tls::None { "none" } else { "auto" })
            .develop(self.instance(), &self.tree)
            .danger_skip_verification();
        if let Some(config) = &self.config {
            builder = builder.override_value(key("config"), config);
        }
        if self.multiplex {
            builder = builder.override_value(key("multiplex"), "true");
        }
        builder
    }
}

fn refuse_verification(arguments: &Arguments) -> Result<(), Failure> {
    let flag = if arguments.local_verify {
        "--plugins.localverify"
    } else if arguments.public_key.is_some() {
        "--plugins.publickey"
    } else {
        return Ok(());
    };
    Err(Failure::Usage(format!(
        "{flag} asks for verification, and `outrigger dev` hosts a folder that nobody signed; \
         leave the flag out, or pack and sign the folder and host it with `outrigger run`"
    )))
}

/// A path that stays within the folder.
fn below(out: &Path) -> Result<PathBuf, Failure> {
    let plain: Option<PathBuf> = out
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| matches!(part, Component::Normal(_)).then_some(part))
        .collect();
    plain.filter(|out| !out.as_os_str().is_empty()).ok_or_else(|| {
        let text = format!("--out {}: name a folder in DIR, such as `dist`", out.display());
        Failure::Usage(text)
    })
}

fn interface(arguments: &Arguments) -> Result<InterfaceSpec, Failure> {
    let Some(cookie) = &arguments.cookie else { return Ok(helloworld::interface()) };
    let (key, value) = cookie
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| Failure::Usage(format!("--cookie `{cookie}`: give KEY=VALUE")))?;
    let name = InterfaceName::parse(FOREIGN).expect("invariant: a constant of the right form");
    let cookie = Cookie { key: key.to_owned(), value: value.to_owned() };
    let versions = if arguments.versions.is_empty() { vec![1] } else { arguments.versions.clone() };
    Ok(InterfaceSpec::new(name, cookie).with_versions(versions))
}

/// The config as a setting: a file's URL, or the JSON itself.
fn config(given: Option<&str>) -> Result<(Option<String>, Option<PathBuf>), Failure> {
    let Some(given) = given else { return Ok((None, None)) };
    if given.trim_start().starts_with(['{', '[', '"']) {
        if let Err(error) = serde_json::from_str::<serde_json::Value>(given) {
            return Err(Failure::Usage(format!("--config is no JSON: {error}")));
        }
        return Ok((Some(given.to_owned()), None));
    }
    let file = std::path::absolute(given).ok().filter(|file| file.is_file());
    let file = file.ok_or_else(|| {
        Failure::Usage(format!("--config {given}: there is no such file, and it is no JSON"))
    })?;
    Ok((Some(file_url(&file)), Some(file)))
}

fn file_url(path: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(*byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

fn read_metadata(path: &Path) -> Option<Metadata> {
    Metadata::parse(&fs::read(path).ok()?, path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_build_makes_stays_within_the_folder() {
        assert_eq!(below(Path::new("./a/b/")).unwrap(), Path::new("a/b"));
        for out in ["..", "/abs", "a/../b", ".", ""] {
            assert!(below(Path::new(out)).is_err(), "{out}");
        }
    }

    #[test]
    fn a_config_is_json_or_a_file() {
        assert_eq!(config(Some(r#" {"a": 1}"#)).unwrap().0.unwrap(), r#" {"a": 1}"#);
        assert!(config(Some("{")).unwrap_err().to_string().contains("no JSON"));
        assert!(config(Some("/no/such/file")).unwrap_err().to_string().contains("no such file"));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b%.json");
        fs::write(&path, "{}").unwrap();
        let (url, file) = config(path.to_str()).unwrap();
        assert!(url.unwrap().ends_with("/a%20b%25.json"));
        assert_eq!(file, Some(path));
    }
}
