//! The demo as a person reads it.

use outrigger::{Containment, PluginStatus};

use super::figures::Figures;

/// Prints steps, or nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Show(bool);

impl Show {
    pub(super) const fn new(on: bool) -> Self {
        Self(on)
    }

    pub(super) fn step(&self, text: &str) {
        if self.0 {
            println!("- {text}");
        }
    }

    pub(super) fn started(&self, status: &PluginStatus, figures: &Figures) {
        let held = match status.containment {
            Some(Containment::Tree) => "its process tree held by the launcher",
            _ => "without a launcher",
        };
        let pid = status.pid.unwrap_or_default();
        self.step(&format!(
            "verified, unpacked and launched as process {pid}, {held}, sandbox {}",
            status.sandbox
        ));
        self.step(&figures.steps());
    }
}
