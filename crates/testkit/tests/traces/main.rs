//! Traces of a node, its host and its plugin, as a collector gets them.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

use std::process::Output;

use outrigger_testkit::collector::{Collector, Seen};
use outrigger_testkit::kit::Kit;
use outrigger_testkit::{artifacts, e2e};

/// Runs the node, whose traces and whose plugin's go to this collector.
async fn run(kit: &Kit, collector: &Collector, sampler: Option<(&str, &str)>) -> Output {
    let mut node = tokio::process::Command::new(artifacts::traced_node());
    node.arg(kit.settings_url());
    node.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    // The node's own, which its plugins are not called.
    node.env("OTEL_SERVICE_NAME", "the-node").env("OTEL_BSP_SCHEDULE_DELAY", "50");
    if let Some((sampler, argument)) = sampler {
        node.env("OTEL_TRACES_SAMPLER", sampler).env("OTEL_TRACES_SAMPLER_ARG", argument);
    }
    node.kill_on_drop(true).output().await.unwrap()
}

fn heard(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn only<'a>(spans: &'a [Seen], name: &str, of: impl Fn(&Seen) -> bool) -> &'a Seen {
    let found: Vec<&Seen> = spans.iter().filter(|span| span.name == name && of(span)).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

e2e! {
    async fn one_trace_spans_the_caller_the_host_the_plugin_and_the_call_back() {
        let kit = Kit::with("traced");
        let collector = Collector::start().await;
        let output = run(&kit, &collector, None).await;
        assert_eq!(heard(&output), "Hello traced!\nhost:question\n");
        let spans = collector.seen();
        let work = only(&spans, "node.work", |_| true);
        assert_eq!((work.service.as_str(), work.parent.as_str()), ("the-node", ""));

        let called = only(&spans, "plugin.call", |span| span.is("method", "Greeting"));
        assert_eq!((&called.trace, &called.parent), (&work.trace, &work.id));
        assert!(called.is("plugin", "helloworld"), "{called:?}");
        let serves = |path: &'static str| move |span: &Seen| span.is("rpc.path", path);
        let served = only(&spans, "plugin.serve", serves("/proto.PluginGreeting/Greeting"));
        assert_eq!((&served.trace, &served.parent), (&work.trace, &called.id));
        assert_eq!(served.service, "fixture", "the node's own name is not its plugin's");

        let probed = only(&spans, "plugin.call", |span| span.is("method", "CallHost"));
        let within = only(&spans, "plugin.serve", serves("/outrigger.probe.v1.Probe/CallHost"));
        assert_eq!((&within.trace, &within.parent), (&work.trace, &probed.id));
        let back = only(&spans, "plugin.serve", serves("/outrigger.probe.v1.Answer/Ask"));
        assert_eq!((&back.trace, &back.parent), (&work.trace, &within.id));
        assert_eq!(back.service, "the-node");
    }

    async fn each_phase_of_a_life_is_a_span_within_its_generation_s() {
        let kit = Kit::with("traced");
        let collector = Collector::start().await;
        heard(&run(&kit, &collector, None).await);
        let spans = collector.seen();
        let generation = only(&spans, "plugin.generation", |_| true);
        assert!(generation.is("plugin", "helloworld") && generation.is("generation", "1"));
        for phase in ["plugin.resolve", "plugin.launch", "plugin.initialise", "plugin.publish"] {
            let span = only(&spans, phase, |_| true);
            assert_eq!((&span.trace, &span.parent), (&generation.trace, &generation.id), "{phase}");
        }
        only(&spans, "plugin.retire", |_| true);
    }

    async fn a_trace_that_is_not_kept_is_kept_by_nobody() {
        let kit = Kit::with("traced");
        let collector = Collector::start().await;
        heard(&run(&kit, &collector, Some(("parentbased_traceidratio", "0"))).await);
        assert!(collector.seen().is_empty(), "{:#?}", collector.seen());
    }

    async fn a_collector_that_is_not_there_costs_nobody_an_answer() {
        let kit = Kit::with("traced");
        let collector = Collector::start().await;
        let nobody = collector.url();
        drop(collector);
        let mut node = tokio::process::Command::new(artifacts::traced_node());
        node.arg(kit.settings_url()).env("OTEL_EXPORTER_OTLP_ENDPOINT", nobody);
        let output = node.kill_on_drop(true).output().await.unwrap();
        assert_eq!(heard(&output), "Hello traced!\nhost:question\n");
    }

    async fn a_protocol_that_is_not_there_is_an_error_that_says_so() {
        let kit = Kit::with("traced");
        let mut node = tokio::process::Command::new(artifacts::traced_node());
        node.arg(kit.settings_url()).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
        node.env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
        let output = node.kill_on_drop(true).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains("http/json"), "{text}");
    }
}
