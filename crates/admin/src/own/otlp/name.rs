//! OpenTelemetry's names and units, as Prometheus' names have them.

use super::Kind;

/// What stands before a unit's slash, or alone.
const UNITS: [(&str, &str); 29] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tebibytes"),
    ("kBy", "kilobytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("K", "kelvin"),
    ("Pa", "pascals"),
    ("%", "percent"),
    ("1", ""),
];

/// What stands behind it.
const PER: [(&str, &str); 7] = [
    ("s", "second"),
    ("min", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("wk", "week"),
    ("mo", "month"),
    ("a", "year"),
];

/// A family's name: the metric's, its unit, and `total` for a counter, each once.
pub(super) fn of(name: &str, unit: &str, kind: Kind) -> String {
    let mut name = tidied(name, true);
    if kind == Kind::Counter && name.ends_with("_total") {
        name.truncate(name.len() - "_total".len());
    }
    let unit = match unit {
        "1" if kind == Kind::Gauge => "ratio".to_owned(),
        unit => in_words(unit),
    };
    append(&mut name, &unit);
    if kind == Kind::Counter {
        append(&mut name, "total");
    }
    name
}

/// A label's name.
pub(super) fn label(key: &str) -> String {
    tidied(key, false)
}

fn append(name: &mut String, word: &str) {
    let ends = |name: &str| name.strip_suffix(word).is_some_and(|stem| stem.ends_with('_'));
    if word.is_empty() || ends(name) {
        return;
    }
    if !name.ends_with('_') {
        name.push('_');
    }
    name.push_str(word);
}

/// What a name may not hold, however many of it, is one underscore.
fn tidied(text: &str, colons: bool) -> String {
    let mut tidied = String::new();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        tidied.push('_');
    }
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || colons && c == ':' {
            tidied.push(c);
        } else if !tidied.ends_with('_') {
            tidied.push('_');
        }
    }
    tidied
}

/// `m/s` is `meters_per_second`, and what stands in braces is a remark.
fn in_words(unit: &str) -> String {
    let mut plain = String::new();
    let mut remark = false;
    for c in unit.chars() {
        match c {
            '{' => remark = true,
            '}' => remark = false,
            _ if remark => {}
            c => plain.push(c),
        }
    }
    let (of, per) = plain.split_once('/').unwrap_or((&plain, ""));
    let (of, per) = (word(of, &UNITS), word(per, &PER));
    match (of.as_str(), per.as_str()) {
        (of, "") => of.to_owned(),
        ("", per) => format!("per_{per}"),
        (of, per) => format!("{of}_per_{per}"),
    }
}

fn word(unit: &str, words: &[(&str, &str)]) -> String {
    let known = words.iter().find(|(symbol, _)| *symbol == unit.trim());
    known.map_or_else(
        || tidied(unit, false).trim_matches('_').to_owned(),
        |(_, word)| (*word).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_has_its_unit_and_its_kind_once() {
        for (name, unit, kind, expected) in [
            ("http.server.duration", "s", Kind::Histogram, "http_server_duration_seconds"),
            ("took", "ms", Kind::Histogram, "took_milliseconds"),
            ("took_seconds", "s", Kind::Gauge, "took_seconds"),
            ("seconds", "s", Kind::Gauge, "seconds_seconds"),
            ("sent", "By", Kind::Counter, "sent_bytes_total"),
            ("sent_total", "By", Kind::Counter, "sent_bytes_total"),
            ("sent_bytes_total", "By", Kind::Counter, "sent_bytes_total"),
            ("jobs", "{job}", Kind::Counter, "jobs_total"),
            ("jobs", "1", Kind::Counter, "jobs_total"),
            ("jobs_total", "", Kind::Gauge, "jobs_total"),
            ("full", "1", Kind::Gauge, "full_ratio"),
            ("open", "1", Kind::UpDown, "open"),
            ("speed", "m/s", Kind::Gauge, "speed_meters_per_second"),
            ("rate", "{job}/s", Kind::Gauge, "rate_per_second"),
            ("rate", "By/fortnight", Kind::Gauge, "rate_bytes_per_fortnight"),
            ("odd", "a-b c", Kind::Gauge, "odd_a_b_c"),
            ("odd", "/", Kind::Gauge, "odd"),
            ("load", "%", Kind::Gauge, "load_percent"),
            ("a:b", "", Kind::Gauge, "a:b"),
            ("2nd..try--", "s", Kind::Gauge, "_2nd_try_seconds"),
            ("é", "", Kind::Gauge, "_"),
            ("", "", Kind::Gauge, ""),
        ] {
            assert_eq!(of(name, unit, kind), expected, "{name} {unit}");
        }
    }

    #[test]
    fn a_label_s_name_has_no_colon() {
        assert_eq!(label("http.status_code"), "http_status_code");
        assert_eq!(label("a:b"), "a_b");
        assert_eq!(label("5xx"), "_5xx");
    }

    proptest! {
        #[test]
        fn whatever_a_metric_is_called_its_name_holds_what_names_may(
            name in "(?s).{0,40}", unit in "(?s).{0,10}",
        ) {
            for kind in [Kind::Counter, Kind::Gauge, Kind::UpDown, Kind::Histogram] {
                let name = of(&name, &unit, kind);
                prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
                let may = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                prop_assert!(name.chars().all(may), "{name}");
            }
        }
    }
}
