//! What a plugin prints and logs, as the host's caller and its log get it.

use super::*;

fn piece(channel: Channel, data: &[u8]) -> StdioData {
    StdioData { channel: channel.into(), data: data.to_vec().into() }
}

/// A writer that keeps what it gets.
fn kept() -> (Arc<Mutex<Vec<u8>>>, Option<Sink>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let sink: Sink = {
        let kept = kept.clone();
        Arc::new(move |bytes| kept.lock().unwrap().extend_from_slice(bytes))
    };
    (kept, Some(sink))
}

async fn until(reached: impl Fn() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it does not come");
}

#[tokio::test]
async fn what_a_plugin_prints_arrives_byte_for_byte_and_as_whole_lines_in_the_log() {
    let lines = Lines::capture();
    let printed = "häß€😀\n".repeat(900) + "no line end";
    let mut prints: Vec<StdioData> =
        printed.as_bytes().chunks(1024).map(|data| piece(Channel::Stdout, data)).collect();
    prints.insert(1, piece(Channel::Stderr, b"\xff\0raw \x1b[31m"));
    // A newer plugin's channel, and nothing at all.
    prints.insert(2, StdioData { channel: 7, data: b"lost".to_vec().into() });
    prints.insert(3, piece(Channel::Stdout, b""));
    let script = Scripted { prints, ..Scripted::default() };
    let (stdout, to_stdout) = kept();
    let (stderr, to_stderr) = kept();
    let started = start(&script, |spec| {
        spec.output.stdout = to_stdout;
        spec.output.stderr = to_stderr;
    });
    let (connection, _directory) = started.await.unwrap();
    until(|| stdout.lock().unwrap().len() == printed.len()).await;
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    assert!(*stdout.lock().unwrap() == printed.as_bytes());
    assert_eq!(*stderr.lock().unwrap(), b"\xff\0raw \x1b[31m");
    assert_eq!(lines.count("DEBUG häß€😀"), 900);
    assert_eq!(lines.count("DEBUG no line end"), 1);
    assert_eq!(lines.count("DEBUG \u{fffd}\\u{0}raw \\u{1b}[31m"), 1);
}

#[tokio::test]
async fn standard_error_is_copied_raw_and_logged_at_its_levels() {
    let lines = Lines::capture();
    let stderr = b"{\"@level\":\"warn\",\"@message\":\"low\",\"n\":3}\r\n[ERROR] bad\nplain\n\
        panic: boom\n\ngoroutine 1 [running]:\nlast\xff"
        .to_vec();
    let script = Scripted { stderr: stderr.clone(), ..Scripted::default() };
    let (raw, to_raw) = kept();
    let started = start(&script, |spec| spec.output.raw_stderr = to_raw).await;
    let (connection, _directory) = started.unwrap();
    until(|| raw.lock().unwrap().len() == stderr.len()).await;
    script.die(ExitStatus::Code(2));
    connection.died().await;
    connection.stop(StopLadder::default()).await;
    assert_eq!(*raw.lock().unwrap(), stderr);
    let rows = [
        "WARN low",
        "ERROR [ERROR] bad",
        "DEBUG plain",
        "ERROR panic: boom",
        "ERROR goroutine 1 [running]:",
        "ERROR last\u{fffd}",
    ];
    for row in rows {
        assert_eq!(lines.count(row), 1, "{row}");
    }
    assert!(connection.last_words().ends_with("last\u{fffd}"), "{}", connection.last_words());
}
