//! Tests of the samples.

use super::*;

const START: SystemTime = SystemTime::UNIX_EPOCH;

fn read(names: &[&str]) -> Vec<(String, Traffic, u64)> {
    names.iter().map(|name| ((*name).to_owned(), Traffic::default(), 3)).collect()
}

#[tokio::test]
async fn ten_minutes_are_kept_and_a_minute_of_all() {
    let history = History::default();
    let mut now = Instant::now();
    for _ in 0..KEPT + 50 {
        history.take(START, now, read(&["one", "two"]));
        now += EVERY;
    }
    let one = history.shown(Some("one"));
    assert_eq!((one.at.len(), one.instances.len()), (KEPT, 1));
    let columns = &one.instances["one"];
    assert_eq!((columns.calls_per_second.len(), columns.in_flight.len()), (KEPT, KEPT));
    assert_eq!((columns.in_flight[0], columns.p99_ms[0], columns.error_share[0]), (3, None, None));
    let all = history.shown(None);
    assert_eq!((all.at.len(), all.instances.len()), (OF_ALL, 2));
    assert!(all.instances["two"].events.is_none());
}

#[tokio::test]
async fn a_first_reading_is_no_sample_and_a_newer_instance_has_fewer() {
    let history = History::default();
    let now = Instant::now();
    history.take(START, now, read(&["one"]));
    assert!(history.shown(None).at.is_empty());
    assert!(history.shown(None).instances["one"].in_flight.is_empty());
    history.take(START, now + EVERY, read(&["one", "two"]));
    history.take(START, now + 2 * EVERY, read(&["one", "two"]));
    let shown = history.shown(None);
    assert_eq!(shown.at.len(), 2);
    assert_eq!(shown.instances["one"].in_flight.len(), 2);
    assert_eq!(shown.instances["two"].in_flight.len(), 1);
    history.take(START, now + 3 * EVERY, read(&["two"]));
    assert!(!history.shown(None).instances.contains_key("one"), "it is no instance any more");
}

#[tokio::test]
async fn whoever_listens_gets_one_message_a_sample() {
    let history = History::default();
    let mut samples = history.samples();
    let now = Instant::now();
    history.take(START, now, read(&["one"]));
    history.take(START, now + EVERY, read(&["one"]));
    let first: serde_json::Value = serde_json::from_str(&samples.recv().await.unwrap()).unwrap();
    assert_eq!(first["instances"], serde_json::json!({}));
    let second: serde_json::Value = serde_json::from_str(&samples.recv().await.unwrap()).unwrap();
    assert_eq!(second["at"], "1970-01-01T00:00:00.000Z");
    assert_eq!(second["instances"]["one"]["callsPerSecond"], 0.0);
    assert_eq!(second["instances"]["one"]["inFlight"], 3);
}

#[test]
fn rates_shares_and_quantiles_are_of_the_time_between_two_samples() {
    let sample = Sample::of(&Traffic::default(), 2.0, 0);
    assert_eq!(sample.calls_per_second, 0.0);
    assert_eq!((sample.error_share, sample.p50_ms, sample.p99_ms), (None, None, None));
    let mut since = Traffic::default();
    (since.calls, since.errors) = (50, 10);
    let sample = Sample::of(&since, 2.0, 7);
    assert_eq!((sample.calls_per_second, sample.error_share), (25.0, Some(0.2)));
    assert_eq!(sample.in_flight, 7);
}
