//! The holder with a manager of a test's own, in paused time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use outrigger::GatewayError;
use outrigger::qlight::TokenManager;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{LONGEST, OPAQUE, TokenHolder};

/// Answers refreshes from a list; fails when that is at its end.
#[derive(Clone)]
struct Manager(Arc<Inner>);

struct Inner {
    anticipation: Duration,
    /// What an answer to that takes.
    pause: Mutex<Duration>,
    answers: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<String>>,
    /// Refreshes wait until there is room.
    gate: Semaphore,
}

fn manager(anticipation: u64, answers: &[&str]) -> Manager {
    let answers = answers.iter().map(|&answer| answer.to_owned()).collect();
    Manager(Arc::new(Inner {
        anticipation: Duration::from_secs(anticipation),
        pause: Mutex::default(),
        answers: Mutex::new(answers),
        asked: Mutex::default(),
        gate: Semaphore::new(1_000),
    }))
}

impl Manager {
    fn asked(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }
}

impl TokenManager for Manager {
    async fn refresh_anticipation(&self) -> Result<Duration, GatewayError> {
        let pause = *self.0.pause.lock().unwrap();
        let _late = tokio::time::timeout(pause, std::future::pending::<()>()).await;
        Ok(self.0.anticipation)
    }

    async fn token_refresh(&self, current: &str, psi: &str) -> Result<String, GatewayError> {
        self.0.asked.lock().unwrap().push(format!("{current} {psi}"));
        let _room = self.0.gate.acquire().await.unwrap();
        let answer = self.0.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| GatewayError::Invalid { what: "no more".to_owned() })
    }
}

/// A JWT that ends so many seconds from now, or did before.
fn jwt(seconds: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let claims = format!(r#"{{"exp":{:.3}}}"#, now + seconds);
    format!("bearer e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
}

fn holder(manager: &Manager, token: &str) -> TokenHolder<Manager> {
    TokenHolder::start(Some(manager.clone()), "PS1", token).unwrap()
}

/// How far paused time went, in whole seconds.
fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64().round()
}

#[tokio::test(start_paused = true)]
async fn the_stored_token_is_served_without_a_plugin_and_can_be_set() {
    let holder = TokenHolder::<Manager>::start(None, "PS1", "bearer one").unwrap();
    assert_eq!(holder.current_token().await.as_str(), "bearer one");
    let mut published = holder.subscribe();
    holder.set_current_token("bearer two").unwrap();
    assert_eq!(holder.held_token().as_str(), "bearer two");
    assert_eq!(holder.current_token().await.as_str(), "bearer two");
    published.changed().await.unwrap();
    holder.set_current_token("a\nb").unwrap_err();
    holder.reloaded().await.unwrap();
    assert_eq!(holder.held_token().as_str(), "bearer two");
    assert!(!format!("{holder:?} {:?}", holder.held_token()).contains("two"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_when_less_than_the_anticipation_is_left() {
    let fresh = jwt(500.0);
    let rows = [
        (jwt(100.0), 10, 0),
        (jwt(100.0), 0, 0),
        (jwt(5.0), 10, 1),
        (jwt(-5.0), 10, 1),
        // GoQuorum never asks for these.
        (jwt(-5.0), 0, 1),
        ("bearer opaque".into(), 0, 1),
        (String::new(), 0, 1),
    ];
    for (token, anticipation, asked) in rows {
        let manager = manager(anticipation, &[&fresh]);
        let holder = holder(&manager, &token);
        let mut published = holder.subscribe();
        let shown = holder.current_token().await;
        assert_eq!(manager.asked(), asked, "{token} {anticipation}");
        let expected = if asked == 0 { &token } else { &fresh };
        assert_eq!(shown.as_str(), expected);
        assert_eq!(published.changed().now_or_never().is_some(), asked == 1);
        holder.current_token().await;
        assert_eq!(manager.asked(), asked, "what was given is good");
        if asked == 1 {
            assert_eq!(*manager.0.asked.lock().unwrap(), [format!("{token} PS1")]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_timer_rings_at_the_end_less_the_anticipation_or_soon() {
    for (left, anticipation, rings) in [(100.0, 10, 90.0), (-5.0, 10, 1.0), (5.0, 10, 1.0)] {
        let began = Instant::now();
        let manager = manager(anticipation, &[&jwt(300.0)]);
        let holder = holder(&manager, &jwt(left));
        let mut published = holder.subscribe();
        published.changed().await.unwrap();
        assert_eq!(seconds(began), rings, "{left} {anticipation}");
        assert_eq!(manager.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_set_arms_the_timer_anew() {
    let began = Instant::now();
    let manager = manager(10, &["bearer next"]);
    let holder = holder(&manager, &jwt(1_000.0));
    holder.set_current_token(&jwt(40.0)).unwrap();
    let mut published = holder.subscribe();
    published.changed().await.unwrap();
    assert_eq!(seconds(began), 30.0);
    assert_eq!(holder.held_token().as_str(), "bearer next");
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_keeps_the_old_token_and_is_tried_again() {
    let manager = manager(10, &["", "a\nb", &"x".repeat(LONGEST + 1)]);
    let holder = holder(&manager, "bearer old");
    for asked in 1..=4 {
        assert_eq!(holder.current_token().await.as_str(), "bearer old");
        assert_eq!(manager.asked(), asked);
        holder.current_token().await;
        assert_eq!(manager.asked(), asked, "not twice within a second");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    // By itself too, after waits that grow to a minute.
    let mut published = holder.subscribe();
    manager.0.answers.lock().unwrap().push_back("bearer new".into());
    let began = Instant::now();
    published.changed().await.unwrap();
    assert!((1.0..=60.0).contains(&seconds(began)), "{}", seconds(began));
    assert_eq!(holder.current_token().await.as_str(), "bearer new");
}

#[tokio::test(start_paused = true)]
async fn an_opaque_token_of_the_manager_s_lasts_a_minute() {
    let began = Instant::now();
    let manager = manager(600, &["bearer one", "bearer one", "bearer two"]);
    let holder = holder(&manager, "");
    let mut published = holder.subscribe();
    holder.current_token().await;
    published.changed().await.unwrap();
    published.changed().await.unwrap();
    assert_eq!(seconds(began), OPAQUE.as_secs_f64() * 2.0, "one that is the same is not told");
    assert_eq!(manager.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_share_one_refresh_and_its_failure_too() {
    for answers in [&["bearer new"][..], &[]] {
        let manager = manager(10, answers);
        let holder = holder(&manager, "bearer old");
        manager.0.gate.forget_permits(1_000);
        let callers = join_all((0..100).map(|_| holder.current_token()));
        let opens = async {
            tokio::task::yield_now().await;
            manager.0.gate.add_permits(1_000);
        };
        let (tokens, ()) = tokio::join!(callers, opens);
        let expected = answers.first().unwrap_or(&"bearer old");
        assert!(tokens.iter().all(|token| token.as_str() == *expected));
        assert_eq!(manager.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_refresh_of_a_token_that_was_replaced_is_dropped() {
    let manager = manager(10, &["bearer of the old"]);
    let holder = holder(&manager, "bearer old");
    manager.0.gate.forget_permits(1_000);
    let set = async {
        tokio::task::yield_now().await;
        holder.set_current_token(&jwt(700.0)).unwrap();
        manager.0.gate.add_permits(1_000);
    };
    let (shown, ()) = tokio::join!(holder.current_token(), set);
    assert_eq!(manager.asked(), 1);
    assert!(shown.as_str().starts_with("bearer e30."), "{}", shown.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_does_not_answer_costs_a_caller_half_a_minute_at_most() {
    // It hangs at the second question, at both, or halfway.
    for pause in [0, 3_600, 20] {
        let manager = manager(10, &["bearer new"]);
        manager.0.gate.forget_permits(1_000);
        *manager.0.pause.lock().unwrap() = Duration::from_secs(pause);
        let holder = holder(&manager, "bearer old");
        let began = Instant::now();
        let callers = join_all((0..10).map(|_| holder.current_token())).await;
        assert!(callers.iter().all(|token| token.as_str() == "bearer old"));
        assert_eq!(seconds(began), 30.0, "{pause}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_timer_ends_with_the_last_holder() {
    let manager = manager(10, &[]);
    let holder = holder(&manager, &jwt(100.0));
    let other = holder.clone();
    drop(holder);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&manager.0), 2);
    drop(other);
    while Arc::strong_count(&manager.0) > 1 {
        tokio::task::yield_now().await;
    }
}
