//! Tables of figures that were taken in turns.

use std::time::Duration;

/// A line of a table: a name, and one figure a round.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub name: &'static str,
    /// The figures, in any order.
    pub figures: Vec<Duration>,
}

impl Row {
    /// A line without figures.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, figures: Vec::new() }
    }
}

/// The middle figure, the upper one of two; zero without any.
#[must_use]
pub fn median(figures: &[Duration]) -> Duration {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Prints medians in microseconds, each with its ratio to the first line's.
pub fn table(title: &str, rows: &[Row]) {
    println!("\n{title}");
    let base = rows.first().map(|row| median(&row.figures)).unwrap_or_default();
    for row in rows {
        let figure = median(&row.figures);
        let ratio = figure.as_secs_f64() / base.as_secs_f64();
        println!("  {:<20} {:>10.2} us  {ratio:>6.3}", row.name, figure.as_secs_f64() * 1e6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_whatever_the_order() {
        let figures = [9, 1, 5].map(Duration::from_micros);
        assert_eq!(median(&figures), Duration::from_micros(5));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
