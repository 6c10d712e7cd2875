//! Which application version is chosen.

use std::collections::BTreeSet;

use super::cases;
use crate::plugin::bench::Bench;
use crate::plugin::outcome::{Outcome, Shortfall, require};

cases! {
    "3.2" "highest-common-version" Must []
        "the highest of its versions that is offered, whatever the order" => highest;
    "3.2" "lower-common-version" Must []
        "a lower version of its own, if nothing higher is offered" => lower;
    "3.3" "lowest-version-if-none-matches" Must []
        "its lowest version, if none of its own is offered" => none_matches;
    "3.3" "lowest-version-if-none-offered" Must []
        "its lowest version, without `PLUGIN_PROTOCOL_VERSIONS` or with an empty one" => none_offered;
    "3.4" "strange-versions-skipped" Must []
        "items that are no decimal number are skipped" => strange;
    "3.4" "padded-versions-borne" Must []
        "a list with spaces in it ends in a line" => padded;
    "3.9" "extreme-versions-borne" Must []
        "0 and 2147483647 are versions like any other" => extreme;
}

const VARIABLE: &str = "PLUGIN_PROTOCOL_VERSIONS";

/// A version that no plugin has.
const NOBODYS: u32 = i32::MAX as u32;

/// Versions above this one are not found.
const LOOKED_AT: u32 = 63;

/// More than that are not looked for.
const MOST: usize = 6;

async fn highest(bench: &Bench) -> Outcome {
    let known = known(bench).await?;
    let highest = last(&known)?;
    let ascending: Vec<u32> = known.iter().copied().chain([NOBODYS]).collect();
    let descending: Vec<u32> = ascending.iter().rev().copied().collect();
    for offered in [ascending, descending] {
        chooses(bench, &list(&offered), highest).await?;
    }
    Ok(())
}

async fn lower(bench: &Bench) -> Outcome {
    let known = known(bench).await?;
    let [lowest, .., _] = known[..] else {
        return Err(Shortfall::not_applicable("it has one version"));
    };
    chooses(bench, &format!("{lowest},{NOBODYS}"), lowest).await
}

async fn none_matches(bench: &Bench) -> Outcome {
    let lowest = first(&known(bench).await?)?;
    chooses(bench, &NOBODYS.to_string(), lowest).await
}

async fn none_offered(bench: &Bench) -> Outcome {
    let lowest = first(&known(bench).await?)?;
    chooses(bench, "", lowest).await?;
    let line = bench.launch()?.unset(VARIABLE).start().await?.line;
    require!(line.version() == Some(lowest), "it chose `{}`, not {lowest}", line.field(2));
    Ok(())
}

async fn strange(bench: &Bench) -> Outcome {
    let highest = last(&known(bench).await?)?;
    let offered = format!("x,,-,1.5,0x1,99999999999999999999,{highest}");
    chooses(bench, &offered, highest).await
}

async fn padded(bench: &Bench) -> Outcome {
    let known = known(bench).await?;
    let offered = format!(" {} , {NOBODYS} ", last(&known)?);
    let chosen = choice(bench, &offered).await?;
    require!(known.contains(&chosen), "it chose {chosen} of `{offered}`");
    Ok(())
}

async fn extreme(bench: &Bench) -> Outcome {
    let highest = last(&known(bench).await?)?;
    chooses(bench, &format!("0,{highest},{NOBODYS}"), highest).await
}

/// The subject's versions, lowest first, found by taking away from what is
/// offered what it chooses.
async fn known(bench: &Bench) -> Outcome<Vec<u32>> {
    let find = async || {
        let mut offered: BTreeSet<u32> = (0..=LOOKED_AT).collect();
        offered.extend(&bench.subject.versions);
        let mut known = BTreeSet::new();
        while known.len() < MOST {
            let chosen = choice(bench, &list(offered.iter())).await?;
            known.insert(chosen);
            if !offered.remove(&chosen) {
                break;
            }
        }
        Ok::<_, Shortfall>(known.into_iter().collect())
    };
    bench.survey.versions.get_or_try_init(find).await.cloned()
}

async fn chooses(bench: &Bench, offered: &str, expected: u32) -> Outcome {
    let chosen = choice(bench, offered).await?;
    require!(chosen == expected, "it chose {chosen} of `{offered}`, not {expected}");
    Ok(())
}

/// What the subject chooses of a list.
async fn choice(bench: &Bench, offered: &str) -> Outcome<u32> {
    let line = bench.launch()?.set(VARIABLE, offered).start().await?.line;
    let unread = || Shortfall::seen(format!("field 2 is `{}` for `{offered}`", line.field(2)));
    line.version().ok_or_else(unread)
}

fn list<'a>(versions: impl IntoIterator<Item = &'a u32>) -> String {
    versions.into_iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn first(known: &[u32]) -> Outcome<u32> {
    known.first().copied().ok_or_else(|| Shortfall::not_applicable("it has no version"))
}

fn last(known: &[u32]) -> Outcome<u32> {
    known.last().copied().ok_or_else(|| Shortfall::not_applicable("it has no version"))
}
