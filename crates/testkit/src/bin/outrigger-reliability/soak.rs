//! Hours in short: crashes, reloads and calls all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger::helloworld::Greeter as _;
use outrigger::{GatewayError, Unavailable};
use outrigger_testkit::census::Census;

use crate::row::Row;
use crate::site::{HELLO, greeter, kill_and_wait, resident, restless, stop};

const CALLS_A_SECOND: u32 = 1_000;

/// Counts what became of calls.
#[derive(Default)]
struct Calls {
    answered: AtomicU64,
    /// By a death, or by there being nobody for a moment.
    expected: AtomicU64,
    unexpected: AtomicU64,
}

/// Nothing fails but what a death explains, and nothing grows.
pub(crate) async fn soak(short: bool) -> Vec<Row> {
    let minute = Duration::from_secs(60);
    // The threads of the runtime come and go, and each that is new costs its stack.
    let warm_up = if short { minute / 2 } else { 10 * minute };
    let whole = if short { 2 * minute } else { warm_up + 30 * minute };
    let kit = restless("ok");
    let host = kit.start().await;
    let (calls, ended): (Arc<Calls>, Arc<AtomicBool>) = Default::default();
    let (handle, counted, done) = (greeter(&host, HELLO), calls.clone(), ended.clone());
    let caller = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / CALLS_A_SECOND);
        while !done.load(Ordering::Relaxed) {
            ticks.tick().await;
            let counter = match handle.greeting("x").await {
                Ok(_) => &counted.answered,
                Err(GatewayError::Unavailable(
                    Unavailable::Down { .. } | Unavailable::Ended { .. },
                )) => &counted.expected,
                Err(_) => &counted.unexpected,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let began = Instant::now();
    let (mut warm, mut crashes, mut reloads, mut reloaded) = (None, 0, 0, 0);
    let mut samples = Vec::new();
    let mut seconds = 0_u64;
    while began.elapsed() < whole {
        tokio::time::sleep(Duration::from_secs(1)).await;
        seconds += 1;
        if seconds.is_multiple_of(10) {
            kill_and_wait(&host, HELLO).await;
            crashes += 1;
        }
        if seconds % 60 == 5 {
            reloads += 1;
            reloaded += usize::from(host.reload(HELLO).await.is_ok());
        }
        if seconds.is_multiple_of(60) {
            eprintln!("   after {} min: {:.2} MiB", seconds / 60, resident());
        }
        if began.elapsed() > warm_up {
            warm.get_or_insert_with(descriptors);
            samples.push((began.elapsed().as_secs_f64() / 3600.0, resident()));
        }
    }
    let before = warm.unwrap_or_else(descriptors);
    let slope = slope(&samples);
    ended.store(true, Ordering::Relaxed);
    caller.await.expect("the caller does not panic");
    let after = descriptors();
    stop(host).await;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let mut rows = vec![
        Row::printed("crashes", crashes.to_string()),
        Row::all("reloads", reloaded, reloads),
        Row::printed("calls answered", count(&calls.answered).to_string()),
        Row::printed("calls that a death explains", count(&calls.expected).to_string()),
        Row::none("unexpected failures", usize::try_from(count(&calls.unexpected)).unwrap_or(1)),
        Row::none("descriptors gained", after.saturating_sub(before)),
    ];
    rows.push(if short {
        Row::printed("memory", format!("{slope:.2} MiB/h"))
    } else {
        Row::at_most("memory", slope, 1.0, " MiB/h")
    });
    rows
}

/// How much the second rises with the first, by least squares.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let together: f64 = samples.iter().map(|sample| (sample.0 - x) * (sample.1 - y)).sum();
    let alone: f64 = samples.iter().map(|sample| (sample.0 - x).powi(2)).sum();
    if alone > 0.0 { together / alone } else { 0.0 }
}

fn descriptors() -> usize {
    Census::take().descriptors.values().sum()
}
