//! Calls: those that die with their plugin, and those beside others' crashes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_testkit::kit::Kit;
use rustix::process::Signal;
use serde_json::json;
use tokio::task::JoinSet;

use crate::row::{Row, Times};
use crate::site::{HELLO, PATIENCE, greeter, kill_and_wait, serves_after, signal, status, stop};

const UNARY: usize = 1_000;
const STREAMS: usize = 100;

/// A kill with calls and streams under way: each ends once, and soon.
pub(crate) async fn inflight(short: bool) -> Vec<Row> {
    let rounds = if short { 3 } else { 10 };
    let mut kit = Kit::with("slow-call");
    kit.set("/timeouts/call", json!("60s"));
    kit.set("/restart", json!({ "backoff": "0s", "circuit": false }));
    let host = kit.start().await;
    let (mut longest, mut hung, mut crossed, mut twice) = (Vec::new(), 0, 0, 0);
    let mut sent_again = 0;
    for _ in 0..rounds {
        let handle = greeter(&host, HELLO);
        let mut calls = JoinSet::new();
        for id in 0..UNARY {
            let handle = handle.clone();
            calls.spawn(async move {
                let answer = handle.greeting(&format!("sleep:{}", 30_000 + id)).await;
                (id, answer.is_ok(), Instant::now())
            });
        }
        for id in UNARY..UNARY + STREAMS {
            let link = host.follow::<Handle>().link().expect("a link");
            calls.spawn(async move {
                let entered = link.enter().await.expect("it serves");
                let rpc = match entered.endpoint() {
                    outrigger::Endpoint::Rpc(rpc) => rpc.clone(),
                    outrigger::Endpoint::Local(_) => unreachable!("it is a process"),
                };
                let asked = HealthCheckRequest { service: String::new() };
                let mut answers = match HealthClient::new(rpc).watch(asked).await {
                    Ok(answers) => answers.into_inner(),
                    Err(_) => return (id, false, Instant::now()),
                };
                while let Ok(Some(_)) = answers.message().await {}
                (id, false, Instant::now())
            });
        }
        // All are sent, or as good as that, once a call behind them is answered.
        for _ in 0..20 {
            let _answered = handle.greeting("x").await;
        }
        let now = status(&host, HELLO);
        let killed = Instant::now();
        signal(now.pid.expect("a process"), Signal::KILL);
        let mut ended = BTreeSet::new();
        while let Ok(Some(call)) = tokio::time::timeout(PATIENCE, calls.join_next()).await {
            let (id, answered, at) = call.expect("callers do not panic");
            twice += usize::from(!ended.insert(id));
            crossed += usize::from(answered);
            longest.push(at.saturating_duration_since(killed));
        }
        hung += UNARY + STREAMS - ended.len();
        serves_after(&host, HELLO, now.generation.expect("it served")).await;
        // None was sent again to the process that came after.
        let slept = greeter(&host, HELLO).greeting("slept").await.expect("it serves");
        sent_again += slept.parse::<usize>().expect("a number");
    }
    stop(host).await;
    let longest = Times::of(longest);
    vec![
        Row::printed("calls and streams at each kill", format!("{UNARY} and {STREAMS}")),
        Row::within("kill to the last end", longest.quantile(1.0), Duration::from_millis(100)),
        Row::printed_time("kill to an end, p50", longest.median()),
        Row::none("hung", hung),
        Row::none("answered by another process", crossed),
        Row::none("ended twice", twice),
        Row::none("sent again", sent_again),
    ]
}

/// How many calls make one median.
const SAMPLE: usize = 3_000;
const PAIRS: usize = 7;

/// A median of calls one after the other, and how many failed.
pub(crate) async fn median(handle: &Handle, failed: &mut usize) -> Duration {
    let mut times = Vec::with_capacity(SAMPLE);
    for _ in 0..SAMPLE {
        let began = Instant::now();
        match handle.greeting("x").await {
            Ok(_) => times.push(began.elapsed()),
            Err(_) => *failed += 1,
        }
    }
    Times::of(times).median()
}

/// Ten plugins in a crash loop beside a healthy one.
pub(crate) async fn neighbours(short: bool) -> Vec<Row> {
    let pairs = if short { PAIRS } else { 3 * PAIRS };
    let kit = Kit::with("ok");
    let host = kit.start().await;
    let handle = greeter(&host, HELLO);
    let mut failed = 0;
    median(&handle, &mut failed).await;
    let (mut ratios, mut crashes) = (Vec::new(), 0);
    for _ in 0..pairs {
        let quiet = median(&handle, &mut failed).await;
        let mut others = Kit::new();
        for number in 0..10 {
            let instance = format!("loop{number}");
            others.add_fixture(&instance, "exit-before-handshake 3");
            others.set(&format!("/providers/{instance}/required"), json!(false));
        }
        let looping = others.start().await;
        let beside = median(&handle, &mut failed).await;
        let failures = looping.status().iter().map(|status| status.failures).sum::<u64>();
        crashes += failures;
        stop(looping).await;
        ratios.push(beside.as_secs_f64() / quiet.as_secs_f64());
    }
    let mut spinning = Vec::new();
    for _ in 0..PAIRS {
        let quiet = median(&handle, &mut failed).await;
        let spinner = Kit::with("spin").start().await;
        let beside = median(&handle, &mut failed).await;
        stop(spinner).await;
        spinning.push(beside.as_secs_f64() / quiet.as_secs_f64());
    }
    spinning.sort_by(f64::total_cmp);
    kill_and_wait(&host, HELLO).await;
    stop(host).await;
    ratios.sort_by(f64::total_cmp);
    vec![
        Row::printed("crashes beside it", crashes.to_string()),
        Row::at_most("p50 beside ten crash loops to quiet", ratios[ratios.len() / 2], 1.25, ""),
        Row::none("failed calls of the healthy one", failed),
        Row::printed(
            "p50 beside one that spins on all processors to quiet",
            format!("{:.2}", spinning[spinning.len() / 2]),
        ),
        Row::printed("worst pair", format!("{:.2}", ratios[ratios.len() - 1])),
    ]
}
