//! Being told that something in a folder changed.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// Editors save in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// A folder that is never quiet is not waited for longer than this.
const LONGEST: Duration = Duration::from_secs(2);

/// Folders that are watched. What changed in them is not told: whoever looks
/// sees it.
#[derive(Debug)]
pub(super) struct Watch {
    queue: Arc<OwnedFd>,
    seen: Arc<Notify>,
    /// The thread ends when this is closed.
    end: Option<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches nothing yet.
    pub(super) fn new() -> Result<Self, Failure> {
        Self::start().map_err(|error| {
            let what = "files cannot be watched; raise fs.inotify.max_user_instances";
            Failure::failed(what, &error)
        })
    }

    fn start() -> io::Result<Self> {
        let queue = Arc::new(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?);
        let (ended, end) = pipe_with(PipeFlags::CLOEXEC)?;
        let seen = Arc::new(Notify::new());
        let (events, notify) = (queue.clone(), seen.clone());
        let thread = std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || listen(&events, &ended, &notify))?;
        Ok(Self { queue, seen, end: Some(end), thread: Some(thread) })
    }

    /// Watches folders, each without those in it. May be repeated: a folder
    /// that was removed and made again is another one.
    pub(super) fn add<'p>(
        &self,
        directories: impl Iterator<Item = &'p Path>,
    ) -> Result<(), Failure> {
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR;
        for directory in directories {
            match inotify::add_watch(&self.queue, directory, flags) {
                // Gone meanwhile: whoever looks sees that too.
                Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
                Err(error) => {
                    let what = format!(
                        "{} cannot be watched; raise fs.inotify.max_user_watches, or leave \
                         folders out with --ignore",
                        directory.display()
                    );
                    return Err(Failure::failed(&what, &io::Error::from(error)));
                }
            }
        }
        Ok(())
    }

    /// Waits for a change, and then until nothing changes for a moment.
    ///
    /// # Cancel safety
    ///
    /// A change that was seen may be forgotten.
    pub(super) async fn changed(&self) {
        self.seen.notified().await;
        self.quiet().await;
    }

    /// Waits until nothing changes for a moment.
    pub(super) async fn quiet(&self) {
        let longest = Instant::now() + LONGEST;
        let mut quiet = Instant::now() + QUIET;
        while timeout_at(quiet.min(longest), self.seen.notified()).await.is_ok() {
            quiet = Instant::now() + QUIET;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// Says that there were events, and forgets them, until the other end closes.
fn listen(queue: &OwnedFd, ended: &OwnedFd, seen: &Notify) {
    let mut buffer = [0; 4_096];
    loop {
        let mut watched = [
            PollFd::from_borrowed_fd(queue.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN),
        ];
        match poll(&mut watched, None) {
            Err(Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if !watched[1].revents().is_empty() => return,
            Ok(_) => {}
        }
        while rustix::io::read(queue, &mut buffer).is_ok() {}
        seen.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn a_change_is_told_once_it_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let watch = Watch::new().unwrap();
        watch.add([directory.path()].into_iter()).unwrap();
        fs::write(directory.path().join("a"), "1").unwrap();
        fs::write(directory.path().join("b"), "1").unwrap();
        watch.changed().await;
        let more = tokio::time::timeout(QUIET, watch.changed()).await;
        assert!(more.is_err(), "nothing has changed since");
        fs::remove_file(directory.path().join("a")).unwrap();
        watch.changed().await;
    }

    #[test]
    fn a_folder_that_is_gone_is_no_error() {
        let watch = Watch::new().unwrap();
        watch.add([Path::new("/no/such/folder")].into_iter()).unwrap();
    }
}
