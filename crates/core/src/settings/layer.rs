//! One source of settings, brought to one form: figment merges the layers, and
//! each remembers where its values stand.
//!
//! A `config` enters figment as a number, its place in a list kept beside, so
//! that objects are replaced rather than merged and no secret is in a value
//! that can be printed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use outrigger_types::InstanceName;

use super::document::{Entry, Node, Written};
use super::error::{Origin, Place, Position, SettingsError, Warning};
use super::schema::{Key, Kind, SETTINGS, nearest};

/// At most this many unknown keys are listed.
const MAX_WARNINGS: usize = 64;

/// A source's values by their canonical keys, which are JSON's.
pub(super) struct Layer {
    pub(super) values: Dict,
    pub(super) places: Places,
}

/// Where a layer's values stand, by their canonical key paths.
pub(super) enum Places {
    /// In a file: offset and the path as the file spells it.
    File { path: PathBuf, text: String, spots: BTreeMap<String, (usize, String)> },
    /// Each in a variable or an override.
    Pairs(BTreeMap<String, Origin>),
}

/// How a file spells keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Any case; unknown keys are warnings.
    Json,
    /// Go's field names exactly; unknown keys are errors.
    Toml,
}

/// What the layers share while they are read.
#[derive(Default)]
pub(super) struct Shared {
    /// The configurations that values refer to.
    pub(super) configs: Vec<Written>,
    pub(super) warnings: Vec<Warning>,
}

impl Layer {
    /// Reads a file's table of settings, which stands at `at` in `text`.
    pub(super) fn of_file(
        (path, text): (PathBuf, &str),
        dialect: Dialect,
        (root, at): (Node<'_>, usize),
        shared: &mut Shared,
    ) -> Result<Self, SettingsError> {
        let spelled = match dialect {
            Dialect::Json => String::new(),
            Dialect::Toml => super::toml_file::SECTION.to_owned(),
        };
        let mut walk = Walk {
            places: Places::File {
                path,
                text: text.to_owned(),
                spots: BTreeMap::from([(String::new(), (at, spelled.clone()))]),
            },
            text,
            dialect,
            shared,
            unlisted: 0,
        };
        let values = walk.table(root, SETTINGS, "", &spelled)?;
        if walk.unlisted > 0 {
            let count = walk.unlisted;
            walk.shared.warnings.push(Warning::MoreUnknownKeys { count });
        }
        let places = walk.places;
        Ok(Self { values, places })
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(match &self.places {
            Places::File { path, .. } => Origin::File(path.clone()).to_string(),
            Places::Pairs(_) => "environment and command line".to_owned(),
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

impl Places {
    /// Where the value of `key` stands, if this layer sets it.
    pub(super) fn find(&self, key: &str) -> Option<Place> {
        match self {
            Self::File { spots, .. } => {
                let (at, spelled) = spots.get(key)?;
                Some(self.in_file(*at, spelled.clone()))
            }
            Self::Pairs(spots) => Some(of_pair(spots.get(key)?, key)),
        }
    }

    /// The same for a table that this layer only sets keys of.
    pub(super) fn find_around(&self, key: &str) -> Option<Place> {
        let Self::Pairs(spots) = self else {
            return None;
        };
        let below = format!("{key}.");
        let mut spots = spots.iter();
        let (_, origin) = spots.find(|(found, _)| found.starts_with(&below))?;
        Some(of_pair(origin, key))
    }

    fn in_file(&self, at: usize, key: String) -> Place {
        match self {
            Self::File { path, text, .. } => Place {
                origin: Origin::File(path.clone()),
                position: Some(Position::of(text, at)),
                key,
            },
            Self::Pairs(_) => of_pair(&Origin::Default, &key),
        }
    }
}

fn of_pair(origin: &Origin, key: &str) -> Place {
    Place { origin: origin.clone(), position: None, key: key.to_owned() }
}

struct Walk<'a> {
    places: Places,
    text: &'a str,
    dialect: Dialect,
    shared: &'a mut Shared,
    unlisted: usize,
}

impl Walk<'_> {
    fn table(
        &mut self,
        node: Node<'_>,
        keys: &'static [Key],
        path: &str,
        spelled: &str,
    ) -> Result<Dict, SettingsError> {
        let mut values = Dict::new();
        for entry in self.entries(node, spelled)? {
            let Some(key) = keys.iter().find(|key| self.is_called(key, &entry.name)) else {
                self.unknown(&entry, keys, spelled)?;
                continue;
            };
            let name = match self.dialect {
                Dialect::Json => key.name.to_owned(),
                Dialect::Toml => key.toml_name(),
            };
            let (path, spelled) = (join(path, key.name), join(spelled, &name));
            self.enter(&entry, &path, &spelled)?;
            if !entry.value.is_null() {
                let value = self.value(entry.value, key.kind, &path, &spelled)?;
                values.insert(key.name.to_owned(), value);
            }
        }
        Ok(values)
    }

    fn instances(
        &mut self,
        node: Node<'_>,
        keys: &'static [Key],
        path: &str,
        spelled: &str,
    ) -> Result<Dict, SettingsError> {
        let mut values = Dict::new();
        for entry in self.entries(node, spelled)? {
            let name = InstanceName::parse(&entry.name).map_err(|error| {
                let spelled = join(spelled, &printable(&entry.name));
                self.wrong(entry.at, &spelled, error.to_string())
            })?;
            let (path, spelled) = (join(path, name.as_str()), join(spelled, name.as_str()));
            self.enter(&entry, &path, &spelled)?;
            let value = if entry.value.is_null() {
                Dict::new()
            } else {
                self.table(entry.value, keys, &path, &spelled)?
            };
            values.insert(name.to_string(), Value::from(value));
        }
        Ok(values)
    }

    /// Names of variables are anybody's, and their case matters.
    fn variables(
        &mut self,
        node: Node<'_>,
        path: &str,
        spelled: &str,
    ) -> Result<Dict, SettingsError> {
        let mut values = Dict::new();
        for entry in self.entries(node, spelled)? {
            let shown = join(spelled, &printable(&entry.name));
            self.enter(&entry, &join(path, &entry.name), &shown)?;
            if !entry.value.is_null() {
                let value = self.value(entry.value, Kind::Text, path, &shown)?;
                values.insert(entry.name, value);
            }
        }
        Ok(values)
    }

    fn value(
        &mut self,
        node: Node<'_>,
        kind: Kind,
        path: &str,
        spelled: &str,
    ) -> Result<Value, SettingsError> {
        let value = match kind {
            Kind::Table(keys) => return self.table(node, keys, path, spelled).map(Value::from),
            Kind::Instances(keys) => {
                return self.instances(node, keys, path, spelled).map(Value::from);
            }
            Kind::Variables => return self.variables(node, path, spelled).map(Value::from),
            Kind::Text => node.text().map(Value::from),
            Kind::Flag => node.flag().map(Value::from),
            Kind::Count => node.count().map(Value::from),
            Kind::Texts => node.items().and_then(|items| {
                let texts: Result<Vec<String>, String> =
                    items.into_iter().map(Node::text).collect();
                texts.map(Value::from)
            }),
            Kind::Config => node.config().map(|config| {
                self.shared.configs.push(config);
                Value::from(self.shared.configs.len() - 1)
            }),
        };
        value.map_err(|reason| self.wrong(node.at(self.text), spelled, reason))
    }

    fn entries<'n>(&self, node: Node<'n>, key: &str) -> Result<Vec<Entry<'n>>, SettingsError> {
        node.entries(self.text).map_err(|reason| self.wrong(node.at(self.text), key, reason))
    }

    fn is_called(&self, key: &Key, name: &str) -> bool {
        match self.dialect {
            Dialect::Json => key.name.eq_ignore_ascii_case(name),
            Dialect::Toml => key.toml_name() == name,
        }
    }

    /// Remembers where a key's value stands, and refuses a second value.
    fn enter(&mut self, entry: &Entry<'_>, path: &str, key: &str) -> Result<(), SettingsError> {
        // A TOML table's own place is its last header, which may be far away.
        let at = match entry.value {
            Node::Toml(value) if value.get_ref().is_table() => entry.at,
            value => value.at(self.text),
        };
        let first = match &mut self.places {
            Places::File { spots, .. } => spots.insert(path.to_owned(), (at, key.to_owned())),
            Places::Pairs(_) => None,
        };
        match first {
            None => Ok(()),
            Some((first, _)) => {
                let line = Position::of(self.text, first).line;
                let reason = format!("given on line {line} already; keep one of the two");
                Err(self.wrong(entry.at, key, reason))
            }
        }
    }

    fn unknown(
        &mut self,
        entry: &Entry<'_>,
        keys: &[Key],
        path: &str,
    ) -> Result<(), SettingsError> {
        if self.dialect == Dialect::Json && self.shared.warnings.len() >= MAX_WARNINGS {
            self.unlisted += 1;
            return Ok(());
        }
        let names = keys.iter().map(|key| match self.dialect {
            Dialect::Json => key.name.to_owned(),
            Dialect::Toml => key.toml_name(),
        });
        let nearest = nearest(&entry.name, names);
        let place = self.places.in_file(entry.at, join(path, &printable(&entry.name)));
        match self.dialect {
            Dialect::Toml => Err(SettingsError::UnknownKey { place, nearest }),
            Dialect::Json => {
                let warning = Warning::UnknownKey { place, nearest };
                self.shared.warnings.push(warning);
                Ok(())
            }
        }
    }

    fn wrong(&self, at: usize, key: &str, reason: String) -> SettingsError {
        let place = self.places.in_file(at, key.to_owned());
        SettingsError::Value { place, reason }
    }
}

/// A key path with one more key.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        return key.to_owned();
    }
    format!("{path}.{key}")
}

/// The start of a foreign key, safe to print on one line.
pub(super) fn printable(key: &str) -> String {
    let start: String = key.chars().take(64).collect();
    start.escape_debug().to_string()
}
