//! Layers of single values: environment variables `OUTRIGGER__A__B` and
//! overrides `a.b`.
//!
//! Keys match without regard to case and underscores, so `BASE_DIR` is
//! `baseDir`. An unknown key is an error, because these names are only ours.
//! Lists are separated by commas. A provider whose name holds two underscores
//! in a row cannot be reached from the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use figment::value::{Dict, Value};
use outrigger_types::{ConfigSource, InstanceName, RawConfig};

use super::Env;
use super::document::Written;
use super::error::{Origin, Place, SettingsError};
use super::layer::{Layer, Places, Shared, join, printable};
use super::schema::{Key, Kind, SETTINGS, nearest};

const PREFIX: &str = "OUTRIGGER__";

/// Reads all variables of the environment that are settings. Names with a
/// single underscore after `OUTRIGGER` are switches of tools, and left alone.
pub(super) fn environment(env: &dyn Env, shared: &mut Shared) -> Result<Layer, SettingsError> {
    let mut pairs: Vec<Pair> = env
        .vars()
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            let path = name.strip_prefix(PREFIX)?;
            Some(Pair {
                path: path.split("__").map(str::to_owned).collect(),
                origin: Origin::Variable(printable(&name)),
                value: value.into_vec(),
            })
        })
        .collect();
    pairs.sort_by(|a, b| a.path.cmp(&b.path));
    layer(pairs, shared)
}

/// Reads overrides; among several for one key the last one holds.
pub(super) fn overrides(
    pairs: &[(String, OsString)],
    shared: &mut Shared,
) -> Result<Layer, SettingsError> {
    let pairs = pairs.iter().map(|(path, value)| Pair {
        path: path.split('.').map(str::to_owned).collect(),
        origin: Origin::Override,
        value: value.clone().into_vec(),
    });
    layer(pairs, shared)
}

struct Pair {
    path: Vec<String>,
    origin: Origin,
    value: Vec<u8>,
}

impl Pair {
    fn place(&self, key: &str) -> Place {
        Place { origin: self.origin.clone(), position: None, key: key.to_owned() }
    }
}

fn layer(
    pairs: impl IntoIterator<Item = Pair>,
    shared: &mut Shared,
) -> Result<Layer, SettingsError> {
    let mut values = Dict::new();
    let mut places = BTreeMap::new();
    for pair in pairs {
        let (path, kind) = resolve(&pair)?;
        let key = path.join(".");
        let place = pair.place(&key);
        let value = value(pair.value, kind, shared)
            .map_err(|reason| SettingsError::Value { place, reason })?;
        insert(&mut values, &path, value);
        match places.insert(key.clone(), pair.origin.clone()) {
            Some(Origin::Variable(first)) => {
                let reason = format!("{first} sets it too; unset one of the two");
                let place = Place { origin: pair.origin, position: None, key };
                return Err(SettingsError::Value { place, reason });
            }
            _ => continue,
        }
    }
    let places = Places::Pairs(places);
    Ok(Layer { values, places })
}

/// The canonical path of a pair's key, and what its value is.
fn resolve(pair: &Pair) -> Result<(Vec<String>, Kind), SettingsError> {
    let mut path = Vec::new();
    let mut kind = Kind::Table(SETTINGS);
    for part in &pair.path {
        let so_far = path.join(".");
        match kind {
            Kind::Table(keys) => {
                let Some(key) = keys.iter().find(|key| is_called(key, part)) else {
                    let names = keys.iter().map(|key| key.name.to_owned());
                    return Err(SettingsError::UnknownKey {
                        place: pair.place(&join(&so_far, &printable(part))),
                        nearest: nearest(part, names),
                    });
                };
                path.push(key.name.to_owned());
                kind = key.kind;
            }
            Kind::Instances(keys) => {
                let name = InstanceName::parse(part).map_err(|error| SettingsError::Value {
                    place: pair.place(&join(&so_far, &printable(part))),
                    reason: error.to_string(),
                })?;
                path.push(name.to_string());
                kind = Kind::Table(keys);
            }
            Kind::Variables => {
                path.push(part.clone());
                kind = Kind::Text;
            }
            _ => {
                let reason = "is one value; set it whole, without a key below it".to_owned();
                let place = pair.place(&so_far);
                return Err(SettingsError::Value { place, reason });
            }
        }
    }
    if let Kind::Table(_) | Kind::Instances(_) | Kind::Variables = kind {
        let reason = "is a table; set the keys in it one by one".to_owned();
        let place = pair.place(&path.join("."));
        return Err(SettingsError::Value { place, reason });
    }
    Ok((path, kind))
}

fn is_called(key: &Key, part: &str) -> bool {
    key.name.eq_ignore_ascii_case(&part.replace('_', ""))
}

fn value(bytes: Vec<u8>, kind: Kind, shared: &mut Shared) -> Result<Value, String> {
    if let Kind::Config = kind {
        let config = Written::As(ConfigSource::Text(RawConfig::new(bytes)));
        shared.configs.push(config);
        return Ok(Value::from(shared.configs.len() - 1));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8; write it in UTF-8")?;
    Ok(match kind {
        Kind::Flag => match text.as_str() {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => return Err("is no truth value; give `true` or `false`".to_owned()),
        },
        Kind::Count => {
            let count = text.parse::<u64>();
            Value::from(count.map_err(|_| "is no whole number; give one such as `3`")?)
        }
        Kind::Texts => {
            let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            Value::from(texts.map(str::to_owned).collect::<Vec<String>>())
        }
        _ => Value::from(text),
    })
}

fn insert(values: &mut Dict, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        values.insert(first.clone(), value);
        return;
    }
    let mut below = values.remove(first).and_then(Value::into_dict).unwrap_or_default();
    insert(&mut below, rest, value);
    values.insert(first.clone(), Value::from(below));
}
