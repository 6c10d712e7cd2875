//! Calls, drains and withdrawals against each other.

use outrigger_types::InstanceName;

use super::*;

fn cell(reload_queue: Duration) -> LiveCell {
    let instance = InstanceName::parse("x").unwrap();
    let bounds = CallBounds::default();
    LiveCell::new(
        instance,
        CallLimits { deadline: Duration::from_secs(1), reload_queue, bounds, chaos: None },
        &[],
    )
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
    waiting_are(&cell.link(), 1).await;
    cell.publish(live(2));
    assert_eq!(waiting.await.unwrap(), Ok(Generation(2)));
}

async fn waiting_are(link: &Link, count: u32) {
    while link.0.waiting.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

fn bounded(in_flight: u32, queue: u32, wait: Duration) -> LiveCell {
    let cell = cell(Duration::ZERO);
    let bounds = CallBounds { in_flight, queue, wait, ..CallBounds::default() };
    cell.set_limits(CallLimits { bounds, ..cell.link().limits() });
    cell
}

#[tokio::test]
async fn calls_over_the_bound_wait_in_line_and_those_over_the_line_are_refused() {
    let cell = bounded(1, 1, Duration::ZERO);
    cell.publish(live(1));
    let link = cell.link();
    let first = link.enter().await.unwrap();
    let second = tokio::spawn({
        let link = link.clone();
        async move { link.enter().await }
    });
    waiting_are(&link, 1).await;
    let third = link.enter().await.unwrap_err();
    assert!(matches!(third, Unavailable::Busy { in_flight: 1, queue: 1, .. }), "{third}");
    assert!(third.was_not_sent());
    drop(first);
    let second = second.await.unwrap().unwrap();
    assert_eq!(second.0.in_flight(), 1);
}

#[tokio::test]
async fn a_call_in_line_goes_to_the_next_generation_when_there_is_one() {
    let cell = bounded(1, 8, Duration::ZERO);
    cell.publish(live(1));
    let link = cell.link();
    let _first = link.enter().await.unwrap();
    let second = tokio::spawn({
        let link = link.clone();
        async move { link.enter().await.map(|call| call.generation()) }
    });
    waiting_are(&link, 1).await;
    cell.publish(live(2));
    assert_eq!(second.await.unwrap(), Ok(Generation(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bound_holds_and_nobody_in_line_is_forgotten() {
    let cell = bounded(3, 64, Duration::ZERO);
    cell.publish(live(1));
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let link = cell.link();
            tokio::spawn(async move {
                for _ in 0..500 {
                    let call = link.enter().await.unwrap();
                    assert!(call.0.in_flight() <= 3);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(cell.link().0.waiting.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_death_calls_wait_as_long_as_settings_say_and_after_a_stop_not_at_all() {
    let cell = bounded(8, 8, Duration::from_secs(2));
    let link = cell.link();
    cell.publish(live(1));
    cell.withdraw_ended("signal 9", true);
    let waiting = tokio::spawn({
        let link = link.clone();
        async move { link.enter().await.map(|call| call.generation()) }
    });
    waiting_are(&link, 1).await;
    cell.publish(live(2));
    assert_eq!(waiting.await.unwrap(), Ok(Generation(2)));
    cell.withdraw_for_now("it is backing off");
    let began = Instant::now();
    let error = link.enter().await.unwrap_err();
    assert!(error.to_string().ends_with("it is backing off"), "{error}");
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    cell.withdraw("it is stopped");
    let began = Instant::now();
    link.enter().await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_takes_too_long_fails_the_call_in_time() {
    let cell = cell(Duration::from_secs(2));
    cell.switch();
    let error = cell.link().enter().await.unwrap_err();
    assert!(matches!(error, Unavailable::Reloading { waited, .. } if waited.as_secs() == 2));
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_may_wait_are_turned_away() {
    let cell = cell(Duration::from_secs(2));
    cell.switch();
    let link = cell.link();
    let queue = CallBounds::default().queue;
    let calls = (0..queue).map(|_| {
        let link = link.clone();
        tokio::spawn(async move { link.enter().await.err() })
    });
    let calls: Vec<_> = calls.collect();
    waiting_are(&link, queue).await;
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
