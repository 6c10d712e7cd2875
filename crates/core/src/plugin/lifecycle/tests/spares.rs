//! A second copy that takes over.

use super::*;

/// Generation 1 serves, and 2 is its spare.
fn with_spare() -> Bench {
    let mut bench = Bench::ready(false);
    bench.lifecycle.set_spare(true);
    bench.check(Event::Published(Generation(1)), &["launch 2 of 10"]);
    bench.check(launched(2), &["initialise 2"]);
    bench.check(initialised(2), &["keep 2"]);
    bench
}

fn published(generation: u64) -> Event<Numbers> {
    Event::Published(Generation(generation))
}

#[test]
fn a_death_makes_the_spare_serve_and_another_spare_is_made() {
    let mut bench = with_spare();
    bench.check(died(1), &["withdraw: succeeded", "publish 2", "kill 1"]);
    assert_eq!(bench.serving(), Some(2));
    bench.check(published(2), &["launch 3 of 10"]);
}

#[test]
fn a_plugin_that_dies_of_each_call_is_not_launched_without_end() {
    let mut bench = with_spare();
    bench.check(died(1), &["withdraw: succeeded", "publish 2", "kill 1"]);
    bench.check(published(2), &["launch 3 of 10"]);
    bench.check(launched(3), &["initialise 3"]);
    bench.check(initialised(3), &["keep 3"]);
    bench.check(died(2), &["withdraw: succeeded", "publish 3", "kill 2", "wake 1"]);
    bench.check(published(3), &[]);
    bench.check(Event::Woke(1), &["launch 4 of 10"]);
}

#[test]
fn a_spare_that_dies_is_made_again_after_a_while_and_what_serves_goes_on() {
    let mut bench = with_spare();
    bench.check(died(2), &["kill 2", "report", "wake 1"]);
    assert_eq!(bench.serving(), Some(1));
    bench.check(Event::Woke(1), &["launch 3 of 10"]);
    bench.check(Event::Launched(Generation(3), Err(TRANSIENT)), &["report", "wake 2"]);
}

#[test]
fn a_reload_replaces_the_spare_too() {
    let mut bench = with_spare();
    bench.check(Event::Reload(2), &["resolve 3", "reloading 1"]);
    bench.check(resolved(3, 20), &["launch 3 of 20"]);
    bench.check(launched(3), &["initialise 3"]);
    let expected = ["drain 2", "publish 3", "drain 1", "reloaded 1 to 3 in 0 s", "answer 2: 3"];
    bench.check(initialised(3), &expected);
    bench.check(published(3), &["launch 4 of 20"]);
}

#[test]
fn a_spare_takes_over_during_a_reload_and_the_reload_goes_on() {
    let mut bench = with_spare();
    bench.check(Event::Reload(2), &["resolve 3", "reloading 1"]);
    bench.check(died(1), &["withdraw: succeeded", "publish 2", "kill 1"]);
    bench.check(resolved(3, 20), &["launch 3 of 20"]);
    bench.check(launched(3), &["initialise 3"]);
    let expected = ["publish 3", "drain 2", "reloaded 1 to 3 in 0 s", "answer 2: 3"];
    bench.check(initialised(3), &expected);
}

#[test]
fn a_death_on_probation_goes_back_and_not_to_the_spare() {
    let mut bench = with_spare();
    bench.lifecycle.set_policy(RestartPolicy::default(), Duration::from_secs(10));
    bench.check(Event::Reload(2), &["resolve 3", "reloading 1"]);
    bench.lifecycle.on(resolved(3, 20), bench.now);
    bench.lifecycle.on(launched(3), bench.now);
    bench.lifecycle.on(initialised(3), bench.now);
    bench.check(published(3), &["launch 4 of 20"]);
    bench.check(launched(4), &["initialise 4"]);
    bench.check(initialised(4), &["keep 4"]);
    bench.check(died(3), &["kill 4", "withdraw: died", "kill 3", "roll back 3", "launch 5 of 10"]);
}

#[test]
fn a_stop_takes_the_spare_down_too() {
    let mut bench = with_spare();
    bench.check(Event::Stop(2), &["drain 2", "withdraw: stopping", "drain 1"]);
    bench.check(retired(1), &[]);
    bench.check(retired(2), &["answer 2: 2", "stopped"]);
}

#[test]
fn a_stop_does_not_wait_for_a_spare_whose_files_were_gone() {
    let mut bench = Bench::ready(false);
    bench.lifecycle.set_spare(true);
    bench.check(published(1), &["launch 2 of 10"]);
    let stale = Broken { permanent: false, stale: true };
    bench.check(Event::Launched(Generation(2), Err(stale)), &["report"]);
    bench.check(Event::Stop(2), &["withdraw: stopping", "drain 1"]);
    bench.check(retired(1), &["answer 2: 2", "stopped"]);
}

#[test]
fn an_exclusive_instance_has_no_spare() {
    let mut bench = Bench::ready(true);
    bench.lifecycle.set_spare(true);
    bench.check(published(1), &[]);
}
