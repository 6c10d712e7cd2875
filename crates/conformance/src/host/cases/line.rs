//! Section 2: the handshake line; and what of section 12 is about it.

use std::time::Duration;

use crate::host::case::{HostCase, table};
use crate::host::fact::{Fact, Output};
use crate::host::plan::{Listen, Start, Written};
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{Trial, field, line, with};

/// "At once", with room for a loaded machine.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What a plugin says before it dies.
const LAST_WORD: &str = "the fixture has lost its marbles";

/// More than a pipe holds.
const BEYOND_A_PIPE: usize = 256 * 1024;

pub(super) const CASES: &[HostCase] = table! {
    "2.15" "line-may-end-with-crlf" Must Any,
    "a line that ends with CR LF is taken"
        => with(|plan| plan.line.end = Some("\r\n".into())), Seen::hosted;

    "2.15" "last-line-needs-no-line-feed" Must Any,
    "a line without LF is taken when standard output ends"
        => with(|plan| { plan.line.end = Some(String::new()); plan.line.close = true; }),
        Seen::hosted;

    "2.16" "line-that-is-none-is-refused" Must Any,
    "a line with fewer than four fields is refused" => line("welcome|to|outrigger"), Seen::refused;

    "2.16" "line-that-is-none-is-shown" Must Any,
    "the error shows the text that came in the line's place" => line("welcome|to|outrigger"),
        |seen| { seen.refused()?; seen.says(&[&["welcome|to|outrigger"]]) };

    "2.17" "other-core-version-is-refused" Must Any,
    "core protocol version 2 is refused" => field(1, "2"), Seen::refused;

    "2.17" "both-core-versions-are-named" Must Any,
    "the error names the plugin's core protocol version, 4711, and the host's, 1"
        => field(1, "4711"), |seen| { seen.refused()?; seen.says(&[&["4711"], &["1"]]) };

    "2.18" "version-must-be-a-number" Must Any,
    "an application version that is no number is refused" => field(2, "one"), Seen::refused;

    "2.19" "other-network-is-refused" Must Any,
    "the network `udp` is refused" => field(3, "udp"), Seen::refused;

    "2.19" "other-network-is-named" Must Any,
    "the error names the network that it got" => field(3, "udp"),
        |seen| { seen.refused()?; seen.says(&[&["udp"]]) };

    "2.19" "tcp-is-taken" Must Any,
    "a plugin on TCP is hosted" => with(|plan| plan.listen = Listen::Tcp), Seen::hosted;

    "2.20" "tcp-without-host-is-local" Must Any,
    "the address `:port` is taken as this machine's"
        => with(|plan| plan.listen = Listen::TcpWithoutHost), Seen::hosted;

    "2.21" "other-protocol-is-refused" Must Any,
    "a protocol that is not the host's is refused" => field(5, "carrier-pigeon"), Seen::refused;

    "2.21" "other-protocol-is-named" Must Any,
    "the error names the protocol that it got and the one that it speaks"
        => field(5, "carrier-pigeon"),
        |seen| { seen.refused()?; seen.says(&[&["carrier-pigeon"], &["grpc"]]) };

    "2.22" "short-sixth-field-is-ignored" Must Plain,
    "a sixth field of 48 characters is ignored"
        => field(6, "eyJ0aGlzIjoid2FzIGhlcmUgaW4gMjAxNyBhbmQgMjAxOCJ9"), Seen::hosted;

    "2.23" "sixth-field-must-be-base64" Must Tls,
    "a certificate that is no base64 is refused" => field(6, &"*?".repeat(40)), Seen::refused;

    "2.23" "sixth-field-must-be-a-certificate" Must Tls,
    "base64 that holds no certificate is refused" => field(6, &"AAAA".repeat(40)), Seen::refused;

    "2.24" "unasked-certificate-does-not-crash-the-host" Must Plain,
    "a certificate that nobody asked for is an error, and no crash"
        => with(|plan| plan.tls.unasked = true), Seen::ended;

    "2.25" "plugin-without-multiplexing-is-refused" Must Mux,
    "a plugin that answers nothing to PLUGIN_MULTIPLEX_GRPC is refused"
        => with(|plan| plan.line.keep = Some(6)), Seen::refused;

    "2.25" "plugin-that-declines-multiplexing-is-refused" Must Mux,
    "a plugin that answers `false` to PLUGIN_MULTIPLEX_GRPC is refused" => field(7, "false"),
        Seen::refused;

    "2.25" "refused-multiplexing-is-explained" Must Mux,
    "the error says that it is about multiplexing" => with(|plan| plan.line.keep = Some(6)),
        |seen| { seen.refused()?; seen.says(&[&["multiplex", "multiplexing", "multiplexed"]]) };

    "2.25" "multiplexing-must-be-a-boolean" Must Mux,
    "a seventh field that is no boolean is refused" => field(7, "perhaps"), Seen::refused;

    "2.26" "seventh-field-is-not-looked-at-unasked" Must Any,
    "a host that did not ask for multiplexing ignores field 7" => field(7, "perhaps"),
        without_multiplexing;

    "2.27" "fields-after-the-seventh-are-ignored" Must Any,
    "a line of eight fields is taken" => with(|plan| {
        plan.line.fields = vec![(8, "more".into())];
    }), Seen::hosted;

    "2.28" "line-is-limited" Must Any,
    "output without end and without a line is refused"
        => with(|plan| plan.start = Start::Flood),
        |seen| { seen.refused()?; seen.no_plugin_left() };

    "2.29" "exit-without-a-line-fails-at-once" Must Any,
    "a plugin that exits without a line fails the start within 5 s"
        => exits(), |seen| { seen.refused()?; at_once(seen) };

    "2.29" "exit-without-a-line-is-explained" Must Any,
    "the error shows the exit status or the end of standard error"
        => exits(), |seen| { seen.refused()?; seen.says(&[&[LAST_WORD, "23"]]) };

    "2.29" "end-of-output-without-a-line-fails-at-once" Must Any,
    "standard output that ends without a line fails the start within 5 s"
        => with(|plan| plan.start = Start::CloseStdout), |seen| {
            seen.refused()?;
            seen.ended_within(AT_ONCE, started(seen), "the end of standard output")
        };

    "2.31" "standard-output-is-read-to-its-end" Must Any,
    "256 KiB of lines on standard output do not block the plugin"
        => writes(Output::Stdout, "a line of the plugin's own\n", BEYOND_A_PIPE / 27),
        |seen| seen.drained(Output::Stdout);

    "2.31" "standard-output-is-read-as-bytes" Must Any,
    "256 KiB without a line end on standard output do not block the plugin"
        => writes(Output::Stdout, &"x".repeat(1024), BEYOND_A_PIPE / 1024),
        |seen| seen.drained(Output::Stdout);

    "2.32" "missing-certificate-is-refused" Must Tls,
    "a plugin that was asked for a certificate and announces none is refused"
        => with(|plan| plan.tls.silent = true), refused_with_tls;

    "2.33" "abstract-socket-is-refused-without-tls" Should Plain,
    "an abstract socket, which no permission guards, is refused"
        => with(|plan| plan.listen = Listen::Abstract), Seen::refused;
};

/// Writes once its line is out.
pub(super) fn writes(to: Output, text: &str, times: usize) -> Trial {
    with(|plan| plan.writes = vec![Written { to, text: text.to_owned(), times }])
}

fn exits() -> Trial {
    with(|plan| plan.start = Start::Exit(23, LAST_WORD.to_owned()))
}

fn started(seen: &Seen) -> Duration {
    let started = seen.find(|fact| matches!(fact, Fact::Started(_)).then_some(()));
    started.map_or(Duration::ZERO, |(at, ())| at)
}

fn at_once(seen: &Seen) -> Outcome {
    let ended = seen.plugins.first().and_then(|plugin| plugin.ended).unwrap_or_default();
    seen.ended_within(AT_ONCE, ended, "the plugin's end")
}

fn without_multiplexing(seen: &Seen) -> Outcome {
    use crate::report::Verdict;

    if seen.multiplex {
        return Err(Verdict::not_applicable("the host multiplexes (--mux)"));
    }
    seen.hosted()
}

fn refused_with_tls(seen: &Seen) -> Outcome {
    seen.certificate()?;
    seen.refused()
}
