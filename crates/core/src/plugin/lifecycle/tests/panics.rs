//! What follows when whoever carries effects out panics.

use super::*;

fn panicked() -> Event<Numbers> {
    Event::Panicked(TRANSIENT)
}

#[test]
fn after_a_panic_what_serves_is_killed_and_started_again() {
    let mut bench = Bench::ready(false);
    bench.check(panicked(), &["kill 1", "withdraw: died", "launch 2 of 10"]);
    bench.check(launched(2), &["initialise 2"]);
    bench.check(initialised(2), &["publish 2"]);
}

#[test]
fn after_a_panic_an_exclusive_instance_waits_until_nothing_of_it_is_left() {
    let mut bench = Bench::ready(true);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    let expected = ["cancel 2", "kill 1", "withdraw: died", "reload failed", "answer 2: failed"];
    bench.check(panicked(), &expected);
    bench.check(retired(1), &[]);
    bench.check(resolved(2, 20), &["launch 3 of 10"]);
}

#[test]
fn a_panic_during_a_stop_does_not_start_anything_again() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Stop(2), &["withdraw: stopping", "drain 1"]);
    assert_eq!(bench.lifecycle.stopping(), [2]);
    bench.check(panicked(), &["withdraw: stopping"]);
    bench.check(retired(1), &["answer 2: 1", "stopped"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Stopped);
    bench.check(panicked(), &["withdraw: stopping"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Stopped);
}

#[test]
fn panic_after_panic_backs_off() {
    let mut bench = Bench::ready(false);
    for _ in 0..5 {
        bench.lifecycle.on(panicked(), bench.now);
    }
    assert_eq!(bench.lifecycle.phase(), Phase::BackingOff { open: true });
}

#[test]
fn a_step_that_was_lost_with_the_panic_is_not_waited_for() {
    let mut bench = Bench::ready(true);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.lifecycle.on(panicked(), bench.now);
    bench.check(retired(1), &[]);
    bench.check(Event::StepLost(Generation(2)), &["launch 3 of 10"]);
}
