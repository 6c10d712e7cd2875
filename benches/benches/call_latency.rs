//! What a call costs: the generated client, the gateway's handle and the
//! gateway's actor, on one connection, with 1, 8 and 64 callers that each wait
//! for their answer before they call again.
//!
//! A figure is the time that one call takes of the whole: with several callers,
//! the inverse of the throughput. The figures and the first table are taken on
//! one CPU; the other tables say what changes where both ends may use all.

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use outrigger::actix::Actor as _;
use outrigger::helloworld::GreeterActor;
use outrigger_benches::{
    ActorThread, Arbiter, CallActor, CallHandle, CallRaw, Cpus, Failure, Kit, Node, Row, Threads,
    Way, children, table, takes_figures,
};

const CALLERS: [u64; 3] = [1, 8, 64];

/// Turns that the tables' medians are of.
const ROUNDS: usize = 21;

/// Calls in one turn: some hundredths of a second.
const TURN: u32 = 1_280;

/// A way to call: gives the time that so many calls of so many callers take.
type Drive<'a> = Box<dyn Fn(u64, u64) -> Duration + 'a>;

fn main() -> Result<(), Failure> {
    // Before any thread: this executable is its own launcher.
    outrigger::launcher_hook();
    let kit = Kit::pack(Path::new(env!("CARGO_BIN_EXE_outrigger-bench-plugin")))?;
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500))
        .without_plots()
        .configure_from_args();
    on_one_thread(&mut criterion, &kit)?;
    on_two_threads(&mut criterion, &kit)?;
    criterion.final_summary();
    match children()? {
        0 => Ok(()),
        left => Err(format!("{left} processes were left").into()),
    }
}

/// Callers, actor and connection on one arbiter, and for comparison the actor
/// on another.
fn on_one_thread(criterion: &mut Criterion, kit: &Kit) -> Result<(), Failure> {
    let node = Node::start(kit, Threads::Current)?;
    let arbiter = &node.arbiter;
    let greeter = GreeterActor::new(node.handle()?);
    let near = arbiter.block_on(async { greeter.start() });
    let far = ActorThread::start(node.handle()?)?;
    let ways = [
        ("raw", drive(arbiter, CallRaw::new(node.rpc()?))),
        ("handle", drive(arbiter, CallHandle(node.handle()?))),
        ("actor", drive(arbiter, CallActor(near))),
        ("actor elsewhere", drive(arbiter, CallActor(far.address()))),
    ];
    let all = Cpus::all()?;
    all.first().hold(node.plugin()?)?;
    for callers in CALLERS {
        bench(criterion, "call", &ways, callers);
    }
    if takes_figures() {
        CALLERS.iter().for_each(|callers| compare("one CPU", &ways, *callers));
        all.hold(node.plugin()?)?;
        CALLERS.iter().for_each(|callers| compare("all CPUs", &ways, *callers));
    }
    all.hold(node.plugin()?)?;
    drop((ways, far));
    node.stop()
}

/// Callers and connection on a runtime of two threads, as many a node has.
fn on_two_threads(criterion: &mut Criterion, kit: &Kit) -> Result<(), Failure> {
    let node = Node::start(kit, Threads::Multi(2))?;
    let ways = [
        ("raw", drive(&node.arbiter, CallRaw::new(node.rpc()?))),
        ("handle", drive(&node.arbiter, CallHandle(node.handle()?))),
    ];
    bench(criterion, "call on two threads", &ways, 1);
    if takes_figures() {
        compare("all CPUs, two worker threads", &ways, 1);
    }
    drop(ways);
    node.stop()
}

fn drive<'a, W: Way>(arbiter: &'a Arbiter, way: W) -> Drive<'a> {
    Box::new(move |callers, calls| arbiter.drive(&way, callers, calls))
}

fn bench(criterion: &mut Criterion, group: &str, ways: &[(&'static str, Drive<'_>)], callers: u64) {
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    for (name, drive) in ways {
        group.bench_function(BenchmarkId::new(*name, callers), |bencher| {
            bencher.iter_custom(|calls| drive(callers, calls));
        });
    }
    group.finish();
}

/// Lets the ways take turns, and shows each beside the first.
fn compare(place: &str, ways: &[(&'static str, Drive<'_>)], callers: u64) {
    let mut rows: Vec<Row> = ways.iter().map(|(name, _)| Row::new(name)).collect();
    for round in 0..=ROUNDS {
        // Whoever comes first after a pause must not always be the same.
        for turn in 0..ways.len() {
            let index = (round + turn) % ways.len();
            let took = (ways[index].1)(callers, TURN.into());
            // The first round warms up.
            if round > 0 {
                rows[index].figures.push(took / TURN);
            }
        }
    }
    table(&format!("{place}, callers: {callers}; a call, median of {ROUNDS} turns"), &rows);
}
