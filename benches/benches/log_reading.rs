//! What it costs the host to read a plugin's log, a record and a plain line in
//! turn: with nobody who listens, with one who wants errors, and with one who
//! wants everything.

use std::io;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use outrigger_transport::measure::read_log;
use tracing::subscriber::{NoSubscriber, with_default};
use tracing_subscriber::filter::LevelFilter;

/// Lines of one measured piece.
const LINES: u64 = 100;

fn log() -> Vec<u8> {
    let record = concat!(
        r#"{"@level":"info","@message":"opened","@module":"kv","#,
        r#""@timestamp":"2026-03-01T12:00:00.000250Z","path":"/var/kv","keys":42}"#
    );
    let plain = "[DEBUG] 12 keys were compacted in 3 files";
    let lines = (0..LINES).map(|line| if line % 2 == 0 { record } else { plain });
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

fn log_reading(criterion: &mut Criterion) {
    let log = log();
    let mut group = criterion.benchmark_group("log reading");
    group.throughput(Throughput::Elements(LINES));
    group.bench_function("off", |bencher| {
        with_default(NoSubscriber::default(), || bencher.iter(|| read_log("bench", &log)));
    });
    for (name, level) in [("error", LevelFilter::ERROR), ("trace", LevelFilter::TRACE)] {
        group.bench_function(name, |bencher| {
            let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(io::sink);
            with_default(subscriber.finish(), || bencher.iter(|| read_log("bench", &log)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = log_reading
}
criterion_main!(benches);
