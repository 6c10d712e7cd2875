//! In which order plugins start: after those that they name in `after`.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_types::InstanceName;

use super::After;

/// Why there is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OrderProblem {
    /// It is started after something that there is not.
    #[error("`{after}` is no configured instance; name one, or remove it")]
    Unknown { instance: InstanceName, after: InstanceName },
    /// It would have to be started after itself.
    #[error("`{instance}` would be started after itself; break the circle")]
    Circle { instance: InstanceName },
}

impl OrderProblem {
    /// Whose `after` is at fault.
    pub(crate) fn instance(&self) -> &str {
        match self {
            Self::Unknown { instance, .. } | Self::Circle { instance } => instance.as_str(),
        }
    }
}

/// The instances in levels: those of one level start together, once all of the
/// levels before were started.
pub(crate) fn levels(
    after: &BTreeMap<InstanceName, After>,
) -> Result<Vec<Vec<InstanceName>>, OrderProblem> {
    for (name, names) in after {
        if let Some(unknown) = names.iter().find(|other| !after.contains_key(*other)) {
            return Err(OrderProblem::Unknown { instance: name.clone(), after: unknown.clone() });
        }
    }
    let mut started: BTreeSet<&InstanceName> = BTreeSet::new();
    let mut levels = Vec::new();
    while started.len() < after.len() {
        let next: Vec<&InstanceName> = after
            .iter()
            .filter(|(name, after)| {
                !started.contains(*name) && after.iter().all(|other| started.contains(other))
            })
            .map(|(name, _)| name)
            .collect();
        if next.is_empty() {
            let Some(stuck) = after.keys().find(|name| !started.contains(*name)) else { break };
            return Err(OrderProblem::Circle { instance: stuck.clone() });
        }
        started.extend(&next);
        levels.push(next.into_iter().cloned().collect());
    }
    Ok(levels)
}

/// Those that are started after `name`, directly or not, in the order of their
/// start.
pub(crate) fn dependents<'a>(
    name: &InstanceName,
    instances: impl Iterator<Item = (&'a InstanceName, &'a [InstanceName])> + Clone,
) -> Vec<InstanceName> {
    let mut found = vec![name.clone()];
    loop {
        let next = instances.clone().find(|(other, after)| {
            !found.contains(other) && after.iter().any(|before| found.contains(before))
        });
        match next {
            Some((other, _)) => found.push(other.clone()),
            None => break,
        }
    }
    found.remove(0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> InstanceName {
        InstanceName::parse(name).unwrap()
    }

    fn after(rows: &[(&str, &[&str])]) -> BTreeMap<InstanceName, After> {
        let row = |(instance, after): &(&str, &[&str])| {
            (name(instance), after.iter().map(|after| name(after)).collect())
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn plugins_start_in_levels_and_circles_and_strangers_are_named() {
        let order = levels(&after(&[("a", &["c"]), ("b", &[]), ("c", &["b"]), ("d", &["b"])]));
        let expected = [vec![name("b")], vec![name("c"), name("d")], vec![name("a")]];
        assert_eq!(order.unwrap(), expected);
        let problem = levels(&after(&[("a", &["b"]), ("b", &["a"])])).unwrap_err();
        assert_eq!(problem, OrderProblem::Circle { instance: name("a") });
        let problem = levels(&after(&[("a", &["z"])])).unwrap_err();
        assert!(problem.to_string().contains("`z` is no configured instance"), "{problem}");
        assert_eq!(levels(&after(&[("a", &["a"])])).unwrap_err().instance(), "a");
    }

    #[test]
    fn dependents_are_found_through_others() {
        let all = after(&[("a", &["c"]), ("b", &[]), ("c", &["b"]), ("d", &[])]);
        let after = all.iter().map(|(name, after)| (name, after.as_slice()));
        assert_eq!(dependents(&name("b"), after.clone()), [name("c"), name("a")]);
        assert!(dependents(&name("a"), after).is_empty());
    }
}
