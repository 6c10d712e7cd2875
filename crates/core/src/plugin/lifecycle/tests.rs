//! The lifecycle against tables of events and against random ones.

use super::*;

mod model;
mod panics;
mod spares;

struct Numbers;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Broken {
    permanent: bool,
    stale: bool,
}

impl Fault for Broken {
    fn is_permanent(&self) -> bool {
        self.permanent
    }

    fn is_stale(&self) -> bool {
        self.stale
    }
}

impl Parts for Numbers {
    type Distribution = u32;
    /// A connection is the number of its generation.
    type Connection = u64;
    type Fault = Broken;
}

const TRANSIENT: Broken = Broken { permanent: false, stale: false };
const PERMANENT: Broken = Broken { permanent: true, stale: false };

/// Effects in a form that reads well in a table.
fn show(effects: &[Effect<Numbers>]) -> Vec<String> {
    effects.iter().map(show_one).collect()
}

fn show_one(effect: &Effect<Numbers>) -> String {
    match effect {
        Effect::Resolve(g) => format!("resolve {g}"),
        Effect::Launch(g, d) => format!("launch {g} of {d}"),
        Effect::Initialise(g) => format!("initialise {g}"),
        Effect::Cancel(g) => format!("cancel {g}"),
        Effect::Publish(g) => format!("publish {g}"),
        Effect::Withdraw(Withdrawal::Died(_)) => "withdraw: died".into(),
        Effect::Keep(g) => format!("keep {g}"),
        Effect::Withdraw(Withdrawal::Succeeded(_)) => "withdraw: succeeded".into(),
        Effect::Withdraw(Withdrawal::Switching) => "withdraw: switching".into(),
        Effect::Withdraw(Withdrawal::Stopping) => "withdraw: stopping".into(),
        Effect::Retire(g, _, Retirement::Drain) => format!("drain {g}"),
        Effect::Retire(g, _, Retirement::Kill) => format!("kill {g}"),
        Effect::Announce(Notice::RolledBack(g)) => format!("roll back {g}"),
        Effect::Announce(Notice::Reloading { from: None }) => "reloading".into(),
        Effect::Announce(Notice::Reloading { from: Some(g) }) => format!("reloading {g}"),
        Effect::Announce(Notice::Reloaded { from, to, took }) => {
            let from = from.map_or_else(|| "-".to_owned(), |from| from.to_string());
            format!("reloaded {from} to {to} in {} s", took.as_secs())
        }
        Effect::Announce(Notice::ReloadFailed(Denied::Failed(_))) => "reload failed".into(),
        Effect::Announce(Notice::ReloadFailed(Denied::Stopped)) => "reload stopped".into(),
        Effect::Announce(Notice::Quarantined) => "quarantined".into(),
        Effect::Announce(Notice::Stopped) => "stopped".into(),
        Effect::Wake(timer, _) => format!("wake {timer}"),
        Effect::Report(_, Told::Caller) => "report to a caller".into(),
        Effect::Report(_, Told::Reloader) => "report to a reloader".into(),
        Effect::Report(_, Told::Nobody) => "report".into(),
        Effect::Answer(ticket, Ok(g)) => format!("answer {ticket}: {g}"),
        Effect::Answer(ticket, Err(Denied::Failed(_))) => format!("answer {ticket}: failed"),
        Effect::Answer(ticket, Err(Denied::Stopped)) => format!("answer {ticket}: stopped"),
    }
}

struct Bench {
    lifecycle: Lifecycle<Numbers>,
    now: Duration,
}

impl Bench {
    fn new(exclusive: bool) -> Self {
        Self { lifecycle: Lifecycle::new(exclusive, 1), now: Duration::ZERO }
    }

    /// An overlapping instance whose generation 1, of distribution 10, serves.
    fn ready(exclusive: bool) -> Self {
        let mut bench = Self::new(exclusive);
        bench.check(Event::Start(1), &["resolve 1"]);
        bench.check(Event::Resolved(Generation(1), Ok(10)), &["launch 1 of 10"]);
        bench.check(Event::Launched(Generation(1), Ok(1)), &["initialise 1"]);
        bench.check(initialised(1), &["publish 1", "answer 1: 1"]);
        assert_eq!(bench.lifecycle.phase(), Phase::Ready);
        bench
    }

    fn check(&mut self, event: Event<Numbers>, expected: &[&str]) {
        let effects = self.lifecycle.on(event, self.now);
        assert_eq!(show(&effects), expected, "in phase {:?}", self.lifecycle.phase());
    }

    fn serving(&self) -> Option<u64> {
        self.lifecycle.serving().map(|(generation, _)| generation.0)
    }
}

fn resolved(generation: u64, distribution: u32) -> Event<Numbers> {
    Event::Resolved(Generation(generation), Ok(distribution))
}

fn launched(generation: u64) -> Event<Numbers> {
    Event::Launched(Generation(generation), Ok(generation))
}

fn initialised(generation: u64) -> Event<Numbers> {
    Event::Initialised(Generation(generation), Ok(()))
}

fn died(generation: u64) -> Event<Numbers> {
    Event::Died(Generation(generation), TRANSIENT)
}

fn retired(generation: u64) -> Event<Numbers> {
    Event::Retired(Generation(generation))
}

#[test]
fn an_overlapping_reload_drains_the_old_generation_after_the_new_one_serves() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["launch 2 of 20"]);
    bench.check(launched(2), &["initialise 2"]);
    assert_eq!(bench.serving(), Some(1));
    bench.now = Duration::from_secs(3);
    let expected = ["publish 2", "drain 1", "reloaded 1 to 2 in 3 s", "answer 2: 2"];
    bench.check(initialised(2), &expected);
    assert_eq!(bench.serving(), Some(2));
    bench.check(retired(1), &[]);
}

fn on_probation(exclusive: bool) -> Bench {
    let mut bench = Bench::ready(exclusive);
    bench.lifecycle.set_policy(RestartPolicy::default(), Duration::from_secs(10));
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.lifecycle.on(resolved(2, 20), bench.now);
    if exclusive {
        bench.lifecycle.on(retired(1), bench.now);
    }
    let generation = if exclusive { 3 } else { 2 };
    bench.lifecycle.on(launched(generation), bench.now);
    bench.lifecycle.on(initialised(generation), bench.now);
    assert_eq!(bench.serving(), Some(generation));
    if !exclusive {
        bench.lifecycle.on(retired(1), bench.now);
    }
    bench
}

#[test]
fn a_death_on_probation_brings_back_what_served_before() {
    let mut bench = on_probation(false);
    bench.now = Duration::from_secs(9);
    bench.check(died(2), &["withdraw: died", "kill 2", "roll back 2", "launch 3 of 10"]);
    bench.lifecycle.on(launched(3), bench.now);
    bench.lifecycle.on(initialised(3), bench.now);
    // What came back is on no probation: there is nothing to go back to.
    bench.check(died(3), &["withdraw: died", "kill 3", "launch 4 of 10"]);
    let mut bench = on_probation(true);
    bench.check(died(3), &["withdraw: died", "kill 3", "roll back 3"]);
    bench.check(retired(3), &["launch 4 of 10"]);
}

#[test]
fn a_death_after_probation_is_a_death_like_any_other() {
    let mut bench = on_probation(false);
    bench.now = Duration::from_secs(10);
    bench.check(died(2), &["withdraw: died", "kill 2", "launch 3 of 20"]);
}

#[test]
fn a_reload_that_fails_at_any_step_leaves_the_old_generation_serving() {
    let failed = |event: Event<Numbers>, before: &[Event<Numbers>], expected: &[&str]| {
        let mut bench = Bench::ready(false);
        bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
        for event in before {
            let event = match event {
                Event::Resolved(g, Ok(d)) => Event::Resolved(*g, Ok(*d)),
                Event::Launched(g, Ok(c)) => Event::Launched(*g, Ok(*c)),
                _ => unreachable!("only successes come before"),
            };
            bench.lifecycle.on(event, Duration::ZERO);
        }
        bench.check(event, expected);
        assert_eq!(bench.serving(), Some(1));
        assert_eq!(bench.lifecycle.phase(), Phase::Ready);
    };
    let two = Generation(2);
    failed(
        Event::Resolved(two, Err(PERMANENT)),
        &[],
        &["report to a reloader", "answer 2: failed"],
    );
    failed(
        Event::Launched(two, Err(TRANSIENT)),
        &[resolved(2, 20)],
        &["report to a reloader", "answer 2: failed"],
    );
    let before = [resolved(2, 20), launched(2)];
    let expected = ["report to a reloader", "cancel 2", "kill 2", "answer 2: failed"];
    failed(Event::Initialised(two, Err(TRANSIENT)), &before, &expected);
    failed(died(2), &before, &expected);
}

#[test]
fn an_exclusive_reload_verifies_first_and_launches_when_the_old_one_is_gone() {
    let mut bench = Bench::ready(true);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["withdraw: switching", "drain 1"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Switching);
    bench.check(retired(1), &["launch 3 of 20"]);
    bench.check(launched(3), &["initialise 3"]);
    bench.check(initialised(3), &["publish 3", "reloaded 1 to 3 in 0 s", "answer 2: 3"]);
}

#[test]
fn an_exclusive_reload_that_fails_goes_back_to_what_served() {
    let mut bench = Bench::ready(true);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["withdraw: switching", "drain 1"]);
    bench.check(retired(1), &["launch 3 of 20"]);
    let failed = Event::Launched(Generation(3), Err(PERMANENT));
    let expected = ["report to a reloader", "launch 4 of 10", "answer 2: failed"];
    bench.check(failed, &expected);
    bench.check(launched(4), &["initialise 4"]);
    bench.check(initialised(4), &["publish 4"]);
}

#[test]
fn an_exclusive_candidate_that_fails_to_initialise_is_gone_before_the_old_one_returns() {
    let mut bench = Bench::ready(true);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["withdraw: switching", "drain 1"]);
    bench.check(retired(1), &["launch 3 of 20"]);
    bench.check(launched(3), &["initialise 3"]);
    let failed = Event::Initialised(Generation(3), Err(TRANSIENT));
    let expected = ["report to a reloader", "cancel 3", "kill 3", "answer 2: failed"];
    bench.check(failed, &expected);
    bench.check(retired(3), &["launch 4 of 10"]);
}

#[test]
fn a_death_is_followed_by_a_restart_at_once_without_resolving_again() {
    let mut bench = Bench::ready(false);
    bench.check(died(1), &["withdraw: died", "kill 1", "launch 2 of 10"]);
    bench.check(launched(2), &["initialise 2"]);
    bench.check(initialised(2), &["publish 2"]);
}

#[test]
fn a_restart_that_fails_is_reported_though_nobody_waits_for_it() {
    let mut bench = Bench::ready(false);
    bench.check(died(1), &["withdraw: died", "kill 1", "launch 2 of 10"]);
    bench.check(Event::Launched(Generation(2), Err(TRANSIENT)), &["report", "wake 1"]);
}

#[test]
fn an_exclusive_restart_waits_until_the_dead_generation_s_tree_is_gone() {
    let mut bench = Bench::ready(true);
    bench.check(died(1), &["withdraw: died", "kill 1"]);
    bench.check(retired(1), &["launch 2 of 10"]);
}

#[test]
fn a_death_during_a_reload_lets_the_candidate_go_on() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["launch 2 of 20"]);
    bench.check(died(1), &["withdraw: died", "kill 1"]);
    bench.check(launched(2), &["initialise 2"]);
    bench.check(initialised(2), &["publish 2", "reloaded 1 to 2 in 0 s", "answer 2: 2"]);
}

#[test]
fn reloads_asked_for_meanwhile_share_one_that_begins_afterwards() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(Event::Reload(3), &[]);
    bench.check(Event::Reload(4), &[]);
    bench.check(resolved(2, 20), &["launch 2 of 20"]);
    bench.check(launched(2), &["initialise 2"]);
    bench.now = Duration::from_secs(2);
    let expected = [
        "publish 2",
        "drain 1",
        "reloaded 1 to 2 in 2 s",
        "answer 2: 2",
        "resolve 3",
        "reloading 2",
    ];
    bench.check(initialised(2), &expected);
    bench.check(resolved(3, 30), &["launch 3 of 30"]);
    bench.check(launched(3), &["initialise 3"]);
    let expected = ["publish 3", "drain 2", "reloaded 2 to 3 in 0 s", "answer 3: 3", "answer 4: 3"];
    bench.check(initialised(3), &expected);
}

#[test]
fn a_permanent_failure_at_the_start_is_not_retried_until_somebody_asks() {
    let mut bench = Bench::new(false);
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(
        Event::Resolved(Generation(1), Err(PERMANENT)),
        &["report to a caller", "answer 1: failed", "quarantined"],
    );
    assert_eq!(bench.lifecycle.phase(), Phase::Failed);
    bench.check(Event::Reload(2), &["resolve 2", "reloading"]);
}

#[test]
fn a_transient_failure_at_the_start_is_retried_after_a_delay() {
    let mut bench = Bench::new(false);
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(
        Event::Resolved(Generation(1), Err(TRANSIENT)),
        &["report to a caller", "wake 1", "answer 1: failed"],
    );
    bench.check(Event::Woke(1), &["resolve 2"]);
}

#[test]
fn a_timer_that_is_not_waited_for_is_ignored() {
    let mut bench = Bench::new(false);
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(
        Event::Resolved(Generation(1), Err(TRANSIENT)),
        &["report to a caller", "wake 1", "answer 1: failed"],
    );
    bench.check(Event::Reload(2), &["resolve 2", "reloading"]);
    bench.check(Event::Woke(1), &[]);
}

#[test]
fn an_instance_that_somebody_else_starts_stays_down_until_somebody_asks() {
    let mut bench = Bench::new(true);
    bench.lifecycle = Lifecycle::new(true, 1).stay_down();
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(resolved(1, 10), &["launch 1 of 10"]);
    bench.check(launched(1), &["initialise 1"]);
    bench.check(initialised(1), &["publish 1", "answer 1: 1"]);
    bench.check(died(1), &["withdraw: died", "kill 1", "quarantined"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Failed);
    bench.check(retired(1), &[]);
    bench.check(Event::Reload(2), &["resolve 2", "reloading"]);
    bench.check(resolved(2, 10), &["launch 2 of 10"]);
    // What served is gone too, so there is one more try, and no timer after it.
    let failed = || Err(TRANSIENT);
    let again = ["report to a reloader", "launch 3 of 10", "answer 2: failed"];
    bench.check(Event::Launched(Generation(2), failed()), &again);
    bench.check(Event::Launched(Generation(3), failed()), &["report", "quarantined"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Failed);
}

#[test]
fn late_completion_of_an_old_generation_is_dropped() {
    let mut bench = Bench::ready(false);
    bench.check(died(1), &["withdraw: died", "kill 1", "launch 2 of 10"]);
    bench.check(resolved(1, 10), &[]);
    bench.check(initialised(1), &[]);
    bench.check(died(1), &[]);
    assert_eq!(bench.lifecycle.phase(), Phase::Launching);
}

#[test]
fn a_connection_that_arrives_after_a_stop_is_killed_and_the_stop_waits_for_it() {
    let mut bench = Bench::new(false);
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(resolved(1, 10), &["launch 1 of 10"]);
    bench.check(Event::Stop(2), &["withdraw: stopping", "cancel 1", "answer 1: stopped"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Stopping);
    bench.check(launched(1), &["kill 1"]);
    bench.check(retired(1), &["answer 2: 1", "stopped"]);
    assert_eq!(bench.lifecycle.phase(), Phase::Stopped);
}

#[test]
fn a_stop_during_a_reload_takes_both_generations_down() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Reload(2), &["resolve 2", "reloading 1"]);
    bench.check(resolved(2, 20), &["launch 2 of 20"]);
    bench.check(launched(2), &["initialise 2"]);
    let expected = [
        "cancel 2",
        "kill 2",
        "withdraw: stopping",
        "drain 1",
        "reload stopped",
        "answer 2: stopped",
    ];
    bench.check(Event::Stop(3), &expected);
    bench.check(Event::Reload(4), &["answer 4: stopped"]);
    bench.check(retired(2), &[]);
    bench.check(retired(1), &["answer 3: 2", "stopped"]);
}

#[test]
fn a_stopped_instance_can_be_started_again() {
    let mut bench = Bench::ready(false);
    bench.check(Event::Stop(2), &["withdraw: stopping", "drain 1"]);
    bench.check(retired(1), &["answer 2: 1", "stopped"]);
    bench.check(Event::Start(3), &["resolve 2"]);
}

#[test]
fn what_was_removed_is_looked_for_anew() {
    let mut bench = Bench::ready(false);
    bench.check(died(1), &["withdraw: died", "kill 1", "launch 2 of 10"]);
    let stale = Broken { permanent: false, stale: true };
    bench.check(Event::Launched(Generation(2), Err(stale)), &["report", "wake 1"]);
    bench.check(Event::Woke(1), &["resolve 3"]);
}

#[test]
fn a_circuit_that_opens_is_a_quarantine_and_each_probe_that_fails_is_one_again() {
    let mut bench = Bench::ready(false);
    let failed = |generation| Event::Launched(Generation(generation), Err(TRANSIENT));
    bench.check(died(1), &["withdraw: died", "kill 1", "launch 2 of 10"]);
    for n in 2..5 {
        bench.check(failed(n), &["report", &format!("wake {}", n - 1)]);
        bench.check(Event::Woke(n - 1), &[&format!("launch {} of 10", n + 1)]);
    }
    bench.check(failed(5), &["report", "wake 4", "quarantined"]);
    bench.check(Event::Woke(4), &["launch 6 of 10"]);
    bench.check(failed(6), &["report", "wake 5", "quarantined"]);
}

#[test]
fn a_failure_after_which_a_reload_that_waited_begins_is_no_quarantine() {
    let mut bench = Bench::new(false);
    bench.check(Event::Start(1), &["resolve 1"]);
    bench.check(Event::Reload(2), &[]);
    bench.check(
        Event::Resolved(Generation(1), Err(PERMANENT)),
        &["report to a caller", "answer 1: failed", "resolve 2", "reloading"],
    );
}
