//! What a service manager such as systemd is told of a host: that it is ready, how
//! its plugins are, that it reloads, that it lives, that it stops.
//!
//! Nothing is sent unless the service manager asked for it by `NOTIFY_SOCKET`, and
//! plugins do not get that variable.

mod socket;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use outrigger::manager::messages::GetStatus;
use outrigger::{PluginHost, PluginState, PluginStatus, Remote};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::socket::Socket;

const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";
const WATCHDOG_USEC: &str = "WATCHDOG_USEC";
const WATCHDOG_PID: &str = "WATCHDOG_PID";

/// Bytes of a status; the service manager shows a line.
const LONGEST_STATUS: usize = 1024;

/// A service manager, or nobody.
#[derive(Debug, Clone)]
pub(crate) struct Systemd {
    socket: Option<Arc<Socket>>,
    /// Within which it wants to hear that the host lives.
    watchdog: Option<Duration>,
}

impl Systemd {
    /// Whoever the environment names.
    pub(crate) fn find() -> Self {
        let name = std::env::var_os(NOTIFY_SOCKET).filter(|name| !name.is_empty());
        let socket = name.and_then(|name| match Socket::connect(&name) {
            Ok(socket) => Some(Arc::new(socket)),
            Err(error) => {
                let name = name.display();
                tracing::warn!("{NOTIFY_SOCKET} names `{name}`, which cannot be reached: {error}; the service manager is told nothing");
                None
            }
        });
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let ours = number(WATCHDOG_PID).is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number(WATCHDOG_USEC).filter(|usec| ours && *usec > 0);
        let watchdog = watchdog.map(Duration::from_micros).filter(|_| socket.is_some());
        Self { socket, watchdog }
    }

    fn tell(&self, assignments: &[String]) {
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(assignments)) {
            tracing::warn!("the service manager could not be told {assignments:?}: {error}");
        }
    }

    /// Plugins are being started.
    pub(crate) fn starting(&self) {
        self.tell(&["STATUS=starting".to_owned()]);
    }

    /// The host ends.
    pub(crate) fn stopping(&self) {
        self.tell(&["STOPPING=1".to_owned(), "STATUS=stopping".to_owned()]);
    }

    /// All required plugins serve: from now on the service manager hears of every
    /// change, and that the host lives.
    pub(crate) fn serving(&self, host: &PluginHost) -> Serving {
        let (refused, _) = watch::channel(None);
        let serving = Serving {
            systemd: self.clone(),
            remote: host.remote(),
            refused,
            end: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        if self.socket.is_none() {
            return serving;
        }
        self.tell(&["READY=1".to_owned(), serving.status()]);
        let (following, end) = (serving.clone(), serving.end.clone());
        serving.tasks.spawn(end.run_until_cancelled_owned(following.follow()));
        if let Some(within) = self.watchdog {
            let (systemd, manager) = (self.clone(), host.manager());
            let lives = move || {
                let manager = manager.clone();
                async move { manager.send(GetStatus).await.is_ok() }
            };
            let feed = move || systemd.tell(&["WATCHDOG=1".to_owned()]);
            let end = serving.end.clone();
            serving.tasks.spawn(end.run_until_cancelled_owned(watch_over(within / 2, lives, feed)));
        }
        serving
    }
}

/// A host that serves, and whoever is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    systemd: Systemd,
    remote: Remote,
    /// Why the last settings were not taken up.
    refused: watch::Sender<Option<String>>,
    end: CancellationToken,
    tasks: TaskTracker,
}

impl Serving {
    /// Settings are being taken up.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.systemd.tell(&["RELOADING=1".to_owned(), format!("MONOTONIC_USEC={usec}")]);
    }

    /// They were taken up, or were not for this reason. The host serves either way.
    pub(crate) fn reloaded(&self, refused: Option<String>) {
        self.refused.send_replace(refused);
        self.systemd.tell(&["READY=1".to_owned(), self.status()]);
    }

    /// Says that it ends, and nothing after that.
    pub(crate) async fn stopping(self) {
        self.end.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.systemd.stopping();
    }

    fn status(&self) -> String {
        let refused = self.refused.borrow();
        format!("STATUS={}", summary(&self.remote.status(), refused.as_deref()))
    }

    async fn follow(self) {
        let mut events = self.remote.events();
        let mut told = String::new();
        loop {
            let status = self.status();
            if status != told {
                self.systemd.tell(std::slice::from_ref(&status));
                told = status;
            }
            match events.recv().await {
                // What was missed is in the status.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }
}

/// How many serve, and who is ill and why, on one line.
fn summary(plugins: &[PluginStatus], refused: Option<&str>) -> String {
    let serves = |plugin: &&PluginStatus| {
        plugin.generation.is_some()
            && matches!(plugin.state, PluginState::Ready | PluginState::Reloading)
    };
    let (well, ill): (Vec<_>, Vec<_>) = plugins.iter().partition(serves);
    let mut text = format!("{} of {} plugins serve", well.len(), plugins.len());
    for plugin in ill {
        text.push_str(&format!("; `{}` is {}", plugin.instance, plugin.state));
        if let Some(error) = &plugin.last_error {
            text.push_str(&format!(": {error}"));
        }
    }
    if let Some(refused) = refused {
        text.push_str(&format!("; the last settings were not taken up: {refused}"));
    }
    text.truncate(text.floor_char_boundary(LONGEST_STATUS));
    text.replace(char::is_control, " ")
}

/// Feeds once a period, if whoever is asked answers within half of it: a host that is
/// stuck is not fed.
async fn watch_over<F>(period: Duration, lives: impl Fn() -> F, feed: impl Fn())
where
    F: Future<Output = bool>,
{
    let (deadline, mut ticks) = (period / 2, tokio::time::interval(period));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if tokio::time::timeout(deadline, lives()).await == Ok(true) {
            feed();
        } else {
            tracing::error!(
                "the host did not answer within {deadline:?}; the service manager's watchdog is not fed"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Feedings within ten periods, when the host answers after `delay`.
    async fn fed(delay: Duration) -> u32 {
        let fed = Cell::new(0);
        let period = Duration::from_secs(1);
        let lives = || async move {
            tokio::time::timeout(delay, std::future::pending::<()>()).await.is_err()
        };
        let feed = || fed.set(fed.get() + 1);
        let limit = Duration::from_millis(9_500);
        let ended = tokio::time::timeout(limit, watch_over(period, lives, feed)).await;
        assert!(ended.is_err(), "it watches for ever");
        fed.get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_is_stuck_is_not_fed_and_one_that_answers_is() {
        assert_eq!(fed(Duration::from_millis(1)).await, 10);
        assert_eq!(fed(Duration::from_millis(400)).await, 10, "slow is not stuck");
        assert_eq!(fed(Duration::from_secs(86_400)).await, 0);
    }

    #[test]
    fn a_summary_is_one_line_of_bounded_length() {
        assert_eq!(summary(&[], None), "0 of 0 plugins serve");
        let text = summary(&[], Some(&format!("line\n{}", "é".repeat(5_000))));
        assert!(text.len() <= LONGEST_STATUS && !text.contains('\n'), "{text}");
        assert!(text.contains("not taken up: line é"));
    }
}
