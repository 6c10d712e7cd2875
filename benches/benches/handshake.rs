//! From the decision to launch a plugin to its first answer, by phase, and its
//! end: through the launcher and as a plain child, side by side.

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use outrigger_benches::{
    Arbiter, Failure, Lap, Launches, Row, Threads, children, table, takes_figures,
};
use outrigger_transport::{Launcher, LauncherSource};

/// Laps that the table's medians are of, each kind in its turn.
const ROUNDS: usize = 25;

type Phase = (&'static str, fn(&Lap) -> Duration);

const PHASES: [Phase; 6] = [
    ("spawn", |lap| lap.spawn),
    ("line", |lap| lap.line),
    ("connect", |lap| lap.connect),
    ("first call", |lap| lap.first_call),
    ("total", |lap| lap.total),
    ("stop", |lap| lap.stop),
];

fn main() -> Result<(), Failure> {
    // Before any thread: this executable is its own launcher.
    outrigger::launcher_hook();
    let launcher = Launcher::locate(None).map_err(|_| "no launcher where a setting names one")?;
    if launcher.as_ref().is_none_or(|launcher| launcher.source != LauncherSource::Hook) {
        return Err("this executable is not its own launcher".into());
    }
    let plugin = Path::new(env!("CARGO_BIN_EXE_outrigger-bench-plugin"));
    let arbiter = Arbiter::new(Threads::Current)?;
    // The child first: the tables then show the launcher's price.
    let kinds =
        [("child", Launches::new(plugin, None)?), ("launcher", Launches::new(plugin, launcher)?)];

    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(250))
        .measurement_time(Duration::from_millis(1_500))
        .without_plots()
        .configure_from_args();
    let mut group = criterion.benchmark_group("handshake");
    group.sampling_mode(SamplingMode::Flat);
    for (phase, figure) in PHASES {
        for (kind, launches) in &kinds {
            group.bench_function(BenchmarkId::new(phase, kind), |bencher| {
                bencher.iter_custom(|laps| {
                    arbiter.block_on(async {
                        let mut sum = Duration::ZERO;
                        for _ in 0..laps {
                            sum += figure(&launches.lap().await);
                        }
                        sum
                    })
                });
            });
        }
    }
    group.finish();
    criterion.final_summary();

    if takes_figures() {
        compare(&arbiter, &kinds);
    }
    for (kind, launches) in &kinds {
        let left = launches.left()?;
        if left > 0 {
            return Err(format!("{kind}: {left} run directories were left").into());
        }
    }
    match children()? {
        0 => Ok(()),
        left => Err(format!("{left} processes were left").into()),
    }
}

/// Takes laps in turns, and shows each phase of both kinds.
fn compare(arbiter: &Arbiter, kinds: &[(&'static str, Launches)]) {
    let mut laps = vec![Vec::new(); kinds.len()];
    for _ in 0..ROUNDS {
        for ((_, launches), laps) in kinds.iter().zip(&mut laps) {
            laps.push(arbiter.block_on(launches.lap()));
        }
    }
    for (phase, figure) in PHASES {
        let rows: Vec<Row> = kinds
            .iter()
            .zip(&laps)
            .map(|((kind, _), laps)| Row { name: kind, figures: laps.iter().map(figure).collect() })
            .collect();
        table(&format!("{phase}: median of {ROUNDS}"), &rows);
    }
}
