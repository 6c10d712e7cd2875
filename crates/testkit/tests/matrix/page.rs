//! `docs/interop.md`, held to the cells.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use outrigger_testkit::artifacts;

use crate::cell;

/// Set, it makes the page anew.
const UPDATE: &str = "UPDATE_PAGES";

/// What stands before the tables.
const HEAD: &str = "# Who works with whom

Hosts and plugins that `cargo xtask test` runs against each other: real programs, over real sockets. Every two choices that can come together do so in one cell; the cells are chosen by `crates/testkit/tests/matrix/cell.rs`, which also says what cannot be. This page is made from there: `UPDATE_PAGES=1 cargo test -p outrigger-testkit --test matrix page`.

In each cell the host launches the plugin, pings it, greets, calls, streams, sends and takes a message of 5 MiB, collects what it prints and logs, and stops it without force; with a broker, each side calls a service of the other, twice in turn. Two go-plugins that cannot do a part of that are spared it: before 1.1.0 there is no stdio stream, and before 1.4.4 a plugin cannot dial back under AutoMTLS.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    let chosen = cell::chosen();
    let _infallible = write!(
        page,
        "\n## The {} cells\n\n| host | plugin | TLS | broker |\n| --- | --- | --- | --- |\n",
        chosen.len()
    );
    for cell::Cell { host, plugin, tls, broker } in chosen {
        let _infallible = writeln!(page, "| {host} | {plugin} | {tls} | {broker} |");
    }
    page.push_str("\n## Cells that cannot exist\n\n| reason | cells |\n| --- | --- |\n");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in cell::all().iter().filter_map(cell::Cell::impossible) {
        *reasons.entry(reason).or_default() += 1;
    }
    for (reason, count) in reasons {
        let _infallible = writeln!(page, "| {reason} | {count} |");
    }
    page
}

#[test]
fn the_page_lists_the_cells_and_those_that_cannot_exist() {
    let path = artifacts::repository().join("docs/interop.md");
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, page()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page(), "run with {UPDATE}=1");
}
