//! One plugin, launched and stopped again and again.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use outrigger::helloworld;
use outrigger_transport::{
    Containment, Driver as _, Endpoint, Image, LaunchSpec, Launcher, ProcessDriver, Program,
    StopLadder, Stopped,
};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{CallRaw, Failure, Way as _};

/// What each part of one plugin's life took.
#[derive(Debug, Clone, Copy)]
pub struct Lap {
    /// Identity, launcher and exec.
    pub spawn: Duration,
    /// From the exec to the handshake line.
    pub line: Duration,
    /// Socket, TLS and HTTP/2.
    pub connect: Duration,
    /// The first call, from when the connection stands.
    pub first_call: Duration,
    /// From the decision to launch until the first call's answer.
    pub total: Duration,
    /// From the decision to stop until the whole tree and its files are gone.
    pub stop: Duration,
}

/// Launches the plugin from sealed memory, as a host does with a verified
/// single-file executable.
#[derive(Debug)]
pub struct Launches {
    driver: ProcessDriver,
    spec: LaunchSpec,
    directory: TempDir,
}

impl Launches {
    /// Of the plugin at `plugin`, through a launcher or directly.
    ///
    /// # Errors
    ///
    /// The executable cannot be read, or the temporary directory not be made.
    pub fn new(plugin: &Path, launcher: Option<Launcher>) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("outrigger-bench").tempdir()?;
        let image = Image::seal("outrigger-bench-plugin", &mut File::open(plugin)?)?;
        let interface = helloworld::interface();
        let program = Program::Image(Arc::new(image));
        let spec = LaunchSpec {
            name: "outrigger-bench-plugin".to_owned(),
            protocol_versions: interface.protocol_versions,
            start_timeout: Duration::from_secs(10),
            ..LaunchSpec::new(helloworld::INTERFACE, program, interface.cookie, directory.path())
        };
        Ok(Self { driver: ProcessDriver::new(launcher), spec, directory })
    }

    /// Launches, calls once, stops.
    ///
    /// # Panics
    ///
    /// Any of it fails, or goes another way than it should.
    pub async fn lap(&self) -> Lap {
        let started = Instant::now();
        let launched = self.driver.launch(self.spec.clone(), CancellationToken::new()).await;
        let connection = launched.expect("the benchmark's plugin could not be launched");
        let connected = Instant::now();
        let Endpoint::Rpc(rpc) = connection.endpoint() else {
            panic!("the benchmark's plugin runs within the node")
        };
        CallRaw::new(rpc).call().await;
        let (first_call, total) = (connected.elapsed(), started.elapsed());
        let info = connection.info();
        let held = info.containment == Containment::Tree;
        assert_eq!(held, self.driver.launcher().is_some(), "another containment than meant");
        let stopping = Instant::now();
        let stopped = connection.stop(StopLadder::default()).await;
        let stop = stopping.elapsed();
        assert_eq!(stopped, Stopped::Graceful, "the benchmark's plugin did not end when asked");
        let timings = info.timings;
        Lap {
            spawn: timings.spawn,
            line: timings.line,
            connect: timings.connect,
            first_call,
            total,
            stop,
        }
    }

    /// What launches left behind on the disk.
    ///
    /// # Errors
    ///
    /// The directory cannot be read.
    pub fn left(&self) -> Result<usize, Failure> {
        Ok(fs::read_dir(self.directory.path())?.count())
    }
}
