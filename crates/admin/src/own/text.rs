//! Prometheus' text format, as a plugin writes it: a parser that keeps what it
//! understands and drops the rest.

use std::collections::BTreeMap;

use super::merge::RENAMED;

/// Samples that are kept of one plugin.
pub(super) const MOST: usize = 5_000;

/// Labels that a sample may have.
const LABELS: usize = 128;

/// A family of samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Family {
    /// As in `# TYPE`, if that is there.
    pub(super) kind: Option<String>,
    pub(super) help: Option<String>,
    pub(super) samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    /// Names, and values as they stand between their quotation marks.
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
}

/// Names of ours are nobody else's.
const OURS: &str = "outrigger_";

const KINDS: [&str; 5] = ["counter", "gauge", "histogram", "summary", "untyped"];

/// Families by name. Time stamps are left out: what is shown is shown now.
pub(super) fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut count = 0;
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.trim_start().splitn(3, ' ');
            let (what, name) = (words.next(), words.next().unwrap_or_default());
            let rest = words.next().unwrap_or_default().trim();
            if !is_name(name, true) || name.starts_with(OURS) {
                continue;
            }
            match what {
                Some("TYPE") if KINDS.contains(&rest) => {
                    families.entry(name.to_owned()).or_default().kind = Some(rest.to_owned());
                }
                Some("HELP") => {
                    families.entry(name.to_owned()).or_default().help = Some(rest.to_owned());
                }
                _ => {}
            }
            continue;
        }
        let Some(sample) = sample(line) else { continue };
        if count == MOST {
            break;
        }
        count += 1;
        let family = family_of(&sample.name, &families).to_owned();
        families.entry(family).or_default().samples.push(sample);
    }
    families.retain(|_, family| !family.samples.is_empty());
    families
}

/// A histogram's and a summary's samples have names of their own.
fn family_of<'a>(name: &'a str, families: &BTreeMap<String, Family>) -> &'a str {
    let mut stems = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
    let has_parts = |stem: &&str| {
        let kind = families.get(*stem).and_then(|family| family.kind.as_deref());
        matches!(kind, Some("histogram" | "summary"))
    };
    stems.find(has_parts).unwrap_or(name)
}

fn sample(line: &str) -> Option<Sample> {
    let line = line.trim();
    let end = line.find(|c: char| !is_name_character(c)).unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, true) || name.starts_with(OURS) {
        return None;
    }
    let mut own = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        (own, rest) = labels(inner)?;
    }
    let mut words = rest.split_ascii_whitespace();
    let value: f64 = words.next()?.parse().ok()?;
    let stamp_is_one = words.next().is_none_or(|stamp| stamp.parse::<i64>().is_ok());
    if !stamp_is_one || words.next().is_some() {
        return None;
    }
    Some(Sample { name: name.to_owned(), labels: own, value })
}

/// What stands after the opening brace: labels, and what follows the closing one.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::<(String, String)>::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, quoted) = rest.split_once('=')?;
        let (name, quoted) = (name.trim(), quoted.trim_start().strip_prefix('"')?);
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let value = &quoted[..end];
        // What the host calls its own labels would be there twice.
        let twice = name == RENAMED || labels.iter().any(|(known, _)| known == name);
        let too_many = labels.len() == LABELS;
        if !is_name(name, false) || value.chars().any(char::is_control) || twice || too_many {
            return None;
        }
        labels.push((name.to_owned(), value.to_owned()));
        rest = &quoted[end + 1..];
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn is_name(name: &str, colons: bool) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| is_name_character(c) && (colons || c != ':'))
        && name.len() <= 200
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_library_writes_is_understood() {
        let text = "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{kind=\"a\\\"}b\",x=\"\"} 3 1700000000000\n\
                    # TYPE took histogram\ntook_bucket{le=\"+Inf\"} 2\ntook_sum 0.5\ntook_count 2\nbare NaN\n";
        let families = parse(text);
        assert_eq!(families.keys().collect::<Vec<_>>(), ["bare", "jobs_total", "took"]);
        let jobs = &families["jobs_total"];
        assert_eq!(jobs.kind.as_deref(), Some("counter"));
        let labels = [("kind", "a\\\"}b"), ("x", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!((&jobs.samples[0].labels[..], jobs.samples[0].value), (&labels[..], 3.0));
        assert_eq!(families["took"].samples.len(), 3);
    }

    #[test]
    fn what_is_no_sample_and_what_has_a_name_of_ours_is_dropped() {
        for bad in [
            "outrigger_plugin_up 1",
            "# TYPE outrigger_plugin_up gauge",
            "a{b=\"c} 1",
            "a{b=c} 1",
            "a{b:c=\"d\"} 1",
            "a{b=\"1\",b=\"2\"} 1",
            "a{plugin=\"x\",exported_plugin=\"y\"} 1",
            "a{b=\"\u{1b}\"} 1",
            "a 1 2 3",
            "a one",
            "a",
            "1a 1",
            "é 1",
            "{} 1",
            "",
        ] {
            assert!(parse(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn one_sample_has_no_more_than_so_many_labels() {
        let sample = |count| {
            let labels: String = (0..count).map(|number| format!("l{number}=\"\",")).collect();
            parse(&format!("a{{{labels}}} 1\n"))
        };
        assert_eq!(sample(LABELS)["a"].samples[0].labels.len(), LABELS);
        assert!(sample(LABELS + 1).is_empty());
    }

    #[test]
    fn one_plugin_has_no_more_than_so_many_samples() {
        let text: String = (0..2 * MOST).map(|number| format!("a{{n=\"{number}\"}} 1\n")).collect();
        assert_eq!(parse(&text)["a"].samples.len(), MOST);
    }
}
