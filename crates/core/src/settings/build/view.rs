//! The merged values as building sees them: a table at a key path, with the
//! place of each value for errors.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::{Dict, Value};
use outrigger_types::{ConfigSource, RawConfig, go_json};

use super::super::document::Written;
use super::super::error::{Origin, Place, SettingsError};
use super::super::layer::{Layer, join};
use super::super::{Env, paths};
use super::values;

/// What building needs beside the values.
pub(in super::super) struct Context<'a> {
    /// From the lowest to the highest.
    pub(in super::super) layers: &'a [Layer],
    pub(in super::super) configs: &'a [Written],
    pub(in super::super) env: &'a dyn Env,
    pub(in super::super) datadir: Option<&'a Path>,
}

/// A table of the merged values, at a key path. The layers have checked the
/// type of each value.
pub(super) struct View<'a> {
    context: &'a Context<'a>,
    values: Option<&'a Dict>,
    path: String,
}

impl<'a> View<'a> {
    pub(super) fn root(context: &'a Context<'a>, values: &'a Dict) -> Self {
        Self { context, values: Some(values), path: String::new() }
    }

    /// Whether any layer has the table.
    pub(super) const fn is_there(&self) -> bool {
        self.values.is_some()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a String> {
        self.values.into_iter().flat_map(Dict::keys)
    }

    pub(super) fn table(&self, key: &str) -> Self {
        Self {
            context: self.context,
            values: self.value(key).and_then(Value::as_dict),
            path: join(&self.path, key),
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.value(key)?.as_str()
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.to_bool()
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let items = self.value(key).and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A plugin's configuration; `rewrite` brings a JSON text to Go's form.
    pub(super) fn config(&self, key: &str, rewrite: bool) -> Result<ConfigSource, SettingsError> {
        let index = self.value(key).and_then(Value::to_u128);
        let index = index.and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.context.configs.get(index)) {
            None => Ok(ConfigSource::None),
            Some(Written::As(config)) => Ok(config.clone()),
            Some(Written::Json(raw)) if !rewrite => Ok(ConfigSource::Inline(raw.clone())),
            Some(Written::Json(raw)) => {
                let json = self.parsed(go_json(raw.expose()), key)?;
                Ok(ConfigSource::Inline(RawConfig::new(json.into_bytes())))
            }
        }
    }

    /// A number above zero.
    pub(super) fn count(&self, key: &str, base: u64) -> Result<u64, SettingsError> {
        let count = self.value(key).and_then(Value::to_u128);
        match count.map(|count| u64::try_from(count).unwrap_or(u64::MAX)) {
            None => Ok(base),
            Some(0) => Err(self.wrong(key, "zero allows nothing; give at least 1".to_owned())),
            Some(count) => Ok(count),
        }
    }

    /// A number that may be zero.
    pub(super) fn count_or_zero(&self, key: &str, base: u64) -> u64 {
        let count = self.value(key).and_then(Value::to_u128);
        count.map_or(base, |count| u64::try_from(count).unwrap_or(u64::MAX))
    }

    pub(super) fn duration(
        &self,
        key: &str,
        base: Duration,
        may_be_zero: bool,
    ) -> Result<Duration, SettingsError> {
        let duration = self.read(key, |text| values::duration(text, may_be_zero))?;
        Ok(duration.unwrap_or(base))
    }

    pub(super) fn size(&self, key: &str, base: u64) -> Result<u64, SettingsError> {
        Ok(self.read(key, values::size)?.unwrap_or(base))
    }

    pub(super) fn path(&self, key: &str) -> Result<Option<PathBuf>, SettingsError> {
        self.read(key, |text| paths::resolve(text, self.context.env))
    }

    /// Reads a text, if there is one.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let value = self.text(key).map(read).transpose();
        value.map_err(|reason| self.wrong(key, reason))
    }

    pub(super) fn parsed<T, E: Display>(
        &self,
        parsed: Result<T, E>,
        key: &str,
    ) -> Result<T, SettingsError> {
        parsed.map_err(|error| self.wrong(key, error.to_string()))
    }

    pub(super) fn wrong(&self, key: &str, reason: String) -> SettingsError {
        let place = self.place(&join(&self.path, key));
        SettingsError::Value { place, reason }
    }

    /// The texts of a table whose keys are anybody's.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let entries = self.values.into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
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
