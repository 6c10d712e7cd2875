//! OpenTelemetry's metrics, written as Prometheus' text by the rules that
//! OpenTelemetry has for it. What reads that text holds a plugin to its limits,
//! whichever form it chose.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Display, Write as _};

use axum::body::Bytes;
use outrigger_proto::opentelemetry::any_value::Value;
use outrigger_proto::opentelemetry::metric::Data;
use outrigger_proto::opentelemetry::number_point::Value as Number;
use outrigger_proto::opentelemetry::{
    HistogramPoint, KeyValue, Metric, MetricsData, NumberPoint, SummaryPoint, Temporality,
};
use prost::Message as _;

use super::LARGEST;
use super::text::{self, Family};

mod name;

/// Of a point's flags: nothing was recorded.
const NOTHING: u32 = 1;

/// Families by name, of a serialised `MetricsData`; none where it is none.
pub(super) fn parse(encoded: Bytes) -> BTreeMap<String, Family> {
    text::parse(&write(encoded))
}

fn write(encoded: Bytes) -> String {
    let Ok(data) = MetricsData::decode(encoded) else { return String::new() };
    let scopes = data.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut page = Page::default();
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        if page.metric(metric).is_err() {
            break;
        }
    }
    page.text
}

/// What kind of family a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    /// A gauge to Prometheus, of which a unit of 1 is no ratio.
    UpDown,
    Histogram,
    Summary,
}

impl Kind {
    /// `None`: Prometheus has no such thing.
    fn of(data: &Data) -> Option<Self> {
        let (kind, temporality) = match data {
            Data::Gauge(_) => (Self::Gauge, Temporality::Cumulative),
            Data::Sum(sum) if sum.is_monotonic => (Self::Counter, sum.aggregation_temporality()),
            Data::Sum(sum) => (Self::UpDown, sum.aggregation_temporality()),
            Data::Histogram(own) => (Self::Histogram, own.aggregation_temporality()),
            Data::Summary(_) => (Self::Summary, Temporality::Cumulative),
        };
        (temporality == Temporality::Cumulative).then_some(kind)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge | Self::UpDown => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// The label that tells its samples apart, which no attribute may be.
    fn label(self) -> &'static str {
        match self {
            Self::Histogram => "le",
            Self::Summary => "quantile",
            Self::Counter | Self::Gauge | Self::UpDown => "",
        }
    }
}

/// No more fits.
struct Full;

impl From<fmt::Error> for Full {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

/// The text as far as it is written.
#[derive(Debug, Default)]
struct Page {
    text: String,
    /// Words of the families that have a header. Two scopes may share one.
    families: HashMap<String, &'static str>,
    /// Names and labels of the points that are there: of two that differ only in their
    /// scope or resource the first one holds.
    points: HashSet<(String, String)>,
}

impl Page {
    fn metric(&mut self, metric: &Metric) -> Result<(), Full> {
        let Some(data) = metric.data.as_ref().filter(|_| !metric.name.is_empty()) else {
            return Ok(());
        };
        let Some(kind) = Kind::of(data) else { return Ok(()) };
        let family = name::of(&metric.name, &metric.unit, kind);
        match self.families.get(&family) {
            None => {
                if !metric.description.is_empty() {
                    writeln!(self.text, "# HELP {family} {}", help(&metric.description))?;
                }
                writeln!(self.text, "# TYPE {family} {}", kind.word())?;
                fits(&self.text)?;
                self.families.insert(family.clone(), kind.word());
            }
            Some(word) if *word == kind.word() => {}
            Some(_) => return Ok(()),
        }
        match data {
            Data::Gauge(gauge) => self.points(&family, kind, &gauge.data_points),
            Data::Sum(sum) => self.points(&family, kind, &sum.data_points),
            Data::Histogram(histogram) => self.points(&family, kind, &histogram.data_points),
            Data::Summary(summary) => self.points(&family, kind, &summary.data_points),
        }
    }

    fn points(&mut self, family: &str, kind: Kind, points: &[impl Point]) -> Result<(), Full> {
        for point in points.iter().filter(|point| point.is_sound()) {
            let Some(labels) = labels(point.attributes(), kind.label()) else { continue };
            if !self.points.insert((family.to_owned(), labels.clone())) {
                continue;
            }
            let before = self.text.len();
            let written = point.write(&mut Samples { text: &mut self.text, family, labels });
            if written.is_err() {
                // A histogram is shown as a whole or not at all.
                self.text.truncate(before);
                return written;
            }
        }
        Ok(())
    }
}

/// Where a point's samples are written to.
struct Samples<'a> {
    text: &'a mut String,
    family: &'a str,
    labels: String,
}

impl Samples<'_> {
    fn add(&mut self, end: &str, value: impl Display) -> Result<(), Full> {
        writeln!(self.text, "{}{end}{{{}}} {value}", self.family, self.labels)?;
        fits(self.text)
    }

    fn add_with(
        &mut self,
        end: &str,
        label: (&str, impl Display),
        value: impl Display,
    ) -> Result<(), Full> {
        let (name, of) = label;
        let comma = if self.labels.is_empty() { "" } else { "," };
        let (family, labels) = (self.family, &self.labels);
        writeln!(self.text, "{family}{end}{{{labels}{comma}{name}=\"{of}\"}} {value}")?;
        fits(self.text)
    }
}

fn fits(text: &str) -> Result<(), Full> {
    if text.len() > LARGEST { Err(Full) } else { Ok(()) }
}

/// A point of any kind.
trait Point {
    fn attributes(&self) -> &[KeyValue];

    /// Whether it says something, and agrees with itself.
    fn is_sound(&self) -> bool;

    fn write(&self, samples: &mut Samples<'_>) -> Result<(), Full>;
}

impl Point for NumberPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn is_sound(&self) -> bool {
        self.flags & NOTHING == 0
    }

    fn write(&self, samples: &mut Samples<'_>) -> Result<(), Full> {
        match self.value {
            Some(Number::AsInt(value)) => samples.add("", value),
            Some(Number::AsDouble(value)) => samples.add("", value),
            None => Ok(()),
        }
    }
}

impl Point for HistogramPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn is_sound(&self) -> bool {
        let (bounds, counts) = (&self.explicit_bounds, &self.bucket_counts);
        let none = bounds.is_empty() && counts.is_empty();
        let counted = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        self.flags & NOTHING == 0
            && (none || counts.len() == bounds.len() + 1 && counted == Some(self.count))
            && bounds.iter().all(|bound| bound.is_finite())
            && bounds.is_sorted_by(|one, next| one < next)
    }

    fn write(&self, samples: &mut Samples<'_>) -> Result<(), Full> {
        let mut up_to = 0_u64;
        for (bound, count) in self.explicit_bounds.iter().zip(&self.bucket_counts) {
            up_to = up_to.saturating_add(*count);
            samples.add_with("_bucket", ("le", bound), up_to)?;
        }
        samples.add_with("_bucket", ("le", "+Inf"), self.count)?;
        if let Some(sum) = self.sum {
            samples.add("_sum", sum)?;
        }
        samples.add("_count", self.count)
    }
}

impl Point for SummaryPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn is_sound(&self) -> bool {
        let quantiles = &self.quantile_values;
        self.flags & NOTHING == 0
            && quantiles.iter().all(|of| (0.0..=1.0).contains(&of.quantile))
            && quantiles.is_sorted_by(|one, next| one.quantile < next.quantile)
    }

    fn write(&self, samples: &mut Samples<'_>) -> Result<(), Full> {
        for of in &self.quantile_values {
            samples.add_with("", ("quantile", of.quantile), of.value)?;
        }
        samples.add("_sum", self.sum)?;
        samples.add("_count", self.count)
    }
}

/// Attributes as they stand between braces; `None` where one of them cannot be said,
/// since without it the point would be another one's.
fn labels(attributes: &[KeyValue], taken: &str) -> Option<String> {
    let mut sorted: Vec<&KeyValue> = attributes.iter().collect();
    sorted.sort_by(|one, other| one.key.cmp(&other.key));
    let mut labels = BTreeMap::<String, String>::new();
    for attribute in sorted {
        let value = match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(value) => escaped(value),
            Value::BoolValue(value) => value.to_string(),
            Value::IntValue(value) => value.to_string(),
            Value::DoubleValue(value) => value.to_string(),
        };
        let name = name::label(&attribute.key);
        if name == taken {
            return None;
        }
        let values = labels.entry(name);
        values.and_modify(|before| *before += &format!(";{value}")).or_insert(value);
    }
    let labels = labels.iter().map(|(name, value)| format!("{name}=\"{value}\""));
    Some(labels.collect::<Vec<_>>().join(","))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn help(description: &str) -> String {
    let text = description.replace('\\', "\\\\").replace('\n', "\\n");
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests;
