//! The steps, and what is done to them.

use std::fmt;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It fails.
    Error,
    /// It takes a while longer.
    Delay,
    /// It panics.
    Panic,
    /// The process ends there.
    Abort,
    /// Nothing.
    Nothing,
}

impl Action {
    const ALL: [Self; 5] = [Self::Error, Self::Delay, Self::Panic, Self::Abort, Self::Nothing];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Delay => "delay",
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::Nothing => "nothing",
        }
    }
}

/// From when on it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At the host's start.
    Start,
    /// Once all plugins serve.
    Later,
}

impl When {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Later => "later",
        }
    }
}

/// One step, and what is done to it the first time that it is come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) action: Action,
    pub(crate) step: &'static str,
    pub(crate) when: When,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}::{}", self.when.name(), self.step, self.action.name())
    }
}

impl Case {
    /// As on the command line.
    pub(crate) fn of(action: &str, step: &str, when: &str) -> Self {
        let action = Action::ALL.into_iter().find(|known| known.name() == action).unwrap();
        let step = STEPS.iter().find(|known| known.0 == step).unwrap().0;
        let when = if when == "start" { When::Start } else { When::Later };
        Self { action, step, when }
    }

    /// The same, with nothing done to it.
    pub(crate) const fn without(&self) -> Self {
        Self { action: Action::Nothing, step: self.step, when: self.when }
    }
}

/// Every step; whether it can fail, and whether a start comes to it.
pub(crate) const STEPS: &[(&str, bool, bool)] = &[
    ("manager.start", false, true),
    ("manager.reload", false, false),
    ("manager.apply", false, false),
    ("manager.stop", false, false),
    ("plugin.start", false, true),
    ("plugin.reload", false, false),
    ("plugin.stop", false, false),
    ("plugin.happened", false, true),
    ("plugin.load", true, true),
    ("resolve.open", true, true),
    ("resolve.workspace", true, true),
    ("resolve.unpack", true, true),
    ("resolve.remember", true, true),
    ("file.rename", true, true),
    ("plugin.launch", true, true),
    ("launch.identity", false, true),
    ("launch.directory", true, true),
    ("launch.spawn", true, true),
    ("launch.line", true, true),
    ("launch.connect", true, true),
    ("launch.finish", false, true),
    ("plugin.initialise", true, true),
    ("plugin.publish", false, true),
    ("plugin.withdraw", false, false),
    ("plugin.drain", false, false),
    ("stop.climb", false, false),
    ("stop.clean", false, false),
];

/// All that is tried.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (step, fails, at_start) in STEPS {
        for when in [When::Start, When::Later] {
            // The host's start is over then.
            let over = when == When::Later && ["manager.start", "plugin.start"].contains(step);
            if (when == When::Start && !at_start) || over {
                continue;
            }
            let actions = [Action::Error, Action::Delay, Action::Panic, Action::Abort];
            let actions = actions.into_iter().filter(|action| *action != Action::Error || *fails);
            cases.extend(actions.map(|action| Case { action, step, when }));
        }
    }
    cases
}
