//! Our own host.

use std::collections::BTreeSet;

use outrigger_testkit::artifacts;

use crate::{check, text};

const STEPS: &str = "ping,greeting,echo,stream,call-host,offer";

/// Nothing fails and nothing is noted; what does not concern it is this.
fn right(flags: &[&str], host_flags: &[&str], without: &[&str]) {
    let host = artifacts::interop_host();
    let mut command = vec![text(&host), "-start", "8"];
    command.extend(host_flags);
    let checked = check(flags, &command);
    checked.fails(&[]);
    let without: BTreeSet<&str> = without.iter().copied().collect();
    let seen = checked.explained("not-applicable");
    assert_eq!(checked.named("not-applicable"), without, "{seen}");
}

/// What only hosts without TLS are asked.
const PLAIN: [&str; 4] = [
    "abstract-socket-is-refused-without-tls",
    "five-fields-are-enough",
    "short-sixth-field-is-ignored",
    "unasked-certificate-does-not-crash-the-host",
];

/// What only hosts that multiplex are asked.
const MUX: [&str; 4] = [
    "multiplexing-must-be-a-boolean",
    "plugin-that-declines-multiplexing-is-refused",
    "plugin-without-multiplexing-is-refused",
    "refused-multiplexing-is-explained",
];

/// What a command that uses the broker cannot be asked.
const BROKERLESS: [&str; 3] =
    ["failed-broker-is-borne", "missing-broker-is-borne", "missing-services-are-borne"];

#[test]
fn our_host_gets_every_case_right_that_concerns_it() {
    let without = [&PLAIN[..], &MUX, &BROKERLESS].concat();
    let flags = ["--strict", "--versions", "1,2"];
    right(&flags, &["-versions", "1,2", "-steps", STEPS], &without);
}

#[test]
fn our_host_gets_the_cases_for_hosts_without_broker_calls_right() {
    let only = format!("{},five-fields-are-enough", BROKERLESS.join(","));
    right(&["--strict", "--only", &only], &[], &["five-fields-are-enough"]);
    right(&["--strict", "--plain", "--only", &only], &["-plain"], &[]);
}
