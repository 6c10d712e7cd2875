//! A case: its rule, which hosts it concerns, the run, and how that is judged.

use super::seen::{Habits, Outcome, Seen};
use super::subject::Subject;
use super::trial::Trial;
use crate::plugin::CaseInfo;
use crate::report::Strength;

/// All cases, in the order of the rules.
pub fn cases() -> impl Iterator<Item = CaseInfo> {
    all().map(|case| CaseInfo {
        rule: case.rule,
        name: case.name,
        strength: case.strength,
        expected: case.expected,
        needs: case.needs.words(),
    })
}

/// A case.
pub(crate) struct HostCase {
    pub(crate) rule: &'static str,
    pub(crate) name: &'static str,
    pub(crate) strength: Strength,
    pub(crate) needs: Needs,
    pub(crate) expected: &'static str,
    pub(crate) trial: fn() -> Trial,
    pub(crate) judge: fn(&Seen) -> Outcome,
}

/// Which hosts a case concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// All.
    Any,
    /// Hosts that do AutoMTLS.
    Tls,
    /// Hosts that do no TLS.
    Plain,
    /// Hosts that multiplex.
    Mux,
    /// Hosts that ask for health.
    Health,
    /// Hosts that call GoQuorum's hello world.
    Greeting,
    /// Hosts that let the plugin call them over the broker.
    CallHost,
    /// Hosts that dial the plugin over the broker.
    Offer,
    /// Hosts that make no use of the broker.
    NoBroker,
    /// Hosts that offer several versions.
    Versions,
    /// Hosts whose versions were told.
    VersionsTold,
}

impl Needs {
    /// What a host must do, in words.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Any => &[],
            Self::Tls => &["AutoMTLS"],
            Self::Plain => &["--plain"],
            Self::Mux => &["--mux"],
            Self::Health => &["a health check"],
            Self::Greeting => &["a call of PluginGreeting/Greeting"],
            Self::CallHost => &["a call of Probe/CallHost"],
            Self::Offer => &["a call of Probe/Offer"],
            Self::NoBroker => &["a command that makes no calls over the broker"],
            Self::Versions => &["several versions"],
            Self::VersionsTold => &["--versions"],
        }
    }

    /// Why a host is not concerned.
    pub(crate) fn unmet(self, subject: &Subject, habits: &Habits) -> Option<String> {
        let met = match self {
            Self::Any => true,
            Self::Tls => !subject.plain,
            Self::Plain => subject.plain,
            Self::Mux => subject.multiplex,
            Self::Health => habits.health,
            Self::Greeting => habits.greeting,
            Self::CallHost => habits.call_host,
            Self::Offer => habits.offer,
            Self::NoBroker => !habits.call_host && !habits.offer,
            Self::Versions => habits.offered.len() > 1,
            Self::VersionsTold => subject.versions.is_some(),
        };
        (!met).then(|| format!("it takes {}", self.words().join(", ")))
    }
}

impl HostCase {
    /// Section and place of its rule.
    fn number(&self) -> (u32, u32) {
        let (section, place) = self.rule.split_once('.').unwrap_or_default();
        (section.parse().unwrap_or_default(), place.parse().unwrap_or_default())
    }

    /// Whether this is its name, its rule or its section.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let section = self.rule.split('.').next();
        name == self.name || name == self.rule || Some(name) == section
    }
}

/// All cases, in the order of the rules.
pub(crate) fn all() -> impl Iterator<Item = &'static HostCase> {
    let mut all: Vec<&HostCase> = super::cases::ALL.iter().copied().flatten().collect();
    all.sort_by_key(|case| case.number());
    all.into_iter()
}

/// `"2.31" "its-name" Must Any, "what is expected" => trial, judge;`
macro_rules! table {
    ($($rule:literal $name:literal $strength:ident $needs:ident,
       $expected:literal => $trial:expr, $judge:expr;)*) => {
        &[$($crate::host::case::HostCase {
            rule: $rule,
            name: $name,
            strength: $crate::report::Strength::$strength,
            needs: $crate::host::case::Needs::$needs,
            expected: $expected,
            trial: || $trial,
            judge: $judge,
        },)*]
    };
}

pub(crate) use table;
