//! The section `[Node.Plugins]` of a node's TOML file.

use outrigger_types::GoValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The section's name.
pub(super) const SECTION: &str = "Node.Plugins";

/// The section in a parsed file.
pub(super) enum Section<'a> {
    /// It is there: its table, and where its name stands.
    Found(&'a Spanned<DeValue<'a>>, usize),
    /// It is not there, but this name, at this offset, is almost its.
    Almost(String, usize),
    /// It is not there.
    Absent,
}

/// Finds the section. Keys are compared exactly, as Go does.
pub(super) fn section<'a>(file: &'a DeTable<'a>) -> Section<'a> {
    let mut almost = Section::Absent;
    for (node, value) in like(file, "Node") {
        let Some(table) = value.get_ref().as_table() else {
            continue;
        };
        for (plugins, value) in like(table, "Plugins") {
            let at = plugins.0;
            if node.1 == "Node" && plugins.1 == "Plugins" {
                return Section::Found(value, at);
            }
            almost = Section::Almost(format!("{}.{}", node.1, plugins.1), at);
        }
    }
    almost
}

/// Entries whose key is `name` but for case, with the key's offset and text.
fn like<'a>(
    table: &'a DeTable<'a>,
    name: &str,
) -> impl Iterator<Item = ((usize, &'a str), &'a Spanned<DeValue<'a>>)> {
    table
        .iter()
        .map(|(key, value)| ((key.span().start, key.get_ref().as_ref()), value))
        .filter(move |((_, key), _)| key.eq_ignore_ascii_case(name))
}

/// A whole number, or `None` for one that is too large.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A value as GoQuorum's decoder has it, or what JSON has no form for. Whole
/// numbers stay whole.
pub(super) fn to_go(value: &DeValue<'_>) -> Result<GoValue, &'static str> {
    Ok(match value {
        DeValue::String(text) => GoValue::Text(text.to_string()),
        DeValue::Boolean(flag) => GoValue::Bool(*flag),
        DeValue::Datetime(time) => GoValue::Text(time.to_string()),
        DeValue::Integer(_) => GoValue::Integer(integer(value).ok_or("a number above 64 bits")?),
        DeValue::Float(float) => {
            let number = float.as_str().parse().ok().filter(|f: &f64| f.is_finite());
            GoValue::Float(number.ok_or("a number that is not finite")?)
        }
        DeValue::Array(items) => {
            let items = items.iter().map(|item| to_go(item.get_ref()));
            GoValue::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| Ok((key.get_ref().to_string(), to_go(value.get_ref())?)));
            GoValue::Object(entries.collect::<Result<_, &'static str>>()?)
        }
    })
}
