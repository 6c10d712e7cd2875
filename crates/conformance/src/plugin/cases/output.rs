//! What a plugin prints: the stdio stream, and standard error while it is
//! closed.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::plugin::StdioData;
use outrigger_proto::plugin::stdio_data::Channel as Stdio;
use outrigger_proto::probe::{LogRequest, PrintRequest};

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, Shortfall, answer, require};
use crate::plugin::streams::{Reading, Received, stdio};
use crate::plugin::survey::Need;
use crate::process::Seen;
use crate::wire::ANSWER;

cases! {
    "8.4" "stdio-channels" Must [Stdio Probe]
        "standard output arrives on channel 1, and no message is empty" => channels;
    "8.5" "stdio-pieces" Should [Stdio Probe]
        "a message of the stdio stream has at most 1024 bytes" => pieces;
    "8.6" "stdio-order" Must [Stdio Probe]
        "64 KiB of prints arrive in order, and whole" => order;
    "8.9" "stdio-stays-open" Must [Stdio]
        "the stdio stream does not end while the host keeps it open" => stays_open;
    "8.9" "stdio-opened-again" Must [Stdio Probe]
        "a second stdio stream gets the prints, once the first has gone" => again;
    "8.10" "prints-without-reader" Should [Probe]
        "a service that prints 256 KiB answers, although nobody reads the stdio stream" => unread;
    "8.13" "stderr-closed" Should [Calls]
        "it lives on when its standard error is closed" => stderr_closed;
}

const OUT: i32 = Stdio::Stdout as i32;
const ERR: i32 = Stdio::Stderr as i32;

/// For a stream that is to stay as it is.
const A_WHILE: Duration = Duration::from_millis(500);

async fn print(session: &Session, out: impl Into<Bytes>, err: impl Into<Bytes>) -> Outcome {
    let request = PrintRequest { stdout: out.into(), stderr: err.into() };
    answer("Probe/Print", session.probe().print(request)).await.map(drop)
}

/// The bytes of one channel.
fn joined(received: &Received<StdioData>, channel: i32) -> Vec<u8> {
    let pieces = received.messages.iter().filter(|piece| piece.channel == channel);
    pieces.flat_map(|piece| piece.data.iter().copied()).collect()
}

/// What came on a channel, once so many bytes have.
async fn collect(stream: &Reading<StdioData>, channel: i32, bytes: usize) -> Outcome<Vec<u8>> {
    let mut last = Vec::new();
    let whole = stream.wait_for(ANSWER, |received| {
        last = joined(received, channel);
        (last.len() >= bytes).then_some(())
    });
    let whole = whole.await.is_some();
    require!(whole, "of {bytes} bytes on channel {channel} came {}", last.len());
    Ok(last)
}

async fn channels(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let stream = stdio(&session.channel);
    session.ping("beside the stdio stream").await?;
    let (out, err) = ("out: caf\u{e9}\n", "err: \u{1f6f6}\n");
    print(&session, out, err).await?;
    let came = collect(&stream, OUT, out.len()).await?;
    let shown = String::from_utf8_lossy(&came);
    require!(came == out.as_bytes(), "channel 1 carried {shown:?}, not {out:?}");
    // What a language writes to standard error may be part of its log.
    let logged = |seen: &Seen| contains(&seen.bytes, err.as_bytes()).then_some(());
    let logged = session.started.process.stderr.wait_for(A_WHILE, logged).await.is_some();
    if !logged {
        let came = collect(&stream, ERR, err.len()).await?;
        let shown = String::from_utf8_lossy(&came);
        require!(came == err.as_bytes(), "channel 2 carried {shown:?}, not {err:?}");
    }
    let strange = |piece: &StdioData| piece.data.is_empty() || ![OUT, ERR].contains(&piece.channel);
    let strange = |received: &Received<StdioData>| {
        received.messages.iter().find(|piece| strange(piece)).cloned()
    };
    let strange = stream.wait_for(Duration::ZERO, strange).await;
    require!(strange.is_none(), "{strange:?}");
    Ok(())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

async fn pieces(bench: &Bench) -> Outcome {
    const BYTES: usize = 10_000;
    let session = bench.session().await?;
    let stream = stdio(&session.channel);
    session.ping("beside the stdio stream").await?;
    print(&session, vec![b'x'; BYTES], Bytes::new()).await?;
    collect(&stream, OUT, BYTES).await?;
    let largest = |seen: &Received<StdioData>| seen.messages.iter().map(|p| p.data.len()).max();
    let largest = stream.wait_for(ANSWER, largest).await.unwrap_or_default();
    require!(largest <= 1024, "one had {largest} bytes");
    Ok(())
}

async fn order(bench: &Bench) -> Outcome {
    let lines: String = (0..6_554).map(|line| format!("{line:09}\n")).collect();
    let session = bench.session().await?;
    let stream = stdio(&session.channel);
    session.ping("beside the stdio stream").await?;
    print(&session, lines.clone(), Bytes::new()).await?;
    let came = collect(&stream, OUT, lines.len()).await?;
    let differs = came.iter().zip(lines.as_bytes()).position(|(one, other)| one != other);
    require!(differs.is_none(), "from byte {differs:?} on it is something else");
    require!(came.len() == lines.len(), "{} bytes came of {}", came.len(), lines.len());
    Ok(())
}

async fn stays_open(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let stream = stdio(&session.channel);
    let ended = stream.ended(A_WHILE).await;
    require!(ended.is_none(), "it ended: {}", ended.unwrap_or_default());
    session.ping("beside the stdio stream").await
}

async fn again(bench: &Bench) -> Outcome {
    /// The first stream's end may take a print with it.
    const ATTEMPTS: usize = 5;
    let session = bench.session().await?;
    let first = stdio(&session.channel);
    session.ping("beside the first stream").await?;
    drop(first);
    session.ping("after the first stream").await?;
    let second = stdio(&session.channel);
    session.ping("beside the second stream").await?;
    for _ in 0..ATTEMPTS {
        print(&session, "again\n", Bytes::new()).await?;
        let came = |seen: &Received<StdioData>| (!joined(seen, OUT).is_empty()).then_some(());
        if second.wait_for(A_WHILE, came).await.is_some() {
            return Ok(());
        }
    }
    let ended = second.ended(Duration::ZERO).await;
    let ended = ended.map_or(String::new(), |how| format!("; it ended: {how}"));
    Err(Shortfall::seen(format!("{ATTEMPTS} prints, and nothing on the second stream{ended}")))
}

async fn unread(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    print(&session, vec![b'x'; 256 * 1024], Bytes::new()).await?;
    session.ping("after the prints").await
}

async fn stderr_closed(bench: &Bench) -> Outcome {
    let mut session = bench.session().await?;
    session.started.process.stderr.close().await;
    if bench.survey.has(Need::Probe) {
        for _ in 0..2 {
            let request = LogRequest {
                level: "error".into(),
                message: "to nobody".into(),
                fields: std::collections::HashMap::new(),
            };
            let _may_break = answer("Probe/Log", session.probe().log(request)).await;
        }
    }
    session.ping("after standard error was closed").await?;
    let ended = session.started.process.ended(A_WHILE).await;
    require!(ended.is_none(), "it {}", ended.map_or(String::new(), |ended| ended.to_string()));
    Ok(())
}
