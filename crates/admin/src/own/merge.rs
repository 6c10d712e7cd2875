//! Several plugins' metrics as one text, in which each has its plugin's name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{Family, Sample};

/// The label that says whose it is.
const LABEL: &str = "plugin";

/// A plugin's label of that name, as Prometheus itself would call it.
pub(super) const RENAMED: &str = "exported_plugin";

/// Each family once, its samples by plugin. Where plugins disagree on the type of a
/// family, the first one's holds and the other one's samples are left out: a text
/// with two would be refused as a whole.
pub(super) fn all<'a>(
    plugins: impl Iterator<Item = (&'a str, BTreeMap<String, Family>)>,
) -> String {
    let mut families = BTreeMap::<String, Vec<(&str, Family)>>::new();
    for (plugin, own) in plugins {
        for (name, family) in own {
            let all = families.entry(name).or_default();
            if all.first().is_none_or(|(_, first)| first.kind == family.kind) {
                all.push((plugin, family));
            }
        }
    }
    let mut text = String::new();
    for (name, all) in &families {
        let first = all.first().map(|(_, family)| family);
        if let Some(help) = first.and_then(|family| family.help.as_deref()) {
            let _infallible = writeln!(text, "# HELP {name} {help}");
        }
        if let Some(kind) = first.and_then(|family| family.kind.as_deref()) {
            let _infallible = writeln!(text, "# TYPE {name} {kind}");
        }
        for (plugin, family) in all {
            family.samples.iter().for_each(|sample| line(&mut text, plugin, sample));
        }
    }
    text
}

fn line(text: &mut String, plugin: &str, sample: &Sample) {
    let _infallible = write!(text, "{}{{{LABEL}=\"{plugin}\"", sample.name);
    for (name, value) in &sample.labels {
        let name = if name == LABEL { RENAMED } else { name };
        let _infallible = write!(text, ",{name}=\"{value}\"");
    }
    let value = match sample.value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        value => value.to_string(),
    };
    let _infallible = writeln!(text, "}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own::text::parse;
    use proptest::prelude::*;

    fn merged(texts: &[(&'static str, &str)]) -> String {
        all(texts.iter().map(|(plugin, text)| (*plugin, parse(text))))
    }

    #[test]
    fn each_plugin_s_samples_have_its_name_and_a_family_is_there_once() {
        let text = "# HELP jobs Jobs.\n# TYPE jobs counter\njobs 1\n";
        let other = "# TYPE jobs counter\njobs{plugin=\"x\"} 2\nother -Inf\n";
        assert_eq!(
            merged(&[("a", text), ("b", other)]),
            "# HELP jobs Jobs.\n# TYPE jobs counter\njobs{plugin=\"a\"} 1\n\
             jobs{plugin=\"b\",exported_plugin=\"x\"} 2\nother{plugin=\"b\"} -Inf\n"
        );
    }

    #[test]
    fn two_types_for_one_family_are_one() {
        let (one, other) = ("# TYPE a counter\na 1\n", "# TYPE a gauge\na 2\n");
        assert_eq!(merged(&[("x", one), ("y", other)]), "# TYPE a counter\na{plugin=\"x\"} 1\n");
    }

    proptest! {
        #[test]
        fn whatever_a_plugin_says_each_line_is_one_of_its_own_samples(text in "(?s).{0,400}") {
            let shown = all(std::iter::once(("p", parse(&text))));
            for line in shown.lines().filter(|line| !line.starts_with('#')) {
                prop_assert!(line.contains("{plugin=\"p\""), "{line}");
                prop_assert!(!line.starts_with("outrigger_"), "{line}");
            }
            // It says the same when it is read, now with a label that is renamed.
            let again = all(std::iter::once(("p", parse(&shown))));
            let renamed = shown.lines().filter(|line| line.contains("exported_plugin=")).count();
            prop_assert_eq!(again.lines().count() + renamed, shown.lines().count());
        }

        #[test]
        fn samples_with_any_value_and_label_survive(
            value in any::<f64>(), label in "[a-z_]{1,9}", content in "[^\\\\\"\\p{C}]{0,20}",
        ) {
            let text = format!("a{{{label}=\"{content}\"}} {value}\n");
            let shown = all(std::iter::once(("p", parse(&text))));
            prop_assert_eq!(shown.lines().count(), 1, "{} {}", text, shown);
        }
    }
}
