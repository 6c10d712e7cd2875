//! Calls, drains and withdrawals against each other.

use outrigger_types::InstanceName;

use super::*;

fn cell(reload_queue: Duration) -> LiveCell {
    let instance = InstanceName::parse("x").unwrap();
    LiveCell::new(instance, CallLimits { deadline: Duration::from_secs(1), reload_queue })
}

fn live(generation: u64) -> Arc<Live> {
    let instance = InstanceName::parse("x").unwrap();
    Live::new(instance, Generation(generation), Endpoint::Local(Arc::new(())))
}

#[tokio::test]
async fn before_the_start_a_call_is_refused_with_the_reason() {
    let error = cell(Duration::ZERO).link().enter().await.unwrap_err();
    assert_eq!(error.to_string(), "plugin `x` is not available: it was not started");
    assert!(error.was_not_sent());
}

#[tokio::test]
async fn a_drain_waits_for_calls_under_way_and_lets_no_new_one_in() {
    let cell = cell(Duration::ZERO);
    let (old, new) = (live(1), live(2));
    cell.publish(old.clone());
    let link = cell.link();
    let under_way = link.enter().await.unwrap();
    cell.publish(new);
    assert_eq!(link.enter().await.unwrap().generation(), Generation(2));
    let mut drained = tokio_test_future(old.drained());
    assert!(!drained.is_done().await);
    drop(under_way);
    drained.finish().await;
}

#[tokio::test]
async fn calls_under_way_hear_of_their_generation_s_end_at_once() {
    let cell = cell(Duration::ZERO);
    let old = live(1);
    cell.publish(old.clone());
    let call = cell.link().enter().await.unwrap();
    assert!(!call.0.ended.is_cancelled());
    old.end("signal 9");
    let error = call.ended().await;
    assert_eq!(error.to_string(), "plugin `x` ended during the call: signal 9");
    assert!(!error.was_not_sent());
}

#[tokio::test(start_paused = true)]
async fn during_a_switch_calls_wait_for_the_next_generation() {
    let cell = cell(Duration::from_secs(2));
    cell.publish(live(1));
    cell.switch();
    let link = cell.link();
    let waiting = tokio::spawn(async move { link.enter().await.map(|call| call.generation()) });
    while cell.shared.waiting.available_permits() == WAITING_CALLS {
        tokio::task::yield_now().await;
    }
    cell.publish(live(2));
    assert_eq!(waiting.await.unwrap(), Ok(Generation(2)));
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_takes_too_long_fails_the_call_in_time() {
    let cell = cell(Duration::from_secs(2));
    cell.switch();
    let error = cell.link().enter().await.unwrap_err();
    assert!(matches!(error, Unavailable::Reloading { waited, .. } if waited.as_secs() == 2));
}

#[tokio::test(start_paused = true)]
async fn more_than_256_waiting_calls_are_turned_away() {
    let cell = cell(Duration::from_secs(2));
    cell.switch();
    let link = cell.link();
    let calls = (0..WAITING_CALLS).map(|_| {
        let link = link.clone();
        tokio::spawn(async move { link.enter().await.err() })
    });
    let calls: Vec<_> = calls.collect();
    while link.0.waiting.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(link.enter().await, Err(Unavailable::Crowded { .. })));
    for call in calls {
        assert!(matches!(call.await.unwrap(), Some(Unavailable::Reloading { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_between_generations_under_load() {
    let cell = cell(Duration::ZERO);
    cell.publish(live(0));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let link = cell.link();
            tokio::spawn(async move {
                for n in 0..20_000 {
                    let call = link.enter().await.unwrap();
                    assert!(!call.0.ended.is_cancelled(), "a call on an ended generation");
                    if n % 64 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for generation in 1..200 {
        let next = live(generation);
        let before = cell.link().0.current.load_full().unwrap();
        cell.publish(next);
        before.drained().await;
        before.end("drained");
        assert_eq!(before.in_flight(), 0);
    }
    for caller in callers {
        caller.await.unwrap();
    }
}

/// A future that is polled once without being waited for.
struct Polled<F>(std::pin::Pin<Box<F>>);

fn tokio_test_future<F: Future<Output = ()>>(future: F) -> Polled<F> {
    Polled(Box::pin(future))
}

impl<F: Future<Output = ()>> Polled<F> {
    async fn is_done(&mut self) -> bool {
        futures_util::future::poll_immediate(self.0.as_mut()).await.is_some()
    }

    async fn finish(self) {
        self.0.await;
    }
}
