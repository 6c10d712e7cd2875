//! The cases: a rule, a name, what is expected, and a function that looks.

mod broker;
mod certificate;
mod connection;
mod cookie;
mod dial_back;
mod line;
mod mux;
mod output;
mod process;
mod records;
mod services;
mod shutdown;
mod sockets;
mod tcp;
mod tls;
mod versions;

use std::future::Future;
use std::pin::Pin;

use super::CaseInfo;
use super::bench::Bench;
use super::outcome::Outcome;
use super::survey::Need;
use crate::report::Strength;

/// The case that fails when nothing else can be looked at.
pub(crate) const THE_LINE_COMES: &str = "line-comes";

/// A case that is not run yet.
#[derive(Debug)]
pub(crate) struct PluginCase {
    pub(crate) rule: &'static str,
    pub(crate) name: &'static str,
    pub(crate) strength: Strength,
    /// Without one of these it does not concern the subject.
    pub(crate) needs: &'static [Need],
    needs_in_words: &'static [&'static str],
    pub(crate) expected: &'static str,
    pub(crate) run: for<'a> fn(&'a Bench) -> Running<'a>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// `"2.31" "its-name" Must [What It Needs] "what is expected" => function;`
macro_rules! cases {
    ($($rule:literal $name:literal $strength:ident [$($need:ident)*] $expected:literal
        => $run:path;)*) => {
        pub(super) const CASES: &[$crate::plugin::cases::PluginCase] = &[$(
            $crate::plugin::cases::PluginCase {
                rule: $rule,
                name: $name,
                strength: $crate::report::Strength::$strength,
                needs: &[$($crate::plugin::survey::Need::$need),*],
                needs_in_words: &[$($crate::plugin::survey::Need::$need.word()),*],
                expected: $expected,
                run: |bench| Box::pin($run(bench)),
            },
        )*];
    };
}
use cases;

const ALL: &[&[PluginCase]] = &[
    cookie::CASES,
    sockets::CASES,
    tcp::CASES,
    process::CASES,
    line::CASES,
    versions::CASES,
    tls::CASES,
    certificate::CASES,
    broker::CASES,
    dial_back::CASES,
    mux::CASES,
    connection::CASES,
    services::CASES,
    output::CASES,
    records::CASES,
    shutdown::CASES,
];

/// All of them, by rule.
pub(crate) fn all() -> impl Iterator<Item = &'static PluginCase> {
    let mut cases: Vec<&PluginCase> = ALL.iter().flat_map(|cases| cases.iter()).collect();
    cases.sort_by_key(|case| case.place());
    cases.into_iter()
}

impl PluginCase {
    /// Whether this is its name, its rule or its section.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let section = self.rule.split('.').next();
        name == self.name || name == self.rule || Some(name) == section
    }

    /// Section, and place in it.
    fn place(&self) -> (u32, u32) {
        let mut numbers = self.rule.split('.').map(|number| number.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }

    /// What can be known before it was run.
    pub(crate) fn info(&'static self) -> CaseInfo {
        let Self { rule, name, strength, needs_in_words: needs, expected, .. } = *self;
        CaseInfo { rule, name, strength, expected, needs }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_one_case_s_alone() {
        let names: BTreeSet<&str> = all().map(|case| case.name).collect();
        assert_eq!(names.len(), all().count());
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(fit)), "{names:?}");
    }

    #[test]
    fn the_case_that_says_why_there_is_no_line_exists() {
        assert!(all().any(|case| case.name == THE_LINE_COMES && case.needs.is_empty()));
    }

    #[test]
    fn a_case_is_found_by_name_rule_and_section() {
        let case = all().next().unwrap();
        assert!(case.is_called(case.name) && case.is_called(case.rule) && case.is_called("1"));
        assert!(!case.is_called("1.") && !case.is_called(""));
    }
}
