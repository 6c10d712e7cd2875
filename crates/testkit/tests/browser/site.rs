//! A host with its dashboard, in this process.

use std::net::SocketAddr;
use std::time::Duration;

use outrigger::PluginHost;
use outrigger::helloworld::{Greeter as _, Handle};
use outrigger_admin::{Admin, AdminOptions};
use outrigger_testkit::artifacts;
use outrigger_testkit::census::descendants;
use outrigger_testkit::kit::Kit;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::task::JoinHandle;

/// What a hostile plugin might write.
const MARKUP: &str = "<img src=x onerror=globalThis.made=1><b>bold</b>";

/// Between two calls.
const APART: Duration = Duration::from_millis(20);

pub(crate) struct Site {
    kit: Kit,
    address: SocketAddr,
    running: Option<(PluginHost, Admin)>,
    calls: Option<JoinHandle<()>>,
}

impl Site {
    /// With the fixture plugin as `helloworld`.
    pub(crate) async fn new() -> Self {
        Self::on(Kit::with("ok")).await
    }

    pub(crate) async fn on(kit: Kit) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let mut site = Self { kit, address: any, running: None, calls: None };
        site.begin().await;
        site
    }

    /// With a plugin that writes markup, and a line whenever it is told to.
    pub(crate) async fn that_logs() -> Self {
        let mut kit = Kit::new();
        let line = json!({ "@level": "warn", "@message": "written just now" });
        let fixture = artifacts::fixture_plugin();
        let script = format!(
            "#!/bin/sh\necho '{MARKUP}' >&2\n\
             (trap \"echo '{}' >&2\" USR1; while :; do sleep 0.1; done) &\n\
             exec '{}' ok\n",
            line.to_string().replace('"', "\\\""),
            fixture.display()
        );
        let files = [("run", script.as_bytes(), 0o755)];
        kit.pack("talker", &files, json!({ "entrypoint": "run" }));
        kit.provide("helloworld", "talker");
        Self::on(kit).await
    }

    async fn begin(&mut self) {
        let host = self.kit.start().await;
        let options = AdminOptions {
            tls: None,
            run_dir: self.kit.run_dir(),
            address: Some(self.address),
            metrics: None,
        };
        let admin = Admin::serve(host.remote(), options).await.unwrap();
        self.address = admin.address().unwrap();
        self.running = Some((host, admin));
    }

    /// Calls `helloworld`, fifty times a second.
    pub(crate) fn with_calls(mut self) -> Self {
        let handle = self.host().gateway::<Handle>("helloworld").unwrap();
        self.calls = Some(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(APART);
            loop {
                ticks.tick().await;
                // The page shows what becomes of it.
                let _outcome = handle.greeting("you").await;
            }
        }));
        self
    }

    fn host(&self) -> &PluginHost {
        &self.running.as_ref().unwrap().0
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn token_file(&self) -> String {
        self.kit.run_dir().join(outrigger_admin::TOKEN).display().to_string()
    }

    /// Does what a scenario asks for.
    pub(crate) async fn carry_out(&mut self, what: &str) {
        match what {
            "kill" => {
                let status = self.host().remote().status();
                let pid = status.iter().find_map(|status| status.pid).unwrap();
                kill(i32::try_from(pid).unwrap(), Signal::KILL);
            }
            "log" => {
                let shells = descendants().into_iter();
                let mut shells = shells.filter(|process| process.command.contains("/bin/sh"));
                kill(shells.next().expect("the shell runs").pid, Signal::USR1);
            }
            "break" => {
                self.kit.pack_fixture("fixture-helloworld", "exit-before-handshake 9");
            }
            "doom" => {
                self.kit.pack_fixture("fixture-helloworld", "exit-after-ready 1500");
            }
            "end" => self.stop().await,
            "begin" => {
                self.kit.add_fixture("second", "ok");
                self.begin().await;
            }
            other => panic!("nobody knows how to {other}"),
        }
    }

    async fn stop(&mut self) {
        if let Some(calls) = self.calls.take() {
            calls.abort();
        }
        let (host, admin) = self.running.take().unwrap();
        admin.stop().await;
        host.stop(Duration::from_secs(10)).await.unwrap();
    }

    pub(crate) async fn ends(mut self) {
        self.stop().await;
        self.kit.assert_clean();
    }
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
