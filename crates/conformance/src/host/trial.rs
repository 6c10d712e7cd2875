//! One run of the host: which plugin it is given, and in which environment.

use super::plan::Plan;

/// One run of the host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trial {
    /// The plugin's part.
    pub(crate) plan: Plan,
    /// What stands in the host's own environment.
    pub(crate) poison: Poison,
    /// What the plugin's path leads to.
    pub(crate) program: Program,
    /// Whether the host has to wait for its own start time.
    pub(crate) patient: bool,
}

/// Variables of the protocol in the host's own environment, as if it were a
/// plugin itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Poison {
    /// None.
    #[default]
    None,
    /// Those that a host sets only sometimes.
    Optional,
    /// Those that it sets always.
    Always,
}

/// What the plugin's path leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Program {
    /// The fixture.
    #[default]
    Fixture,
    /// A script whose interpreter does not exist.
    NoInterpreter,
}

/// What poisoned variables hold.
pub(crate) const POISON: &str = "of-the-kit";

/// Poisoned numbers.
pub(crate) const POISON_NUMBER: &str = "64999";

impl Poison {
    /// Names and values.
    pub(crate) fn variables(self, cookie: &str) -> Vec<(String, String)> {
        let named = |names: &[&str], value: &str| {
            names.iter().map(|name| ((*name).to_owned(), value.to_owned())).collect::<Vec<_>>()
        };
        match self {
            Self::None => Vec::new(),
            Self::Optional => named(
                &[
                    "PLUGIN_CLIENT_CERT",
                    "PLUGIN_MULTIPLEX_GRPC",
                    "PLUGIN_UNIX_SOCKET_DIR",
                    "PLUGIN_UNIX_SOCKET_GROUP",
                ],
                POISON,
            ),
            Self::Always => {
                let numbers = ["PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT"];
                let mut variables = named(&numbers, POISON_NUMBER);
                variables.extend(named(&[cookie], POISON));
                variables
            }
        }
    }
}

/// A run with this plan.
pub(crate) fn with(change: impl FnOnce(&mut Plan)) -> Trial {
    let mut trial = Trial::default();
    change(&mut trial.plan);
    trial
}

/// A run with this line field, counted from 1.
pub(crate) fn field(place: usize, text: &str) -> Trial {
    with(|plan| plan.line.fields = vec![(place, text.to_owned())])
}

/// A run with another text in the line's place.
pub(crate) fn line(text: &str) -> Trial {
    with(|plan| plan.line.instead = Some(text.to_owned()))
}
