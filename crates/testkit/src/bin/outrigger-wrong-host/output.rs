//! The plugin's two outputs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Wrong;
use crate::process::Process;

/// The longest line, in bytes.
const LONGEST: usize = 10 * 1024;

/// What is kept of standard error, in bytes.
const KEPT: usize = 2048;

/// For a plugin that has closed its output to end.
const END: Duration = Duration::from_millis(500);

/// The end of standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(bytes);
        let surplus = tail.len().saturating_sub(KEPT);
        tail.drain(..surplus);
    }

    pub(crate) fn text(&self) -> String {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).into_owned()
    }
}

/// What a host waits that should fail at once.
const PATIENCE: Duration = Duration::from_secs(7);

/// Reads the first line, within `limit`; then reads on, as a task that comes
/// back.
pub(crate) async fn first_line(
    wrong: &Wrong,
    process: &mut Process,
    tail: &Tail,
    limit: Duration,
) -> Result<(String, JoinHandle<()>), String> {
    let mut stdout = process.stdout.take().ok_or("it has no standard output")?;
    let mut line = Vec::new();
    let reading = async {
        loop {
            let mut byte = [0];
            match stdout.read(&mut byte).await {
                Ok(1) if line.len() == LONGEST => return Err("its line is too long".to_owned()),
                Ok(1) => line.push(byte[0]),
                _ if line.is_empty() || wrong.is("needs-line-feed") => return Ok(false),
                _ => return Ok(true),
            }
            if line.ends_with(b"\n") {
                return Ok(true);
            }
        }
    };
    let timed_out = || Err(format!("it printed no line within {limit:?}"));
    let came = timeout(limit, reading).await.unwrap_or_else(|_| timed_out())?;
    if !came {
        if wrong.is("patient") {
            tokio::time::sleep(PATIENCE).await;
        }
        let status = process.ended_within(END).await;
        let status = status.map_or("it still runs".to_owned(), |status| status.to_string());
        let said = tail.text();
        return Err(format!("its output ended without a line ({status}); it said: {said}"));
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let rest = if wrong.is("leaves-stdout") {
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(stdout);
        })
    } else {
        tokio::spawn(drain(stdout))
    };
    Ok((line, rest))
}

/// Reads standard error for as long as there is any.
pub(crate) fn read_stderr(wrong: &Wrong, process: &mut Process, tail: &Tail) -> JoinHandle<()> {
    let (wrong, tail) = (wrong.clone(), tail.clone());
    let stderr = process.stderr.take();
    tokio::spawn(async move {
        let Some(mut stderr) = stderr else { return };
        if wrong.is("leaves-stderr") {
            return std::future::pending().await;
        }
        if wrong.is("trusts-records") {
            return trust(stderr).await;
        }
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            tail.push(&buffer[..read]);
        }
    })
}

async fn drain(mut stream: impl AsyncRead + Unpin) {
    let _ended = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// Takes every object for a log record with texts in it.
async fn trust(stderr: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let Ok(serde_json::Value::Object(record)) = serde_json::from_slice(&line) else { continue };
        for key in ["@level", "@message", "@timestamp"] {
            if record.get(key).is_some_and(|value| !value.is_string()) {
                // As a panic in a thread of its own would: that is the wrong.
                std::process::abort();
            }
        }
    }
}
