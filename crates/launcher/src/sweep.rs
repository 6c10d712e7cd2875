//! The sweep: killing whatever is left of a plugin's tree.
//!
//! The launcher is a child subreaper, so every process that the plugin started,
//! however deep and in whatever session or group, is below it in the tree, and
//! becomes its own child when the parents between them die. A sweep stops the
//! whole tree first, top down, so that nothing multiplies while it is being
//! read; then it kills it, bottom up, so that nobody is orphaned out of reach;
//! then it reaps, and looks again until there is nothing.
//!
//! # No stray signal
//!
//! Only this process reaps its own children, so their ids stay theirs. The id of
//! a deeper one may be handed on as soon as *its* parent reaps it. So a process
//! is signalled through a pidfd, and only when, in this order, the pidfd was
//! opened, `/proc` said that the id's parent is the process above it in the
//! tree, and that process, held by a pidfd of its own, was still alive. Had the
//! id been handed on before the pidfd was opened, the parent would differ;
//! had it been after, the pidfd would be of a dead process.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, pidfd_open, pidfd_send_signal, wait,
};

use crate::deadline::Deadline;
use crate::proc::{self, Children};
use crate::signals::Signals;

/// How long a sweep tries: no round of it begins later. What is left then has
/// been sent `SIGKILL` and cannot be waited for.
pub const SWEEP_DEADLINE: Duration = Duration::from_secs(2);

/// How often, and for how long, the tree is read in one round in search of
/// processes that are not stopped yet. Then what was found is killed, whatever
/// multiplies still.
const FREEZES: usize = 32;
const FREEZE_LIMIT: Duration = Duration::from_millis(250);

/// How deep one round follows the tree; each level holds a descriptor. What is
/// deeper has come up by the next round.
const DEPTH: usize = 128;

/// How long a round waits for deaths at first; doubled up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(2);
const LAST_WAIT: Duration = Duration::from_millis(64);

/// What came of a sweep.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// How the plugin's main process ended, if that was during the sweep.
    pub(crate) plugin: Option<WaitStatus>,
    /// How many other processes it ended.
    pub(crate) killed: u32,
    /// How many outlived it.
    pub(crate) left: u32,
}

/// Whether there are still children after a reaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaped {
    /// None at all.
    Everything,
    /// Some that live.
    SomeLive,
}

/// Reaps all children that have ended, without waiting.
pub(crate) fn reap(mut each: impl FnMut(Pid, WaitStatus)) -> Reaped {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => each(pid, status),
            Ok(None) => return Reaped::SomeLive,
            Err(Errno::INTR) => {}
            // ECHILD; no other error is possible.
            Err(_) => return Reaped::Everything,
        }
    }
}

/// Kills and reaps everything below this process.
pub(crate) fn sweep(plugin: Pid, signals: &Signals) -> Swept {
    let deadline = Deadline::after(SWEEP_DEADLINE);
    let mut swept = Swept::default();
    // What is dead already was not killed by this sweep.
    let first = reap(|pid, status| {
        if pid == plugin {
            swept.plugin = Some(status);
        }
    });
    if first == Reaped::Everything {
        return swept;
    }
    let mut patience = FIRST_WAIT;
    while !deadline.passed() {
        let mut dying = kill_tree();
        let found = !dying.is_empty();
        let mut newcomers = false;
        let over = loop {
            let reaped = reap(|pid, status| {
                newcomers |= !dying.remove(&pid);
                if pid == plugin {
                    swept.plugin = Some(status);
                } else {
                    swept.killed += 1;
                }
            });
            if reaped == Reaped::Everything {
                return swept;
            }
            // Deaths come one by one. Once all that were found are gone, or one
            // that was not found, somebody is left whom this round did not see;
            // so too, perhaps, when nothing happens for a while.
            let over = found && dying.is_empty();
            if over || newcomers || deadline.passed() || !signals.wait(patience) {
                break over;
            }
        };
        patience = if over { FIRST_WAIT } else { LAST_WAIT.min(patience * 2) };
    }
    swept.left = Walk::new().count(&Node::top(), 0);
    swept
}

/// One round: stops everything that there is, then kills it. Gives the
/// processes that it found.
fn kill_tree() -> HashSet<Pid> {
    let limit = Deadline::after(FREEZE_LIMIT);
    let mut walk = Walk::new();
    for _ in 0..FREEZES {
        let known = walk.seen.len();
        walk.children = Children::now();
        walk.stop(&Node::top(), 0);
        if walk.seen.len() == known || limit.passed() {
            break;
        }
    }
    walk.children = Children::now();
    walk.kill(&Node::top(), 0);
    walk.seen
}

/// A process in the tree: this one, or one that is held by a pidfd.
struct Node {
    pid: Pid,
    held: Option<OwnedFd>,
}

impl Node {
    /// This process, above all others.
    fn top() -> Self {
        Self { pid: getpid(), held: None }
    }

    /// The child of `parent` that has this id; none when the id is not, or no
    /// longer, a child's. The order of the three steps is the proof in the
    /// module's description.
    fn child(parent: &Self, pid: Pid) -> Option<Self> {
        let held = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let proven = proc::parent(pid) == Some(parent.pid) && parent.lives();
        proven.then_some(Self { pid, held: Some(held) })
    }

    /// Whether the process has not ended: its pidfd is readable once it has.
    fn lives(&self) -> bool {
        let Some(held) = &self.held else { return true };
        let mut ended = [PollFd::new(held, PollFlags::IN)];
        matches!(poll(&mut ended, Some(&Timespec::default())), Ok(0))
    }

    fn signal(&self, signal: Signal) {
        if let Some(held) = &self.held {
            // It may be gone, or be another user's: what is left is counted.
            let _ = pidfd_send_signal(held, signal);
        }
    }
}

/// A walk over the tree.
struct Walk {
    children: Children,
    seen: HashSet<Pid>,
}

impl Walk {
    fn new() -> Self {
        Self { children: Children::now(), seen: HashSet::new() }
    }

    fn below(&self, parent: &Node, depth: usize) -> Vec<Pid> {
        if depth == DEPTH {
            return Vec::new();
        }
        self.children.of(parent.pid)
    }

    /// Stops the tree, each process before its children are looked at.
    fn stop(&mut self, parent: &Node, depth: usize) {
        for pid in self.below(parent, depth) {
            if let Some(child) = Node::child(parent, pid) {
                child.signal(Signal::STOP);
                self.seen.insert(pid);
                self.stop(&child, depth + 1);
            }
        }
    }

    /// Kills the tree, the children of each process before itself.
    fn kill(&mut self, parent: &Node, depth: usize) {
        for pid in self.below(parent, depth) {
            if let Some(child) = Node::child(parent, pid) {
                self.kill(&child, depth + 1);
                child.signal(Signal::KILL);
                self.seen.insert(pid);
            }
        }
    }

    /// Counts the tree without this process.
    fn count(&self, parent: &Node, depth: usize) -> u32 {
        self.below(parent, depth)
            .into_iter()
            .filter_map(|pid| Node::child(parent, pid))
            .map(|child| 1 + self.count(&child, depth + 1))
            .sum()
    }
}
