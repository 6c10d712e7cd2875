//! The figures by their names.

use std::future::Future;
use std::pin::Pin;

use crate::row::Row;
use crate::{admin, bystander, calls, cost, deaths, floods, paint, reloads, soak, trees};

type Measured = Pin<Box<dyn Future<Output = Vec<Row>>>>;

/// One figure.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// The command that measures it: `reliability`, or `bench admin`.
    pub(crate) of: &'static str,
    /// Measures it, in the short form if that is wanted.
    pub(crate) run: fn(bool) -> Measured,
}

macro_rules! figures {
    ($($of:literal: { $($name:literal => $run:path;)* })*) => {
        &[$($(Figure { name: $name, of: $of, run: |short| Box::pin($run(short)) },)*)*]
    };
}

pub(crate) const FIGURES: &[Figure] = figures! {
    "reliability": {
        "cycles" => deaths::cycles;
        "detect" => deaths::detect;
        "recover" => deaths::recover;
        "hang" => deaths::hang;
        "reload" => reloads::reload;
        "bad-reload" => reloads::bad_reload;
        "inflight" => calls::inflight;
        "orphans" => trees::orphans;
        "stop" => trees::stop_figure;
        "flood" => floods::flood;
        "bystander" => bystander::bystander;
        "neighbours" => calls::neighbours;
        "soak" => soak::soak;
    }
    "bench admin": {
        "scrape" => admin::scrape;
        "cost" => cost::cost;
        "paint" => paint::paint;
        "events" => admin::events;
        "followers" => admin::followers;
    }
};
