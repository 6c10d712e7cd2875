//! Which of two versions is the later one.

use std::cmp::Ordering;

use crate::PluginVersion;

impl PluginVersion {
    /// Compares by the rules of Semantic Versioning 2.0.0, section 11, with any
    /// number of components and an optional `v` in front: `1.9 < 1.10`,
    /// `2.0.0-rc.1 < 2.0.0`, and `1.0` is `1.0.0`. What follows `+` only decides
    /// between versions that are otherwise the same, so that `Equal` means the
    /// same text or one that differs by `v` and missing zeros.
    #[must_use]
    pub fn precedence(&self, other: &Self) -> Ordering {
        let (one, two) = (Parts::of(self.as_str()), Parts::of(other.as_str()));
        components(one.core, two.core, true)
            .then_with(|| match (one.pre_release, two.pre_release) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(two)) => components(one, two, false),
            })
            .then_with(|| components(one.build, two.build, false))
    }
}

struct Parts<'a> {
    core: &'a str,
    pre_release: Option<&'a str>,
    build: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (rest, build) = text.split_once('+').unwrap_or((text, ""));
        let (core, pre_release) = match rest.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (rest, None),
        };
        let digits = core.strip_prefix(['v', 'V']);
        let core = digits.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        Self { core: core.unwrap_or(rest.split('-').next().unwrap_or(rest)), pre_release, build }
    }
}

/// The components of a text; the empty text has none.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split('.').filter(|part| !part.is_empty())
}

/// Component by component; one that is missing is zero, or comes first.
fn components(one: &str, two: &str, zero: bool) -> Ordering {
    let (mut one, mut two) = (split(one), split(two));
    loop {
        let order = match (one.next(), two.next()) {
            (None, None) => return Ordering::Equal,
            (Some(one), Some(two)) => component(one, two),
            (Some(one), None) if zero => component(one, "0"),
            (None, Some(two)) if zero => component("0", two),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Numbers by their value, before texts, which are compared byte by byte.
fn component(one: &str, two: &str) -> Ordering {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (number(one), number(two)) {
        (true, true) => {
            // Of numbers without leading zeros, the longer one is the larger.
            let (one, two) = (one.trim_start_matches('0'), two.trim_start_matches('0'));
            one.len().cmp(&two.len()).then_with(|| one.cmp(two))
        }
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => one.cmp(two),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(one: &str, two: &str) -> Ordering {
        let parse = |text: &str| PluginVersion::parse(text).unwrap();
        parse(one).precedence(&parse(two))
    }

    #[test]
    fn later_versions_come_later() {
        let ascending = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "v1.0.1",
            "1.9",
            "1.10.0",
            "1.10.0+1",
            "1.10.0+2",
            "2",
            "10.0.0",
            "99999999999999999999999.0",
            "x",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (to, two) in ascending.iter().enumerate() {
                assert_eq!(compare(one, two), at.cmp(&to), "{one} and {two}");
            }
        }
    }

    #[test]
    fn missing_zeros_and_a_letter_v_make_no_difference() {
        for (one, two) in [("1", "1.0.0"), ("v1.0", "1"), ("1.0.0", "01.00.0")] {
            assert_eq!(compare(one, two), Ordering::Equal, "{one} and {two}");
        }
    }
}
