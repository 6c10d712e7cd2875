//! Section 8: the stdio stream and standard error.

use crate::host::case::{HostCase, table};
use crate::host::fact::Output;
use crate::host::plan::{Stream, Written};
use crate::host::seen::Seen;
use crate::host::trial::{Trial, with};
use crate::report::Verdict;

use super::connection::missing;
use super::line::writes;

const STREAM_STDIO: &str = "/plugin.GRPCStdio/StreamStdio";

/// Records that are none, each a trap for whoever takes them for one.
const TRAPS: &str = concat!(
    r#"{"@level":7,"@message":"a number for a level","@timestamp":"2026-03-01T12:00:00.000250Z"}"#,
    "\n",
    r#"{"@level":"info","@message":{"an":"object"},"@timestamp":"2026-03-01T12:00:00.000250Z"}"#,
    "\n",
    r#"{"@level":"info","@message":"a list for a time","@timestamp":[1,2,3]}"#,
    "\n",
    r#"{"@level":null,"@message":null,"@timestamp":null}"#,
    "\n",
    r#"{"@level":"error","@message":"no time","deep":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],"huge":1e999}"#,
    "\nnull\n[]\n7\n\"text\"\n{\n",
);

/// Lines that no text file has.
const ODD_LINES: &str = "[WARN] a level\r\nan escape \u{1b}[31m\n\0\n\n\u{feff}panic: no\nno end";

pub(super) const CASES: &[HostCase] = table! {
    "8.2" "stdio-stream-is-opened-once" Must Any,
    "StreamStdio is called once" => Trial::default(), |seen| {
        seen.started()?;
        match seen.calls(STREAM_STDIO) {
            1 => Ok(()),
            other => Err(Verdict::fail(format!("it is called {other} times"))),
        }
    };

    "8.2" "stdio-stream-is-read" Must Any,
    "8 MiB on the stdio stream are read" => writes(Output::Stdio, &"x".repeat(1024), 8 * 1024),
        |seen| { opened(seen)?; seen.drained(Output::Stdio) };

    "8.3" "missing-stdio-is-borne" Must Any,
    "a plugin without the stdio service is hosted" => missing(&["plugin.GRPCStdio"]), Seen::hosted;

    "8.3" "failed-stdio-is-borne" Must Any,
    "a plugin whose StreamStdio fails with UNAVAILABLE is hosted"
        => with(|plan| plan.stdio_stream = Stream::Fail), Seen::hosted;

    "8.8" "odd-pieces-are-ignored" Must Any,
    "an unknown channel and empty data on the stdio stream are ignored, and reading goes on"
        => with(|plan| {
            plan.odd_pieces = true;
            plan.writes = vec![Written { to: Output::Stdio, text: "x".repeat(1024), times: 4 * 1024 }];
        }), |seen| { opened(seen)?; seen.hosted()?; seen.drained(Output::Stdio) };

    "8.12" "standard-error-is-read-to-its-end" Must Any,
    "1 MiB on standard error does not block the plugin"
        => writes(Output::Stderr, "a line of the plugin's log\n", (1 << 20) / 27),
        |seen| seen.drained(Output::Stderr);

    "8.14" "odd-lines-of-the-log-are-borne" Must Any,
    "CR LF, control characters, empty lines and a line without end on standard error are taken"
        => writes(Output::Stderr, ODD_LINES, 2),
        |seen| { seen.hosted()?; seen.drained(Output::Stderr) };

    "8.15" "long-lines-of-the-log-are-borne" Must Any,
    "a line of 300 KiB on standard error is taken" => with(|plan| plan.writes = vec![
        Written { to: Output::Stderr, text: "x".repeat(1024), times: 300 },
    ]), |seen| { seen.hosted()?; seen.drained(Output::Stderr) };

    "8.24" "records-that-are-none-are-borne" Must Any,
    "log records whose reserved keys are no strings do not end the host"
        => writes(Output::Stderr, TRAPS, 1), |seen| { seen.hosted()?; seen.drained(Output::Stderr) };
};

fn opened(seen: &Seen) -> Result<(), Verdict> {
    seen.started()?;
    if seen.called(STREAM_STDIO).is_some() {
        return Ok(());
    }
    Err(Verdict::not_applicable("the host opens no StreamStdio (see 8.2)"))
}
