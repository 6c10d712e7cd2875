//! A figure beside its bound.

use std::time::Duration;

use serde_json::{Value, json};

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) what: String,
    pub(crate) value: String,
    /// Empty: it is printed and not gated.
    pub(crate) bound: String,
    pub(crate) held: Option<bool>,
}

impl Row {
    fn new(what: &str, value: String, bound: String, held: Option<bool>) -> Self {
        Self { figure: String::new(), what: what.to_owned(), value, bound, held }
    }

    /// A count that must be zero.
    pub(crate) fn none(what: &str, count: usize) -> Self {
        Self::new(what, count.to_string(), "0".to_owned(), Some(count == 0))
    }

    /// A count that must be reached.
    pub(crate) fn all(what: &str, count: usize, of: usize) -> Self {
        Self::new(what, count.to_string(), of.to_string(), Some(count == of))
    }

    /// A count that must not be less.
    pub(crate) fn at_least(what: &str, count: usize, least: usize) -> Self {
        Self::new(what, count.to_string(), format!(">= {least}"), Some(count >= least))
    }

    /// A time that must not be passed.
    pub(crate) fn within(what: &str, took: Duration, bound: Duration) -> Self {
        Self::new(what, shown(took), format!("<= {}", shown(bound)), Some(took <= bound))
    }

    /// A ratio or size that must not be passed.
    pub(crate) fn at_most(what: &str, value: f64, bound: f64, unit: &str) -> Self {
        let text = |value: f64| format!("{value:.2}{unit}");
        Self::new(what, text(value), format!("<= {}", text(bound)), Some(value <= bound))
    }

    /// What is worth knowing and not gated.
    pub(crate) fn printed(what: &str, value: impl Into<String>) -> Self {
        Self::new(what, value.into(), String::new(), None)
    }

    pub(crate) fn printed_time(what: &str, took: Duration) -> Self {
        Self::printed(what, shown(took))
    }

    pub(crate) fn failed(figure: &str, text: &str) -> Self {
        let row = Self::new("measured", text.to_owned(), "to its end".to_owned(), Some(false));
        Self { figure: figure.to_owned(), ..row }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "name": self.figure, "what": self.what, "figure": self.value, "bound": self.bound,
            "held": self.held,
        })
    }

    /// For the process that asked.
    pub(crate) fn line(&self) -> String {
        self.json().to_string()
    }

    pub(crate) fn parse(figure: &str, line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        Some(Self {
            figure: figure.to_owned(),
            what: text("what")?,
            value: text("figure")?,
            bound: text("bound")?,
            held: value["held"].as_bool(),
        })
    }
}

/// A time in the unit that fits it.
pub(crate) fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 0.001 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.0} us", seconds * 1e6)
    }
}

/// The rows as a table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "| name | what | figure | bound | held |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    lines.extend(rows.iter().map(|row| {
        let Row { figure, what, value, bound, held } = row;
        let held = held.map_or("", |held| if held { "yes" } else { "NO" });
        format!("| {figure} | {what} | {value} | {bound} | {held} |")
    }));
    lines.join("\n")
}

/// Times in order, to be asked for quantiles.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time that this share of all does not pass.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        self.0.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.quantile(0.99)
    }
}
