//! Takes over the process's own standard output, so that what any library
//! prints reaches the host.

use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::stdio::{dup2_stderr, dup2_stdout};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::Output;
use super::queue::Queue;
use crate::stderr;

/// What one read takes at most.
const READ: usize = 16 * 1024;

/// The reader's stack; its buffer is on the heap.
const STACK: usize = 128 * 1024;

/// From the end of the capture until nobody waits any longer for the last bytes
/// to reach the host. They take no time, unless a child process holds the
/// output, or the host has stopped reading.
const LAST_BYTES: Duration = Duration::from_millis(200);

/// Descriptors are the process's, so one capture at a time can be.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Which of the process's outputs go to the host by go-plugin's stdio stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capture {
    /// Neither: what is printed to standard output is thrown away by the host.
    Neither,
    /// Standard output. Standard error stays the host's pipe, so that the last
    /// words of a crash, which no pipe within the process would outlive, reach
    /// the host's log.
    #[default]
    Stdout,
    /// Both, as in a Go plugin. The log and panics of this crate still go to
    /// the standard error that the process was started with; what other code
    /// writes in a crash is lost.
    Both,
}

/// Whether the outputs get a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tee {
    No,
    Yes,
}

/// A capture under way. Dropping it gives the process its outputs back.
#[derive(Debug)]
pub(crate) struct Captured {
    outputs: Vec<Redirected>,
    output: Output,
}

impl Captured {
    /// Takes the outputs over. What goes wrong is logged: a plugin whose prints
    /// are not collected is better than none.
    pub(crate) fn start(output: &Output, which: Capture, tee: Tee) -> Self {
        let mut captured = Self::nothing(output);
        if which == Capture::Neither {
            return captured;
        }
        if TAKEN.swap(true, Ordering::AcqRel) {
            tracing::warn!("another plugin of this process collects what is printed");
            return captured;
        }
        let wanted: &[_] = match which {
            Capture::Both => &[Stream::Stdout, Stream::Stderr],
            _ => &[Stream::Stdout],
        };
        for stream in wanted {
            let queue = match stream {
                Stream::Stdout => output.stdout.clone(),
                Stream::Stderr => output.stderr.clone(),
            };
            match Redirected::new(*stream, queue, tee) {
                Ok(redirected) => captured.outputs.push(redirected),
                Err(error) => tracing::warn!(%error, ?stream, "what is printed is not collected"),
            }
        }
        captured
    }

    /// Takes nothing over.
    pub(crate) fn nothing(output: &Output) -> Self {
        Self { outputs: Vec::new(), output: output.clone() }
    }

    /// Gives the outputs back, lets the host's stream end after what was printed,
    /// and waits until a host that reads has it.
    pub(crate) async fn finish(mut self) {
        let deadline = Instant::now() + LAST_BYTES;
        let mut pumps = Vec::new();
        for redirected in &mut self.outputs {
            redirected.restore();
            pumps.extend(redirected.ended.take());
        }
        let output = self.output.clone();
        for pump in pumps {
            let _in_time = timeout_at(deadline, pump).await;
        }
        drop(self);
        let _in_time = timeout_at(deadline, output.taken()).await;
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        if !self.outputs.is_empty() {
            self.outputs.clear();
            TAKEN.store(false, Ordering::Release);
        }
        self.output.finish();
    }
}

#[derive(Debug, Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// A copy of the descriptor that children do not inherit.
    fn copy(self) -> io::Result<OwnedFd> {
        match self {
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Self::Stderr => io::stderr().as_fd().try_clone_to_owned(),
        }
    }

    /// Puts `new` in its place, after what was printed until now.
    fn replace(self, new: &OwnedFd) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let _closed = io::stdout().lock().flush();
                Ok(dup2_stdout(new)?)
            }
            Self::Stderr => Ok(dup2_stderr(new)?),
        }
    }
}

/// One output that goes into a queue.
#[derive(Debug)]
struct Redirected {
    stream: Stream,
    original: Arc<File>,
    restored: bool,
    ended: Option<oneshot::Receiver<()>>,
}

impl Redirected {
    fn new(stream: Stream, queue: Arc<Queue>, tee: Tee) -> io::Result<Self> {
        let original = Arc::new(File::from(stream.copy()?));
        let (reader, writer) = io::pipe()?;
        let copy = (tee == Tee::Yes).then(|| original.clone());
        let (ends, ended) = oneshot::channel();
        let pump = move || {
            pump(reader, &queue, copy.as_deref());
            let _nobody_waits = ends.send(());
        };
        // A thread, since one that prints must not wait for the runtime that it
        // may be holding up itself.
        let thread = std::thread::Builder::new().name("printed".into()).stack_size(STACK);
        thread.spawn(pump)?;
        if matches!(stream, Stream::Stderr) {
            stderr::redirect(Some(original.clone()));
        }
        // Without it the reader finds the end at once.
        stream.replace(&OwnedFd::from(writer))?;
        Ok(Self { stream, original, restored: false, ended: Some(ended) })
    }

    fn restore(&mut self) {
        if std::mem::replace(&mut self.restored, true) {
            return;
        }
        let original = self.original.as_fd().try_clone_to_owned();
        let restored = original.and_then(|original| self.stream.replace(&original));
        if matches!(self.stream, Stream::Stderr) {
            stderr::redirect(None);
        }
        if let Err(error) = restored {
            tracing::warn!(%error, "what is printed from now on is lost");
        }
    }
}

impl Drop for Redirected {
    fn drop(&mut self) {
        self.restore();
    }
}

/// Moves bytes until nobody can print any more.
fn pump(mut reader: PipeReader, queue: &Queue, mut copy: Option<&File>) {
    let mut buffer = vec![0; READ];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                queue.push(&buffer[..count]);
                if let Some(copy) = &mut copy {
                    // Nobody may read there.
                    let _unread = copy.write_all(&buffer[..count]);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
