//! Output without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger::Output;
use outrigger_testkit::kit::Kit;

use crate::calls::median;
use crate::row::Row;
use crate::site::{HELLO, greeter, processor_time, resident, stop};

const GIB: u64 = 1 << 30;

/// A flood of standard error costs no memory and no neighbour.
pub(crate) async fn flood(short: bool) -> Vec<Row> {
    let bytes = if short { GIB } else { 10 * GIB };
    let limit = Duration::from_secs(if short { 60 } else { 600 });
    let mut kit = Kit::with("ok");
    let quiet_host = kit.start().await;
    let handle = greeter(&quiet_host, HELLO);
    let mut failed = 0;
    median(&handle, &mut failed).await;
    let quiet = median(&handle, &mut failed).await;
    stop(quiet_host).await;

    for (instance, scenario) in [("errors", "flood-stderr"), ("output", "flood-stdout")] {
        kit.add_fixture(instance, scenario);
    }
    let drained = Arc::new(AtomicU64::new(0));
    let counted = drained.clone();
    let count = move |piece: &[u8]| {
        counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
    };
    let output = Output { raw_stderr: Some(Arc::new(count)), ..Output::default() };
    let registered = kit.builder().output("errors", output).register().expect("settings");
    let host = registered.start().await.expect("a start");
    let handle = greeter(&host, HELLO);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let memory = resident();
    let (began, mut beside) = (Instant::now(), Vec::new());
    let busy = processor_time();
    let mut largest = 0.0_f64;
    while drained.load(Ordering::Relaxed) < bytes && began.elapsed() < limit {
        beside.push(median(&handle, &mut failed).await);
        largest = largest.max(resident() - memory);
    }
    let gib = drained.load(Ordering::Relaxed) as f64 / GIB as f64;
    let rate = gib * 1024.0 / began.elapsed().as_secs_f64();
    let busy = (processor_time() - busy).as_secs_f64() / began.elapsed().as_secs_f64();
    stop(host).await;
    beside.sort_unstable();
    let ratio = beside[beside.len() / 2].as_secs_f64() / quiet.as_secs_f64();
    vec![
        Row::printed("standard error drained", format!("{gib:.2} GiB at {rate:.0} MiB/s")),
        Row::printed("this process's share of one processor", format!("{:.0} %", busy * 100.0)),
        Row::at_most("memory", largest, 8.0, " MiB"),
        Row::at_most("another plugin's p50 to quiet", ratio, 2.0, ""),
        Row::none("failed calls of the other plugin", failed),
    ]
}
