//! From merged layers to [`Settings`]: every text becomes what it stands for.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use figment::value::{Dict, Value};
use outrigger_types::{
    ConfigSource, InstanceName, InterfaceName, PluginDefinition, PluginName, PluginVersion,
};

use super::error::{Origin, Place, SettingsError};
use super::layer::{Layer, join};
use super::paths;
use super::{
    CentralSettings, Env, EnvironmentProfile, ProviderSettings, ReloadMode, Settings, Timeouts,
    UnpackLimits,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What building needs beside the values.
pub(super) struct Context<'a> {
    /// From the lowest to the highest.
    pub(super) layers: &'a [Layer],
    pub(super) configs: &'a [ConfigSource],
    pub(super) env: &'a dyn Env,
    pub(super) datadir: Option<&'a Path>,
}

/// Parses the merged values.
pub(super) fn settings(values: &Dict, context: &Context<'_>) -> Result<Settings, SettingsError> {
    let root = View { context, values: Some(values), path: String::new() };
    let base_dir = match (root.path("baseDir")?, context.datadir) {
        (Some(dir), _) => dir,
        (None, Some(datadir)) => {
            paths::absolute(&datadir.join("plugins")).map_err(|_| SettingsError::NoBaseDir)?
        }
        (None, None) => return Err(SettingsError::NoBaseDir),
    };
    let run_dir = root.path("runDir")?.unwrap_or_else(|| paths::default_run_dir(context.env));
    let mut settings = Settings::in_dirs(base_dir, run_dir);
    settings.launcher = root.path("launcher")?;
    settings.central = central(&root.table("central"));
    settings.timeouts = timeouts(&root.table("timeouts"), Timeouts::default())?;
    settings.unpack = unpack(&root.table("unpack"), UnpackLimits::default())?;
    let providers = root.table("providers");
    for name in providers.values.into_iter().flat_map(Dict::keys) {
        let instance = providers.parsed(InstanceName::parse(name), name)?;
        let view = providers.table(name);
        let provider = provider(&view, name, settings.timeouts)?;
        settings.providers.insert(instance, provider);
    }
    Ok(settings)
}

fn provider(view: &View<'_>, key: &str, base: Timeouts) -> Result<ProviderSettings, SettingsError> {
    // An absent text is an empty one, whose error says what to give.
    let text = |key| view.text(key).unwrap_or_default();
    let definition = PluginDefinition {
        name: view.parsed(PluginName::parse(text("name")), "name")?,
        version: view.parsed(PluginVersion::parse(text("version")), "version")?,
        config: view.config("config"),
    };
    let interface = InterfaceName::parse(view.text("interface").unwrap_or(key));
    let interface = view.parsed(interface, "interface")?;
    let mut provider = ProviderSettings::new(interface, definition);
    provider.reload = view.read("reload", |text| match text {
        "overlapping" => Ok(ReloadMode::Overlapping),
        "exclusive" => Ok(ReloadMode::Exclusive),
        _ => Err(format!(
            "`{}` is no way to reload; give `overlapping` or `exclusive`",
            text.escape_debug()
        )),
    })?;
    provider.required = view.flag("required").unwrap_or(true);
    provider.environment = environment(&view.table("sandbox"))?;
    provider.timeouts = timeouts(&view.table("timeouts"), base)?;
    Ok(provider)
}

fn environment(sandbox: &View<'_>) -> Result<EnvironmentProfile, SettingsError> {
    if sandbox.values.is_none() {
        return Ok(EnvironmentProfile::Compat);
    }
    let pass = sandbox.texts("env");
    match pass.iter().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        None => Ok(EnvironmentProfile::Strict { pass }),
        Some(name) => Err(sandbox.wrong(
            "env",
            format!(
                "`{}` is no name of a variable; give names such as `HOME`",
                name.escape_debug()
            ),
        )),
    }
}

fn central(view: &View<'_>) -> CentralSettings {
    let default = CentralSettings::default();
    let text = |key, default: String| match view.text(key) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => default,
    };
    CentralSettings {
        base_url: text("baseURL", default.base_url),
        cert_fingerprint: text("certFingerprint", default.cert_fingerprint),
        public_key_uri: text("publicKeyURI", default.public_key_uri),
        insecure_skip_tls_verify: view
            .flag("insecureSkipTLSVerify")
            .unwrap_or(default.insecure_skip_tls_verify),
        dist_path_template: text("pluginDistPathTemplate", default.dist_path_template),
        sig_path_template: text("pluginSigPathTemplate", default.sig_path_template),
    }
}

fn timeouts(view: &View<'_>, base: Timeouts) -> Result<Timeouts, SettingsError> {
    let limit = |key, base| view.duration(key, base, false);
    let or_zero = |key, base| view.duration(key, base, true);
    let misses = view.count("healthMisses", u64::from(base.health_misses))?;
    Ok(Timeouts {
        start: limit("start", base.start)?,
        initialise: limit("initialise", base.initialise)?,
        health_interval: limit("healthInterval", base.health_interval)?,
        health_timeout: limit("healthTimeout", base.health_timeout)?,
        health_misses: u32::try_from(misses).unwrap_or(u32::MAX),
        drain: or_zero("drain", base.drain)?,
        shutdown: or_zero("shutdown", base.shutdown)?,
        terminate: or_zero("terminate", base.terminate)?,
        kill: or_zero("kill", base.kill)?,
        call: limit("call", base.call)?,
        reload_queue: or_zero("reloadQueue", base.reload_queue)?,
    })
}

fn unpack(view: &View<'_>, base: UnpackLimits) -> Result<UnpackLimits, SettingsError> {
    let bytes = |key, base| view.size(key, base);
    Ok(UnpackLimits {
        archive_size: bytes("archiveSize", base.archive_size)?,
        total_size: bytes("totalSize", base.total_size)?,
        file_size: bytes("fileSize", base.file_size)?,
        metadata_size: bytes("metadataSize", base.metadata_size)?,
        entries: view.count("entries", base.entries)?,
        depth: view.count("depth", base.depth)?,
        ratio: view.count("ratio", base.ratio)?,
    })
}

fn duration(text: &str, may_be_zero: bool) -> Result<Duration, String> {
    let shown = text.escape_debug();
    let duration = humantime::parse_duration(text)
        .map_err(|_| format!("`{shown}` is no duration; give one such as `10s` or `250ms`"))?;
    if duration > DAY {
        return Err(format!("`{shown}` is more than a day; give at most `24h`"));
    }
    if duration.is_zero() && !may_be_zero {
        return Err("zero leaves no time at all; give more, such as `1s`".to_owned());
    }
    Ok(duration)
}

fn size(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("zero leaves no room at all; give more, such as `1MiB`".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(_) => Err(format!("`{}` is no size; give one such as `64MiB`", text.escape_debug())),
    }
}

/// A table of the merged values, at a key path. The layers have checked the
/// type of each value.
struct View<'a> {
    context: &'a Context<'a>,
    values: Option<&'a Dict>,
    path: String,
}

impl<'a> View<'a> {
    fn table(&self, key: &str) -> Self {
        Self {
            context: self.context,
            values: self.value(key).and_then(Value::as_dict),
            path: join(&self.path, key),
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.value(key)?.as_str()
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.to_bool()
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let items = self.value(key).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn config(&self, key: &str) -> ConfigSource {
        let index = self.value(key).and_then(Value::to_u128);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let config = index.and_then(|index| self.context.configs.get(index));
        config.cloned().unwrap_or_default()
    }

    /// A number above zero.
    fn count(&self, key: &str, base: u64) -> Result<u64, SettingsError> {
        let count = self.value(key).and_then(Value::to_u128);
        match count.map(|count| u64::try_from(count).unwrap_or(u64::MAX)) {
            None => Ok(base),
            Some(0) => Err(self.wrong(key, "zero allows nothing; give at least 1".to_owned())),
            Some(count) => Ok(count),
        }
    }

    fn duration(
        &self,
        key: &str,
        base: Duration,
        may_be_zero: bool,
    ) -> Result<Duration, SettingsError> {
        let duration = self.read(key, |text| duration(text, may_be_zero))?;
        Ok(duration.unwrap_or(base))
    }

    fn size(&self, key: &str, base: u64) -> Result<u64, SettingsError> {
        Ok(self.read(key, size)?.unwrap_or(base))
    }

    fn path(&self, key: &str) -> Result<Option<PathBuf>, SettingsError> {
        self.read(key, |text| paths::resolve(text, self.context.env))
    }

    /// Reads a text, if there is one.
    fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let value = self.text(key).map(read).transpose();
        value.map_err(|reason| self.wrong(key, reason))
    }

    fn parsed<T, E: Display>(&self, parsed: Result<T, E>, key: &str) -> Result<T, SettingsError> {
        parsed.map_err(|error| self.wrong(key, error.to_string()))
    }

    fn wrong(&self, key: &str, reason: String) -> SettingsError {
        let place = self.place(&join(&self.path, key));
        SettingsError::Value { place, reason }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.values?.get(key)
    }

    /// Where a value stands: in the highest layer that has it. For a value that
    /// no layer has, where the table around it stands.
    fn place(&self, key: &str) -> Place {
        let mut around = key;
        loop {
            let layers = || self.context.layers.iter().rev();
            let exact = layers().find_map(|layer| layer.places.find(around));
            let place =
                exact.or_else(|| layers().find_map(|layer| layer.places.find_around(around)));
            if let Some(mut place) = place {
                let missing = key[around.len()..].trim_start_matches('.');
                if !missing.is_empty() {
                    place.key = join(&place.key, missing);
                }
                return place;
            }
            if around.is_empty() {
                return Place { origin: Origin::Default, position: None, key: key.to_owned() };
            }
            around = around.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
    }
}
