//! What a host does with a plugin that does nothing wrong: that says which
//! cases concern it.

use super::Seen;
use crate::host::fact::Fact;
use crate::host::subject::CheckError;
use crate::report::Verdict;

/// What a host does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Habits {
    /// The versions that it offers.
    pub(crate) offered: Vec<u32>,
    /// It asks for health.
    pub(crate) health: bool,
    /// It calls GoQuorum's hello world.
    pub(crate) greeting: bool,
    /// It lets the plugin call it over the broker.
    pub(crate) call_host: bool,
    /// It dials the plugin over the broker.
    pub(crate) offer: bool,
}

impl Habits {
    /// From the run with a plugin that does nothing wrong.
    ///
    /// # Errors
    ///
    /// [`CheckError::NotHosted`]
    pub(crate) fn of(seen: &Seen) -> Result<Self, CheckError> {
        let not_hosted = |why: &str| CheckError::NotHosted {
            why: why.to_owned(),
            output: seen
                .end
                .output
                .chars()
                .rev()
                .take(600)
                .collect::<Vec<_>>()
                .iter()
                .rev()
                .collect(),
        };
        let broken = seen.find(|fact| match fact {
            Fact::Broken { why } => Some(why.clone()),
            _ => None,
        });
        if let Some((_, why)) = broken {
            return Err(not_hosted(&format!("the plugin could not serve: {why}")));
        }
        let judged = seen.started().map(|_| ()).and_then(|()| seen.not_crashed());
        let judged = judged.and_then(|()| seen.hosted());
        judged.map_err(|verdict: Verdict| not_hosted(verdict.seen()))?;
        let called = |path: &str| seen.called(path).is_some();
        let permanent = ["/plugin.GRPCBroker/", "/plugin.GRPCStdio/", "/plugin.GRPCController/"];
        let any = seen.find(|fact| match fact {
            Fact::Call { path, .. } if !permanent.iter().any(|of| path.starts_with(of)) => Some(()),
            _ => None,
        });
        if any.is_none() {
            return Err(not_hosted("it made no call and no health check"));
        }
        let offered = seen.variable("PLUGIN_PROTOCOL_VERSIONS").ok().flatten().unwrap_or_default();
        let mut offered: Vec<u32> =
            offered.split(',').filter_map(|item| item.trim().parse().ok()).collect();
        offered.sort_unstable();
        offered.dedup();
        Ok(Self {
            offered,
            health: called("/grpc.health.v1.Health/Check"),
            greeting: called("/proto.PluginGreeting/Greeting"),
            call_host: called("/outrigger.probe.v1.Probe/CallHost"),
            offer: called("/outrigger.probe.v1.Probe/Offer"),
        })
    }
}
