//! The cells of the matrix: which there are, which cannot be, and the fewest
//! that bring every two choices together.

use std::collections::BTreeSet;
use std::fmt;

/// A release of go-plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Release {
    V1_0_1,
    V1_4_4,
    V1_6_3,
    V1_8_0,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0_1 => "1.0.1",
            Self::V1_4_4 => "1.4.4",
            Self::V1_6_3 => "1.6.3",
            Self::V1_8_0 => "1.8.0",
        })
    }
}

const RELEASES: [Release; 4] = [Release::V1_0_1, Release::V1_4_4, Release::V1_6_3, Release::V1_8_0];

/// Who launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Ours,
    Go(Release),
    PythonPlugin,
}

/// Who is launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plugin {
    Ours,
    Go(Release),
    Python,
    Node,
    Java,
}

/// How the two trust each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tls {
    Plain,
    Auto,
}

/// What is called over the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broker {
    Without,
    Plain,
    Multiplexed,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("Outrigger"),
            Self::Go(release) => write!(f, "go-plugin {release}"),
            Self::PythonPlugin => f.write_str("python-plugin"),
        }
    }
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("Outrigger's SDK"),
            Self::Go(release) => write!(f, "go-plugin {release}"),
            Self::Python => f.write_str("Python"),
            Self::Node => f.write_str("Node"),
            Self::Java => f.write_str("Java"),
        }
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Auto => "AutoMTLS",
        })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Without => "none",
            Self::Plain => "plain",
            Self::Multiplexed => "multiplexed",
        })
    }
}

/// One choice of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) host: Host,
    pub(crate) plugin: Plugin,
    pub(crate) tls: Tls,
    pub(crate) broker: Broker,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, plugin, tls, broker } = self;
        write!(f, "{host} over {plugin}, {tls}, broker {broker}")
    }
}

/// Whom go-plugin's multiplexing is older than.
const fn before_multiplexing(release: Release) -> bool {
    matches!(release, Release::V1_0_1 | Release::V1_4_4)
}

impl Cell {
    /// Why this cell cannot exist; the first reason that holds.
    pub(crate) fn impossible(&self) -> Option<&'static str> {
        let multiplexed = self.broker == Broker::Multiplexed;
        let old_host = matches!(self.host, Host::Go(release) if before_multiplexing(release));
        let old_plugin = matches!(self.plugin, Plugin::Go(release) if before_multiplexing(release));
        if multiplexed && (old_host || old_plugin) {
            return Some("go-plugin multiplexes from 1.6.0 on");
        }
        if multiplexed && self.plugin == Plugin::Python {
            return Some("grpcio neither serves nor dials on a connection that somebody else made");
        }
        if multiplexed && self.plugin == Plugin::Java {
            return Some(
                "Maven Central has no yamux, and grpc-java serves and dials addresses alone",
            );
        }
        if multiplexed && self.host == Host::PythonPlugin {
            return Some("python-plugin has no multiplexing");
        }
        // Outrigger's own certificates are on P-256.
        if self.tls == Tls::Auto && self.plugin == Plugin::Python && self.host != Host::Ours {
            return Some(
                "go-plugin's and python-plugin's hosts present P-521, which grpcio refuses",
            );
        }
        None
    }

    /// The choices, two by two.
    fn pairs(&self) -> [String; 6] {
        let Self { host, plugin, tls, broker } = self;
        [
            format!("host {host} + plugin {plugin}"),
            format!("host {host} + {tls}"),
            format!("host {host} + broker {broker}"),
            format!("plugin {plugin} + {tls}"),
            format!("plugin {plugin} + broker {broker}"),
            format!("{tls} + broker {broker}"),
        ]
    }
}

/// Every combination, possible or not, in a fixed order.
pub(crate) fn all() -> Vec<Cell> {
    let hosts = [Host::Ours].into_iter().chain(RELEASES.map(Host::Go)).chain([Host::PythonPlugin]);
    let plugins = [Plugin::Ours].into_iter().chain(RELEASES.map(Plugin::Go));
    let plugins: Vec<_> = plugins.chain([Plugin::Python, Plugin::Node, Plugin::Java]).collect();
    let mut cells = Vec::new();
    for host in hosts {
        for plugin in plugins.iter().copied() {
            for tls in [Tls::Auto, Tls::Plain] {
                for broker in [Broker::Multiplexed, Broker::Plain, Broker::Without] {
                    cells.push(Cell { host, plugin, tls, broker });
                }
            }
        }
    }
    cells
}

/// Enough of the possible cells that every two choices which can come together
/// do: always the one that brings most new pairs.
pub(crate) fn chosen() -> Vec<Cell> {
    let mut possible: Vec<Cell> =
        all().into_iter().filter(|cell| cell.impossible().is_none()).collect();
    let mut missing: BTreeSet<String> = possible.iter().flat_map(Cell::pairs).collect();
    let mut chosen = Vec::new();
    while !missing.is_empty() {
        let news = |cell: &Cell| cell.pairs().iter().filter(|pair| missing.contains(*pair)).count();
        // The last of equals wins in `max_by_key`; the first is wanted.
        let best = possible.iter().copied().rev().max_by_key(news);
        let Some(best) = best else { break };
        possible.retain(|cell| *cell != best);
        for pair in best.pairs() {
            missing.remove(&pair);
        }
        chosen.push(best);
    }
    chosen.sort_unstable();
    chosen
}

#[test]
fn every_two_choices_that_can_come_together_do() {
    let pairs =
        |cells: &[Cell]| -> BTreeSet<String> { cells.iter().flat_map(Cell::pairs).collect() };
    let possible: Vec<Cell> =
        all().into_iter().filter(|cell| cell.impossible().is_none()).collect();
    let chosen = chosen();
    assert_eq!(pairs(&chosen), pairs(&possible));
    assert!(chosen.iter().all(|cell| cell.impossible().is_none()));
    assert!(chosen.len() * 2 < possible.len(), "{} of {}", chosen.len(), possible.len());
}
