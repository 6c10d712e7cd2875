//! The last ten minutes of each instance: a sample every two seconds, and what
//! happened to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use outrigger::{HostEvent, Remote, Traffic};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::view::{Event, moment};

/// Between two samples.
const EVERY: Duration = Duration::from_secs(2);

/// Samples that are kept: ten minutes.
const KEPT: usize = 300;

/// Of those, what is shown of all instances together: a minute.
const OF_ALL: usize = 30;

/// Events of each instance that are kept.
const EVENTS: usize = 100;

/// Samples that a reader may fall behind.
const BEHIND: usize = 4;

/// A cheap clone.
#[derive(Debug, Clone)]
pub(crate) struct History {
    kept: Arc<Mutex<Kept>>,
    /// Each sample of all instances, as JSON.
    samples: broadcast::Sender<Arc<str>>,
}

impl Default for History {
    fn default() -> Self {
        Self { kept: Arc::default(), samples: broadcast::channel(BEHIND).0 }
    }
}

#[derive(Debug, Default)]
struct Kept {
    /// When the samples were taken, the newest last.
    at: VecDeque<SystemTime>,
    /// The same by the clock that nobody sets.
    last: Option<Instant>,
    instances: BTreeMap<String, Series>,
}

/// Of one instance; the last of its samples was taken at the last time.
#[derive(Debug, Default)]
struct Series {
    read: Option<Traffic>,
    samples: VecDeque<Sample>,
    events: VecDeque<Dated>,
}

/// What happened between a sample and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    calls_per_second: f32,
    /// Of the calls that ended; none where there was no call.
    error_share: Option<f32>,
    p50_ms: Option<f32>,
    p99_ms: Option<f32>,
    in_flight: u64,
}

impl Sample {
    fn of(since: &Traffic, seconds: f64, in_flight: u64) -> Self {
        let (calls, errors) = (since.calls as f64, since.errors as f64);
        // Microseconds are as fine as it was measured.
        let quantile =
            |share| since.quantile(share).map(|seconds| ((seconds * 1e6).round() / 1e3) as f32);
        Self {
            calls_per_second: ((calls / seconds * 10.0).round() / 10.0) as f32,
            error_share: (since.calls > 0).then(|| (errors / calls) as f32),
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            in_flight,
        }
    }
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Dated {
    at: String,
    #[serde(flatten)]
    event: Event,
}

/// One sample of all instances.
#[derive(Serialize)]
struct Together<'a> {
    at: String,
    instances: BTreeMap<&'a str, Sample>,
}

/// Samples as columns, the newest last. An instance that is newer than the first
/// sample has fewer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    every_ms: u64,
    at: Vec<String>,
    instances: BTreeMap<String, Columns>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Columns {
    calls_per_second: Vec<f32>,
    error_share: Vec<Option<f32>>,
    p50_ms: Vec<Option<f32>>,
    p99_ms: Vec<Option<f32>>,
    in_flight: Vec<u64>,
    /// Where one instance is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Dated>>,
}

impl Series {
    fn last(&self, samples: usize, events: bool) -> Columns {
        let from = self.samples.len().saturating_sub(samples);
        let kept = || self.samples.iter().skip(from);
        Columns {
            calls_per_second: kept().map(|sample| sample.calls_per_second).collect(),
            error_share: kept().map(|sample| sample.error_share).collect(),
            p50_ms: kept().map(|sample| sample.p50_ms).collect(),
            p99_ms: kept().map(|sample| sample.p99_ms).collect(),
            in_flight: kept().map(|sample| sample.in_flight).collect(),
            events: events.then(|| self.events.iter().cloned().collect()),
        }
    }
}

impl History {
    /// Samples and notes, until the server ends. What happens from this call on is
    /// noted, though the future may be polled later.
    pub(crate) fn keep(
        self,
        remote: Remote,
        end: CancellationToken,
    ) -> impl Future<Output = ()> + Send {
        let (statuses, mut events) = remote.follow();
        for status in statuses {
            let event = Event::state(status.instance.to_string(), status.state);
            self.put(moment(status.state_since), event);
        }
        async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => self.sample(&remote),
                    event = events.recv() => match event {
                        Ok(event) => self.note(&event),
                        // The ones after them are kept.
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return,
                    },
                    () = end.cancelled() => return,
                }
            }
        }
    }

    /// Samples from now on.
    pub(crate) fn samples(&self) -> broadcast::Receiver<Arc<str>> {
        self.samples.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: &HostEvent) {
        self.put(moment(SystemTime::now()), Event::of(event));
    }

    fn put(&self, at: String, event: Event) {
        let mut kept = self.lock();
        // An event may come before the first sample of a new instance.
        let series = kept.instances.entry(event.instance().to_owned()).or_default();
        push(&mut series.events, Dated { at, event }, EVENTS);
    }

    fn sample(&self, remote: &Remote) {
        let read = remote.instances().into_iter().filter_map(|instance| {
            let name = instance.as_str();
            let (traffic, in_flight) = (remote.traffic(name)?, remote.in_flight(name)?);
            Some((instance.to_string(), traffic, in_flight))
        });
        let read: Vec<_> = read.collect();
        self.take(SystemTime::now(), Instant::now(), read);
    }

    fn take(&self, at: SystemTime, now: Instant, read: Vec<(String, Traffic, u64)>) {
        let mut kept = self.lock();
        let kept = &mut *kept;
        let before = kept.last.replace(now);
        let seconds = before.map_or(0.0, |before| (now - before).as_secs_f64());
        if seconds > 0.0 {
            push(&mut kept.at, at, KEPT);
        }
        kept.instances.retain(|name, _| read.iter().any(|(known, ..)| known == name));
        for (name, traffic, in_flight) in read {
            let series = kept.instances.entry(name).or_default();
            let earlier = series.read.replace(traffic.clone());
            if let Some(earlier) = earlier.filter(|_| seconds > 0.0) {
                let sample = Sample::of(&traffic.since(&earlier), seconds, in_flight);
                push(&mut series.samples, sample, KEPT);
            }
        }
        if self.samples.receiver_count() > 0 {
            let last = kept.instances.iter();
            let last = last.filter_map(|(name, series)| Some((&**name, *series.samples.back()?)));
            let together = Together { at: moment(at), instances: last.collect() };
            let text = serde_json::to_string(&together).unwrap_or_default();
            // They may have gone meanwhile.
            let _unheard = self.samples.send(text.into());
        }
    }

    pub(crate) fn shown(&self, instance: Option<&str>) -> Shown {
        let kept = self.lock();
        let samples = if instance.is_some() { KEPT } else { OF_ALL };
        let from = kept.at.len().saturating_sub(samples);
        let wanted = |name: &str| instance.is_none_or(|instance| instance == name);
        let instances = kept.instances.iter().filter(|(name, _)| wanted(name));
        let columns = instances
            .map(|(name, series)| (name.clone(), series.last(samples, instance.is_some())));
        Shown {
            every_ms: u64::try_from(EVERY.as_millis()).unwrap_or(u64::MAX),
            at: kept.at.iter().skip(from).map(|at| moment(*at)).collect(),
            instances: columns.collect(),
        }
    }
}

fn push<T>(kept: &mut VecDeque<T>, new: T, most: usize) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(new);
}

#[cfg(test)]
mod tests;
