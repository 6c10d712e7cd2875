//! What metrics and traces cost a call: each way in a process of its own, since a
//! recorder and a subscriber are for good.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use outrigger::telemetry::Telemetry;
use outrigger_admin::Metrics;
use outrigger_testkit::collector::Collector;
use outrigger_testkit::kit::Kit;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::calls::median;
use crate::row::Row;
use crate::site::{HELLO, greeter, stop};

/// The variable by which this program is told to be the one that is measured.
const CHILD: &str = "OUTRIGGER_FIGURES_COST";

const PAIRS: usize = 7;

/// Calls of a batch whose allocations are counted, and batches.
const CALLS: u64 = 200;
const BATCHES: usize = 20;

/// Measures, if this process was started for that: `off`, `metrics` or `traces`.
pub(crate) fn child() -> Option<ExitCode> {
    let how = std::env::var(CHILD).ok()?;
    // One thread drives everything, so that its allocations are the call's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let metrics = (how != "off").then(|| Metrics::install().expect("the first recorder"));
    let traces = (how == "traces").then(|| {
        let telemetry = runtime.block_on(async { Telemetry::from_env("figures") });
        telemetry.expect("the variables are good").expect("they name an endpoint")
    });
    if let Some(traces) = &traces {
        tracing_subscriber::registry().with(traces.layer()).init();
    }
    let mut kit = Kit::with(if how == "traces" { "traced" } else { "ok" });
    // A check in between would be counted too.
    kit.set("/providers/helloworld/timeouts", json!({ "healthInterval": "10m" }));
    let host = runtime.block_on(kit.start());
    let handle = greeter(&host, HELLO);
    let mut failed = 0;
    runtime.block_on(median(&handle, &mut failed));
    let p50 = runtime.block_on(median(&handle, &mut failed));
    let allocations = (0..BATCHES).map(|_| {
        let counted = allocation_counter::measure(|| {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    failed += usize::from(
                        outrigger::helloworld::Greeter::greeting(&handle, "x").await.is_err(),
                    );
                }
            });
        });
        counted.count_total as f64 / CALLS as f64
    });
    // Of many calls, those among them that are traced.
    let allocations = allocations.sum::<f64>() / BATCHES as f64;
    runtime.block_on(stop(host));
    if let Some(metrics) = metrics {
        assert!(metrics.render().contains("outrigger_calls_total"), "it was counted");
    }
    if let Some(traces) = traces {
        // Its connection is driven on this thread.
        let sending = async { tokio::task::spawn_blocking(move || traces.shutdown()).await };
        runtime.block_on(sending).expect("it was sent");
    }
    let measured =
        json!({ "p50": p50.as_secs_f64(), "allocations": allocations, "failed": failed });
    println!("{measured}");
    Some(ExitCode::SUCCESS)
}

struct Measured {
    p50: f64,
    allocations: f64,
    failed: usize,
}

fn measure(how: &str, collector: &str) -> Measured {
    let this = std::env::current_exe().expect("the system knows this program");
    // On one processor, so that waking another one is no part of it.
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(this).env(CHILD, how);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    command.env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
    command.env("OTEL_TRACES_SAMPLER_ARG", "0.01");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.expect("taskset of util-linux is there");
    assert!(output.status.success(), "`{how}` was not measured");
    let read: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let number = |name: &str| read[name].as_f64().expect("a number");
    let failed = read["failed"].as_u64().and_then(|failed| usize::try_from(failed).ok());
    Measured {
        p50: number("p50"),
        allocations: number("allocations"),
        failed: failed.unwrap_or(usize::MAX),
    }
}

/// A call with metrics, and with traces, beside one with neither.
pub(crate) async fn cost(short: bool) -> Vec<Row> {
    let pairs = if short { PAIRS } else { 3 * PAIRS };
    let collector = Collector::start().await;
    let url = collector.url();
    let (mut failed, mut off, mut with_metrics, mut with_traces) = (0, vec![], vec![], vec![]);
    let mut allocations = [0.0; 3];
    for _ in 0..pairs {
        let url = url.clone();
        let all = ["off", "metrics", "traces"];
        let measured = tokio::task::spawn_blocking(move || all.map(|how| measure(how, &url)));
        let [none, metrics, traces] = measured.await.expect("it was measured");
        failed += none.failed + metrics.failed + traces.failed;
        off.push(none.p50);
        with_metrics.push(metrics.p50 / none.p50);
        with_traces.push(traces.p50 / none.p50);
        let found = [none.allocations, metrics.allocations, traces.allocations];
        for (all, found) in allocations.iter_mut().zip(found) {
            *all += found / pairs as f64;
        }
    }
    let middle = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let [none, metrics, traces] = allocations;
    vec![
        Row::printed_time("a call without either, p50", Duration::from_secs_f64(middle(&mut off))),
        Row::at_most("p50 with metrics to without", middle(&mut with_metrics), 1.05, ""),
        Row::at_most("p50 with traces at 1 % to without", middle(&mut with_traces), 1.25, ""),
        Row::none("failed calls", failed),
        Row::at_most("allocations of metrics a call", metrics - none, 0.05, ""),
        Row::at_most("allocations of traces at 1 % a call", traces - metrics, 3.05, ""),
        Row::at_least("spans that arrived", collector.seen().len(), 10),
    ]
}
