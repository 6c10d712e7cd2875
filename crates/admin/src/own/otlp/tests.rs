//! What is made of OpenTelemetry's messages, of sound ones and of all others.

use outrigger_proto::opentelemetry::{
    AnyValue, Gauge, Histogram, Quantile, ResourceMetrics, ScopeMetrics, Sum, Summary,
};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::own::merge;

const CUMULATIVE: i32 = Temporality::Cumulative as i32;

fn metric(name: &str, unit: &str, data: Data) -> Metric {
    let (name, unit) = (name.to_owned(), unit.to_owned());
    Metric { name, unit, description: String::new(), data: Some(data) }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

fn number(value: i64, attributes: Vec<KeyValue>) -> NumberPoint {
    NumberPoint { attributes, value: Some(Number::AsInt(value)), flags: 0 }
}

fn gauge(name: &str, points: Vec<NumberPoint>) -> Metric {
    metric(name, "", Data::Gauge(Gauge { data_points: points }))
}

fn sum(points: Vec<NumberPoint>, temporality: i32, is_monotonic: bool) -> Data {
    Data::Sum(Sum { data_points: points, aggregation_temporality: temporality, is_monotonic })
}

fn histogram(data_points: Vec<HistogramPoint>, aggregation_temporality: i32) -> Data {
    Data::Histogram(Histogram { data_points, aggregation_temporality })
}

fn buckets(bounds: &[f64], counts: &[u64]) -> HistogramPoint {
    HistogramPoint {
        count: counts.iter().copied().fold(0, u64::wrapping_add),
        explicit_bounds: bounds.to_vec(),
        bucket_counts: counts.to_vec(),
        ..HistogramPoint::default()
    }
}

fn data(scopes: Vec<Vec<Metric>>) -> MetricsData {
    let scope_metrics = scopes.into_iter().map(|metrics| ScopeMetrics { metrics }).collect();
    MetricsData { resource_metrics: vec![ResourceMetrics { scope_metrics }] }
}

fn shown(encoded: Vec<u8>) -> String {
    merge::all(std::iter::once(("p", parse(encoded.into()))))
}

fn of(metrics: Vec<Metric>) -> String {
    shown(data(vec![metrics]).encode_to_vec())
}

/// The samples alone.
fn samples(metrics: Vec<Metric>) -> Vec<String> {
    of(metrics).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_kind_is_shown_as_prometheus_has_it() {
    let point = || vec![number(3, vec![attribute("kind", text("a"))])];
    let mut took = buckets(&[0.5, 2.0], &[1, 0, 2]);
    took.sum = Some(7.25);
    let waited = SummaryPoint {
        count: 2,
        sum: 0.5,
        quantile_values: vec![Quantile { quantile: 0.99, value: f64::NAN }],
        ..SummaryPoint::default()
    };
    let full = NumberPoint { value: Some(Number::AsDouble(0.25)), ..NumberPoint::default() };
    let metrics = vec![
        Metric {
            description: "Jobs\\that\nended\u{1b}.".to_owned(),
            ..metric("jobs", "{job}", sum(point(), CUMULATIVE, true))
        },
        metric("open", "1", sum(point(), CUMULATIVE, false)),
        metric("full", "1", Data::Gauge(Gauge { data_points: vec![full] })),
        metric("took", "s", histogram(vec![took], CUMULATIVE)),
        metric("waited", "ms", Data::Summary(Summary { data_points: vec![waited] })),
    ];
    assert_eq!(
        of(metrics),
        "# TYPE full_ratio gauge\nfull_ratio{plugin=\"p\"} 0.25\n\
         # HELP jobs_total Jobs\\\\that\\nended .\n# TYPE jobs_total counter\n\
         jobs_total{plugin=\"p\",kind=\"a\"} 3\n\
         # TYPE open gauge\nopen{plugin=\"p\",kind=\"a\"} 3\n\
         # TYPE took_seconds histogram\n\
         took_seconds_bucket{plugin=\"p\",le=\"0.5\"} 1\n\
         took_seconds_bucket{plugin=\"p\",le=\"2\"} 1\n\
         took_seconds_bucket{plugin=\"p\",le=\"+Inf\"} 3\n\
         took_seconds_sum{plugin=\"p\"} 7.25\ntook_seconds_count{plugin=\"p\"} 3\n\
         # TYPE waited_milliseconds summary\n\
         waited_milliseconds{plugin=\"p\",quantile=\"0.99\"} NaN\n\
         waited_milliseconds_sum{plugin=\"p\"} 0.5\nwaited_milliseconds_count{plugin=\"p\"} 2\n"
    );
}

#[test]
fn attributes_are_labels_whatever_they_hold() {
    let attributes = vec![
        attribute("text", text("a\"b\\c\nd")),
        attribute("on", Value::BoolValue(true)),
        attribute("size", Value::IntValue(-7)),
        attribute("part", Value::DoubleValue(0.5)),
        attribute("plugin", text("other")),
    ];
    assert_eq!(
        samples(vec![gauge("a", vec![number(1, attributes)])]),
        ["a{plugin=\"p\",on=\"true\",part=\"0.5\",exported_plugin=\"other\",size=\"-7\",\
            text=\"a\\\"b\\\\c\\nd\"} 1"]
    );
    // Two that get the same name are one label, in the order of what they were called.
    let alike = vec![attribute("x.y", text("2")), attribute("x-y", text("1"))];
    let alike = samples(vec![gauge("a", vec![number(1, alike)])]);
    assert_eq!(alike, ["a{plugin=\"p\",x_y=\"1;2\"} 1"]);
}

#[test]
fn a_point_with_an_attribute_that_is_no_label_is_left_out() {
    let none = KeyValue { key: "list".to_owned(), value: Some(AnyValue { value: None }) };
    let absent = KeyValue { key: "absent".to_owned(), value: None };
    for bad in [
        none,
        absent,
        attribute("", text("a")),
        attribute("a", text("\u{1b}")),
        attribute("exported.plugin", text("a")),
        attribute(&"x".repeat(201), text("a")),
    ] {
        let found = samples(vec![gauge("a", vec![number(1, vec![bad.clone()])])]);
        assert!(found.is_empty(), "{bad:?} {found:?}");
    }
    let mut point = buckets(&[], &[3]);
    point.attributes = vec![attribute("le", text("1"))];
    assert!(samples(vec![metric("a", "", histogram(vec![point], CUMULATIVE))]).is_empty());
}

#[test]
fn what_prometheus_cannot_show_is_left_out() {
    let point = || vec![number(1, vec![])];
    let unrecorded = NumberPoint { flags: 1, ..number(1, vec![]) };
    let without = NumberPoint { value: None, ..number(1, vec![]) };
    let one = || vec![buckets(&[1.0], &[1, 1])];
    for bad in [
        metric("a", "", sum(point(), Temporality::Delta as i32, true)),
        metric("a", "", sum(point(), Temporality::Unspecified as i32, true)),
        metric("a", "", sum(point(), 7, false)),
        metric("a", "", histogram(one(), Temporality::Delta as i32)),
        gauge("a", vec![unrecorded, without]),
        gauge("", point()),
        gauge("outrigger.plugin.up", point()),
        gauge("outrigger_plugin_up", point()),
        gauge(&"a".repeat(201), point()),
        Metric { data: None, ..gauge("a", point()) },
    ] {
        let found = of(vec![bad.clone()]);
        assert!(found.is_empty(), "{bad:?} {found}");
    }
    assert_eq!(samples(vec![metric("a", "", histogram(one(), CUMULATIVE))]).len(), 3);
}

#[test]
fn a_histogram_or_a_summary_that_disagrees_with_itself_is_left_out() {
    let wrong_count = HistogramPoint { count: 9, ..buckets(&[1.0], &[1, 1]) };
    for bad in [
        wrong_count,
        buckets(&[1.0], &[1]),
        buckets(&[1.0], &[]),
        buckets(&[], &[1, 1]),
        buckets(&[2.0, 1.0], &[1, 1, 1]),
        buckets(&[1.0, 1.0], &[1, 1, 1]),
        buckets(&[f64::NAN], &[1, 1]),
        buckets(&[f64::INFINITY], &[1, 1]),
        buckets(&[1.0], &[u64::MAX, 2]),
    ] {
        let found = samples(vec![metric("a", "", histogram(vec![bad.clone()], CUMULATIVE))]);
        assert!(found.is_empty(), "{bad:?} {found:?}");
    }
    for bad in [&[0.5, 0.5][..], &[0.9, 0.5], &[f64::NAN], &[1.5], &[-0.5]] {
        let quantiles = bad.iter().map(|quantile| Quantile { quantile: *quantile, value: 1.0 });
        let quantile_values = quantiles.collect();
        let point = SummaryPoint { quantile_values, ..SummaryPoint::default() };
        let summary = Data::Summary(Summary { data_points: vec![point] });
        assert!(samples(vec![metric("a", "", summary)]).is_empty(), "{bad:?}");
    }
    let bare = HistogramPoint { count: 4, ..HistogramPoint::default() };
    assert_eq!(
        samples(vec![metric("a", "", histogram(vec![bare], CUMULATIVE))]),
        ["a_bucket{plugin=\"p\",le=\"+Inf\"} 4", "a_count{plugin=\"p\"} 4"]
    );
}

#[test]
fn of_two_scopes_with_the_same_series_the_first_one_holds() {
    let kind = |value| vec![attribute("kind", text(value))];
    let one = gauge("a", vec![number(1, kind("x"))]);
    let other = gauge("a", vec![number(2, kind("x")), number(3, kind("y"))]);
    let third = metric("a", "", histogram(vec![buckets(&[], &[1])], CUMULATIVE));
    let text = shown(data(vec![vec![one], vec![other, third]]).encode_to_vec());
    assert_eq!(
        text,
        "# TYPE a gauge\na{plugin=\"p\",kind=\"x\"} 1\na{plugin=\"p\",kind=\"y\"} 3\n"
    );
}

#[test]
fn a_small_message_does_not_become_a_large_text() {
    let bounds: Vec<f64> = (0..20_000).map(f64::from).collect();
    let mut large = buckets(&bounds, &vec![1; 20_001]);
    large.attributes = vec![attribute("a", text(&"x".repeat(600_000)))];
    let small = buckets(&[1.0], &[1, 1]);
    let both = histogram(vec![small, large], CUMULATIVE);
    let encoded = data(vec![vec![metric("a", "", both)]]).encode_to_vec();
    assert!(encoded.len() < LARGEST);
    let text = write(encoded.into());
    assert_eq!(text.lines().filter(|line| line.starts_with("a_bucket")).count(), 2, "whole ones");
    assert!(text.len() <= LARGEST);
}

#[test]
fn more_samples_than_a_plugin_may_have_are_dropped() {
    let points = (0..20_000).map(|of| number(of, vec![attribute("of", Value::IntValue(of))]));
    assert_eq!(samples(vec![gauge("a", points.collect())]).len(), text::MOST);
}

fn any_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let value = prop_oneof![
        "(?s).{0,6}".prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
    ];
    let key = prop_oneof!["[a-c._]{0,3}", "(?s).{0,6}", Just("le".into()), Just("plugin".into())];
    let attribute = (key, option::weighted(0.95, value))
        .prop_map(|(key, value)| KeyValue { key, value: Some(AnyValue { value }) });
    proptest::collection::vec(attribute, 0..4)
}

fn any_number() -> impl Strategy<Value = NumberPoint> {
    let value =
        prop_oneof![any::<i64>().prop_map(Number::AsInt), any::<f64>().prop_map(Number::AsDouble)];
    (any_attributes(), option::of(value), 0..3_u32)
        .prop_map(|(attributes, value, flags)| NumberPoint { attributes, value, flags })
}

fn any_histogram() -> impl Strategy<Value = HistogramPoint> {
    let bounds = proptest::collection::vec(any::<f64>(), 0..4);
    let sound = proptest::collection::vec(0..9_u64, 4)
        .prop_map(|counts| (vec![-1.0, 0.5, 1e300], counts.iter().sum(), counts));
    let odd = (bounds, any::<u64>(), proptest::collection::vec(any::<u64>(), 0..5));
    (any_attributes(), prop_oneof![sound, odd], option::of(any::<f64>()), 0..2_u32).prop_map(
        |(attributes, (explicit_bounds, count, bucket_counts), sum, flags)| HistogramPoint {
            attributes,
            count,
            sum,
            bucket_counts,
            explicit_bounds,
            flags,
        },
    )
}

fn any_summary() -> impl Strategy<Value = SummaryPoint> {
    let quantile = (-0.1..1.1, any::<f64>()).prop_map(|(quantile, value)| (quantile, value));
    let quantiles = proptest::collection::vec(quantile, 0..3);
    (any_attributes(), any::<u64>(), any::<f64>(), quantiles).prop_map(
        |(attributes, count, sum, quantiles)| {
            let of = |(quantile, value)| Quantile { quantile, value };
            let quantile_values = quantiles.into_iter().map(of).collect();
            SummaryPoint { attributes, count, sum, quantile_values, flags: 0 }
        },
    )
}

fn any_metric() -> impl Strategy<Value = Metric> {
    use proptest::collection::vec;
    let data = prop_oneof![
        vec(any_number(), 0..4).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (vec(any_number(), 0..4), 0..4, any::<bool>()).prop_map(|(of, how, up)| sum(of, how, up)),
        (vec(any_histogram(), 0..4), 0..4).prop_map(|(points, how)| histogram(points, how)),
        vec(any_summary(), 0..3).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    let name = prop_oneof!["[a-c]{1,2}(_total|_count)?", "(?s).{0,9}", Just("outrigger.a".into())];
    (name, "(?s).{0,9}", "[a-zA-Z1/{}]{0,4}", option::weighted(0.9, data))
        .prop_map(|(name, description, unit, data)| Metric { name, description, unit, data })
}

fn hold(encoded: Vec<u8>) -> Result<(), TestCaseError> {
    let parsed = parse(encoded.clone().into());
    let text = shown(encoded);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        prop_assert!(line.contains("{plugin=\"p\""), "{line}");
        prop_assert!(!line.starts_with("outrigger_"), "{line}");
    }
    let samples = parsed.values().map(|family| family.samples.len()).sum::<usize>();
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    prop_assert_eq!(samples, lines, "{}", text);
    Ok(())
}

proptest! {
    #[test]
    fn whatever_a_plugin_measures_each_line_is_one_of_its_own_samples(
        scopes in proptest::collection::vec(proptest::collection::vec(any_metric(), 0..4), 0..3),
    ) {
        hold(data(scopes).encode_to_vec())?;
    }

    #[test]
    fn whatever_bytes_a_plugin_answers_with_nothing_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        hold(bytes)?;
    }

    #[test]
    fn a_message_with_bytes_that_are_damaged_does_no_harm(
        metric in any_metric(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = data(vec![vec![metric]]).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        hold(bytes)?;
    }
}
