//! A runner: the process is started by somebody else, and sees its sockets at
//! another path than the host.

use std::io;
use std::process::Stdio;
use std::sync::Mutex;

use async_trait::async_trait;
use outrigger_transport::{
    Address, AttachDriver, ExitStatus, Order, Runner, RunnerDriver, Running, Started, Translate,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::sync::watch;

use super::*;

/// Where the process finds its own working directory: a path that means another
/// place to everybody else.
const INSIDE: &str = "/proc/self/cwd";

/// Starts the program with the socket directory as its working directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elsewhere {
    /// Names the file, so that a checksum can be taken.
    names_file: bool,
    /// Does not translate, as a runner that was forgotten to be finished.
    untranslated: bool,
}

#[async_trait]
impl Runner for Elsewhere {
    async fn start(&self, order: Order) -> io::Result<Started> {
        let Program::Path(program) = order.program else {
            return Err(io::Error::other("it is in this host's memory"));
        };
        let mut command = Command::new(program);
        command
            .args(&order.arguments)
            .env_clear()
            .envs(order.environment)
            .env("PLUGIN_UNIX_SOCKET_DIR", INSIDE)
            .env("TMPDIR", INSIDE)
            .current_dir(&order.socket_directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let streams = child.stdout.take().zip(child.stderr.take());
        let (stdout, stderr) = streams.ok_or_else(|| io::Error::other("no pipes"))?;
        let pid = child.id().ok_or_else(|| io::Error::other("no process"))?;
        let (end, ended) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.ok().and_then(|status| status.code());
            end.send_replace(Some(status.map_or(ExitStatus::Unknown, ExitStatus::Code)));
        });
        let outside = (!self.untranslated).then_some(order.socket_directory);
        let running = Arc::new(Remote { pid, ended, outside });
        Ok(Started { running, stdout: Box::new(stdout), stderr: Box::new(stderr) })
    }

    fn executable(&self, _: &LaunchSpec) -> Option<PathBuf> {
        self.names_file.then(|| FIXTURE.into())
    }
}

#[derive(Debug)]
struct Remote {
    pid: u32,
    ended: watch::Receiver<Option<ExitStatus>>,
    outside: Option<PathBuf>,
}

#[async_trait]
impl Running for Remote {
    fn id(&self) -> String {
        format!("remote-{}", self.pid)
    }

    async fn wait(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await;
        ended.ok().and_then(|status| *status).unwrap_or(ExitStatus::Unknown)
    }

    async fn kill(&self) -> io::Result<()> {
        if self.ended.borrow().is_none() {
            let _gone = kill_process(Pid::from_raw(self.pid.cast_signed()).unwrap(), Signal::KILL);
        }
        Ok(())
    }

    fn translation(&self) -> Option<Arc<dyn Translate>> {
        let outside = self.outside.clone()?;
        Some(Arc::new(Moved { outside }))
    }
}

/// The same files at two paths.
#[derive(Debug)]
struct Moved {
    outside: PathBuf,
}

impl Translate for Moved {
    fn plugin_to_host(&self, address: Address) -> Address {
        match address {
            Address::Unix(path) => match path.strip_prefix(INSIDE) {
                Ok(name) => Address::Unix(self.outside.join(name)),
                Err(_) => Address::Unix(path),
            },
            tcp => tcp,
        }
    }

    fn host_to_plugin(&self, address: Address) -> Address {
        match address {
            Address::Unix(path) => match path.strip_prefix(&self.outside) {
                Ok(name) => Address::Unix(Path::new(INSIDE).join(name)),
                Err(_) => Address::Unix(path),
            },
            tcp => tcp,
        }
    }
}

pub(crate) async fn launch(
    runner: Elsewhere,
    spec: LaunchSpec,
) -> Result<Arc<dyn Connection>, LaunchError> {
    RunnerDriver::new(Arc::new(runner)).launch(spec, CancellationToken::new()).await
}

#[tokio::test]
async fn a_runner_starts_the_plugin_elsewhere_and_its_addresses_are_translated() {
    let directory = tempfile::tempdir().unwrap();
    let spec = spec(directory.path(), "echo-env");
    let connection = launch(Elsewhere::default(), spec).await.unwrap();
    assert_eq!(ask(&*connection, "env:PLUGIN_UNIX_SOCKET_DIR").await, INSIDE);
    let reattach = connection.reattach().unwrap();
    assert_eq!((connection.info().pid, reattach.pid), (None, None), "the number is the runner's");
    let Address::Unix(path) = &reattach.address else { panic!("it is a socket") };
    assert!(path.starts_with(directory.path()) && path.exists(), "{path:?}");
    let pid: u32 = ask(&*connection, "pid").await.parse().unwrap();
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    until(|| !runs(pid)).await;
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    assert_eq!(connection.kill().await, Stopped::AlreadyDead, "a kill may be asked for twice");
}

#[tokio::test]
async fn without_its_translation_nobody_is_found_and_the_process_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let runner = Elsewhere { untranslated: true, ..Elsewhere::default() };
    let error = launch(runner, spec(directory.path(), "ok")).await.unwrap_err();
    assert!(error.to_string().contains(INSIDE), "{error}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_runner_that_names_its_file_has_its_checksum_taken() {
    let directory = tempfile::tempdir().unwrap();
    let file = std::fs::File::open(FIXTURE).unwrap();
    let right = outrigger_discovery::sha256(file).unwrap();
    let with = |checksum| LaunchSpec { checksum, ..spec(directory.path(), "ok") };
    let runner = Elsewhere { names_file: true, ..Elsewhere::default() };
    let connection = launch(runner.clone(), with(Some(right))).await.unwrap();
    connection.stop(StopLadder::default()).await;
    let wrong = outrigger_types::Sha256Digest([0; 32]);
    let error = launch(runner, with(Some(wrong))).await.unwrap_err();
    assert!(matches!(error, LaunchError::ChecksumMismatch { .. }), "{error}");
    let error = launch(Elsewhere::default(), with(Some(right))).await.unwrap_err();
    assert!(matches!(error, LaunchError::Excluded { .. }), "{error}");
}

#[tokio::test]
async fn a_runner_s_plugin_that_dies_is_seen_dead_and_one_that_is_dropped_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let start = || launch(Elsewhere::default(), spec(directory.path(), "crash-on-call"));
    let connection = start().await.unwrap();
    let pid: u32 = ask(&*connection, "pid").await.parse().unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    timeout(PATIENCE, connection.died()).await.expect("its death is seen");
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::AlreadyDead);

    let connection = start().await.unwrap();
    let pid: u32 = ask(&*connection, "pid").await.parse().unwrap();
    drop(connection);
    until(|| !runs(pid)).await;
}

#[tokio::test]
async fn a_plugin_that_a_runner_holds_is_attached_to_without_a_number() {
    let directory = tempfile::tempdir().unwrap();
    let mut order = spec(directory.path(), "ok");
    order.security = Security::Plaintext;
    let runner = Elsewhere::default();
    let held = Holding::default();
    let driver = RunnerDriver::new(Arc::new(Recorded { runner, held: held.clone() }));
    let first = driver.launch(order.clone(), CancellationToken::new()).await.unwrap();
    let reattach = first.reattach().unwrap();
    let running = held.lock().unwrap().clone().unwrap();
    let attach = || AttachDriver::held(reattach.clone(), running.clone());
    drop(attach().launch(order.clone(), CancellationToken::new()).await.unwrap());
    let attached = attach().launch(order, CancellationToken::new()).await.unwrap();
    assert_eq!(attached.info().pid, None);
    assert_eq!(attached.health(PATIENCE).await, Health::Serving, "a dropped one leaves it alone");
    assert_eq!(attached.stop(StopLadder::default()).await, Stopped::Graceful);
    timeout(PATIENCE, first.died()).await.expect("its death is seen");
}

type Holding = Arc<Mutex<Option<Arc<dyn Running>>>>;

/// Keeps what the runner started, as a container's manager does.
#[derive(Debug)]
struct Recorded {
    runner: Elsewhere,
    held: Holding,
}

#[async_trait]
impl Runner for Recorded {
    async fn start(&self, order: Order) -> io::Result<Started> {
        let started = self.runner.start(order).await?;
        *self.held.lock().unwrap() = Some(started.running.clone());
        Ok(started)
    }
}
