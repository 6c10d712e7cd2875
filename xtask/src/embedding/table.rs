//! Figures beside their bounds, in the form that all measuring chores print.

/// One line of the table.
pub(super) struct Row {
    name: &'static str,
    what: &'static str,
    figure: String,
    /// Empty: it is printed and not gated.
    bound: String,
    held: Option<bool>,
}

impl Row {
    pub(super) fn crates(name: &'static str, count: usize, bound: usize) -> Self {
        let (figure, bound, held) = (count.to_string(), format!("<= {bound}"), count <= bound);
        Self { name, what: "crates", figure, bound, held: Some(held) }
    }

    pub(super) fn mebibytes(name: &'static str, size: f64, bound: f64) -> Self {
        let (figure, held) = (format!("{size:.2} MiB"), size <= bound);
        Self { name, what: "binary", figure, bound: format!("<= {bound:.2} MiB"), held: Some(held) }
    }

    pub(super) fn printed(name: &'static str, what: &'static str, size: f64) -> Self {
        Self { name, what, figure: format!("{size:.2} MiB"), bound: String::new(), held: None }
    }

    pub(super) fn fell_short(&self) -> bool {
        self.held == Some(false)
    }

    /// No text here has a character that JSON escapes.
    fn json(&self) -> String {
        let Self { name, what, figure, bound, held } = self;
        let held = held.map_or_else(|| "null".to_owned(), |held| held.to_string());
        format!(
            r#"{{"name":"{name}","what":"{what}","figure":"{figure}","bound":"{bound}","held":{held}}}"#
        )
    }

    fn markdown(&self) -> String {
        let Self { name, what, figure, bound, held } = self;
        let held = held.map_or("", |held| if held { "yes" } else { "NO" });
        format!("| {name} | {what} | {figure} | {bound} | {held} |")
    }
}

/// Prints all of them, and how many held.
pub(super) fn print(rows: &[Row], json: bool) {
    let fell_short = rows.iter().filter(|row| row.fell_short()).count();
    let held = rows.iter().filter(|row| row.held == Some(true)).count();
    if json {
        let rows: Vec<String> = rows.iter().map(Row::json).collect();
        let rows = rows.join(",");
        println!(r#"{{"rows":[{rows}],"held":{held},"fell_short":{fell_short}}}"#);
        return;
    }
    println!("| name | what | figure | bound | held |");
    println!("| --- | --- | --- | --- | --- |");
    for row in rows {
        println!("{}", row.markdown());
    }
    println!("\n{held} held, {fell_short} fell short");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_its_bound_falls_short_and_what_reaches_it_does_not() {
        assert!(!Row::crates("host", 10, 10).fell_short());
        assert!(Row::crates("host", 11, 10).fell_short());
        assert!(Row::mebibytes("host", 1.01, 1.0).fell_short());
        assert!(!Row::printed("host", "bare", 1.01).fell_short());
    }

    #[test]
    fn a_row_is_told_to_people_and_to_programs() {
        let row = Row::crates("host", 11, 10);
        assert_eq!(row.markdown(), "| host | crates | 11 | <= 10 | NO |");
        let json = r#"{"name":"host","what":"crates","figure":"11","bound":"<= 10","held":false}"#;
        assert_eq!(row.json(), json);
    }
}
