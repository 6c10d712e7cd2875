//! What settings that were read anew ask for, against what there is.

use std::collections::BTreeMap;

use outrigger_types::{Generation, InstanceName, InterfaceName};

use crate::error::PluginError;
use crate::settings::ProviderSettings;

/// What applying settings did or, as a plan, would do. An instance stands in
/// one list only, but for one whose interface changed: that is another instance
/// of the same name, removed and added. Each list is sorted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Applied {
    /// Instances that were not there before.
    pub added: Vec<InstanceName>,
    /// Instances that the settings do not name any more.
    pub removed: Vec<InstanceName>,
    /// Instances that have another generation now.
    pub changed: Vec<InstanceName>,
    /// Instances that were left alone.
    pub unchanged: Vec<InstanceName>,
    /// Instances that could not be started or reloaded. One that is new is
    /// tried again like any that cannot start; of any other, the generation
    /// before goes on serving.
    pub failed: Vec<PluginError>,
}

/// What became of one instance in a reload of all.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reloaded {
    /// The instance.
    pub instance: InstanceName,
    /// The generation that serves, or why the one before goes on.
    pub outcome: Result<Generation, PluginError>,
}

/// Names that settings add, drop and keep.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) added: Vec<InstanceName>,
    pub(super) removed: Vec<InstanceName>,
    pub(super) kept: Vec<InstanceName>,
}

/// Compares by name and interface.
pub(super) fn difference<'a>(
    running: impl Iterator<Item = (&'a InstanceName, &'a InterfaceName)>,
    wanted: &BTreeMap<InstanceName, ProviderSettings>,
) -> Difference {
    let running: BTreeMap<_, _> = running.collect();
    let mut found = Difference::default();
    for (name, interface) in &running {
        match wanted.get(*name) {
            Some(provider) if provider.interface == **interface => {
                found.kept.push((*name).clone());
            }
            _ => found.removed.push((*name).clone()),
        }
    }
    let new = |name: &&InstanceName| !found.kept.contains(name);
    found.added = wanted.keys().filter(new).cloned().collect();
    found
}

#[cfg(test)]
mod tests {
    use outrigger_types::{ConfigSource, PluginDefinition};

    use super::*;

    fn names(names: &[&str]) -> Vec<InstanceName> {
        names.iter().map(|name| InstanceName::parse(name).unwrap()).collect()
    }

    fn provider(interface: &str) -> ProviderSettings {
        let definition = PluginDefinition {
            name: "n".parse().unwrap(),
            version: "1".parse().unwrap(),
            config: ConfigSource::None,
        };
        ProviderSettings::new(InterfaceName::parse(interface).unwrap(), definition)
    }

    #[test]
    fn an_instance_of_another_interface_is_removed_and_added() {
        let table = |entries: &[(&str, &str)]| -> BTreeMap<InstanceName, InterfaceName> {
            let parse = |(name, interface): &(&str, &str)| {
                (InstanceName::parse(name).unwrap(), InterfaceName::parse(interface).unwrap())
            };
            entries.iter().map(parse).collect()
        };
        let running = table(&[("gone", "a"), ("kept", "a"), ("other", "a")]);
        let wanted = table(&[("kept", "a"), ("new", "a"), ("other", "b")]);
        let wanted = wanted.into_iter().map(|(n, i)| (n, provider(i.as_str()))).collect();
        let found = difference(running.iter(), &wanted);
        assert_eq!(found.added, names(&["new", "other"]));
        assert_eq!(found.removed, names(&["gone", "other"]));
        assert_eq!(found.kept, names(&["kept"]));
    }

    #[test]
    fn the_same_settings_ask_for_nothing() {
        let wanted = BTreeMap::from([(names(&["a"]).remove(0), provider("x"))]);
        let running = wanted.iter().map(|(name, provider)| (name, &provider.interface));
        let found = difference(running, &wanted);
        assert_eq!((found.added.len(), found.removed.len(), found.kept.len()), (0, 0, 1));
        let found = difference(std::iter::empty(), &BTreeMap::new());
        assert_eq!(found, Difference::default());
    }
}
