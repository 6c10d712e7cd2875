//! Section 3: version negotiation.

use crate::host::case::{HostCase, table};
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, field, with};
use crate::report::Verdict;

/// A version that no host offers.
const UNHEARD_OF: &str = "987654";

pub(super) const CASES: &[HostCase] = table! {
    "3.1" "every-version-is-offered-and-no-other" Must VersionsTold,
    "PLUGIN_PROTOCOL_VERSIONS holds the versions that the host speaks (--versions)"
        => Trial::default(), offered;

    "3.5" "version-that-was-not-offered-is-refused" Must Any,
    "an application version that the host did not offer is refused"
        => field(2, UNHEARD_OF), Seen::refused;

    "3.7" "lower-common-version-is-taken" Must Versions,
    "the lowest of the versions offered is taken, though the plugin could choose a higher one"
        => with(|plan| plan.line.lowest = true), Seen::hosted;

    "3.10" "refused-version-is-explained" Must Any,
    "the error names the plugin's version and the versions offered" => field(2, UNHEARD_OF),
        explained;
};

fn list(seen: &Seen) -> Result<Vec<u32>, Verdict> {
    let list = seen.variable("PLUGIN_PROTOCOL_VERSIONS")?.unwrap_or_default();
    let mut list: Vec<u32> = list.split(',').filter_map(|item| item.trim().parse().ok()).collect();
    list.sort_unstable();
    Ok(list)
}

fn offered(seen: &Seen) -> Outcome {
    let mut spoken = seen.versions.clone().unwrap_or_default();
    spoken.sort_unstable();
    let offered = list(seen)?;
    if spoken == offered {
        return Ok(());
    }
    Err(Verdict::fail(format!("it speaks {spoken:?} and offers {offered:?}")))
}

fn explained(seen: &Seen) -> Outcome {
    seen.refused()?;
    seen.says(&[&[UNHEARD_OF]])?;
    for version in list(seen)? {
        seen.says(&[&[&version.to_string()]])?;
    }
    Ok(())
}
