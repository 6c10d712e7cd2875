//! What an upgrade would change, said before anything moves.

use std::collections::BTreeSet;

use outrigger::distribution::{Metadata, Resolved};
use outrigger::{ConfigSource, InstanceName, PluginDefinition};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::signer;

/// One version of a plugin, as far as it is known.
pub(super) struct Side<'a> {
    pub(super) definition: &'a PluginDefinition,
    /// The distribution, or why there is none.
    pub(super) staged: Result<Resolved, String>,
}

/// A value before and after.
struct Change {
    what: &'static str,
    from: Value,
    to: Value,
}

/// The difference between what is configured and what is to be.
pub(super) struct Plan<'a> {
    instance: &'a InstanceName,
    from: Side<'a>,
    to: Side<'a>,
    config: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        instance: &'a InstanceName,
        from: Side<'a>,
        to: Side<'a>,
        config: Option<&RawValue>,
    ) -> Self {
        let before = &from.definition.config;
        let config = config.map_or_else(Vec::new, |after| changed_keys(before, after));
        Self { instance, from, to, config }
    }

    fn changes(&self) -> Vec<Change> {
        let versions = |side: &Side<'_>| json!(side.definition.version);
        let mut changes =
            vec![Change { what: "version", from: versions(&self.from), to: versions(&self.to) }];
        let of = |side: &Side<'_>, pick: fn(&Resolved) -> Value| match &side.staged {
            Ok(staged) => pick(staged),
            Err(_) => Value::Null,
        };
        for (what, pick) in DETAILS {
            changes.push(Change { what, from: of(&self.from, pick), to: of(&self.to, pick) });
        }
        changes
    }

    /// One JSON object; `applied` says whether the settings were changed.
    pub(super) fn to_json(&self, applied: bool) -> Value {
        let mut report = Map::new();
        report.insert("instance".to_owned(), json!(self.instance));
        report.insert("name".to_owned(), json!(self.to.definition.name));
        for Change { what, from, to } in self.changes() {
            report.insert(what.to_owned(), json!({ "from": from, "to": to }));
        }
        report.insert("config".to_owned(), json!({ "changed": self.config }));
        report.insert("problem".to_owned(), json!(self.from.staged.as_ref().err()));
        report.insert("applied".to_owned(), json!(applied));
        Value::Object(report)
    }

    /// The lines of a table.
    pub(super) fn lines(&self) -> Vec<String> {
        let name = &self.to.definition.name;
        let mut lines = vec![format!("{}: {name}", self.instance)];
        for Change { what, from, to } in self.changes() {
            let (from, to) = (text(&from), text(&to));
            let change =
                if from == to { format!("unchanged ({to})") } else { format!("{from} -> {to}") };
            lines.push(format!("  {what:<11} {change}"));
        }
        let config = match self.config[..] {
            [] => "unchanged".to_owned(),
            _ => format!("changes: {}", self.config.join(", ")),
        };
        lines.push(format!("  {:<11} {config}", "config"));
        if let Err(problem) = &self.from.staged {
            lines.push(format!("  the configured version cannot be looked at: {problem}"));
        }
        lines
    }
}

type Detail = (&'static str, fn(&Resolved) -> Value);

const DETAILS: [Detail; 6] = [
    ("sha256", |staged| json!(staged.digest)),
    ("signed_by", |staged| json!(signer(&staged.verified_by))),
    ("entrypoint", |staged| json!(metadata(staged).entry_point)),
    ("parameters", |staged| json!(metadata(staged).parameters)),
    ("os", |staged| json!(metadata(staged).os)),
    ("arch", |staged| json!(metadata(staged).arch)),
];

const fn metadata(staged: &Resolved) -> &Metadata {
    &staged.metadata
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    }
}

/// The top-level keys in which two configs differ; never a value, which may be
/// a secret. `(all)` where one is no object.
fn changed_keys(before: &ConfigSource, after: &RawValue) -> Vec<String> {
    let before: Value = match before {
        ConfigSource::None => Value::Null,
        ConfigSource::Inline(raw) => serde_json::from_slice(raw.expose()).unwrap_or_default(),
        ConfigSource::Text(raw) => Value::from(String::from_utf8_lossy(raw.expose())),
    };
    let after: Value = serde_json::from_str(after.get()).unwrap_or_default();
    match (&before, &after) {
        _ if before == after => Vec::new(),
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
            changed.map(|key| key.escape_debug().to_string()).collect()
        }
        _ => vec!["(all)".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger::RawConfig;

    fn keys(before: &str, after: &str) -> Vec<String> {
        let before = ConfigSource::Inline(RawConfig::new(before.as_bytes()));
        changed_keys(&before, &RawValue::from_string(after.to_owned()).unwrap())
    }

    #[test]
    fn a_config_s_changed_keys_are_named_and_no_value_is() {
        assert_eq!(keys(r#"{"a":1,"b":2}"#, r#"{"b":3,"c":4}"#), ["a", "b", "c"]);
        assert_eq!(keys(r#"{"a":1}"#, r#" {"a": 1}"#), [""; 0]);
        assert_eq!(keys(r#"{"token":"one"}"#, r#""env://TOKEN""#), ["(all)"]);
    }
}
