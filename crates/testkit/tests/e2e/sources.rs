//! Instances that come from elsewhere than their distributions.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outrigger::distribution::{DiscoveryError, VerifyError};
use outrigger::helloworld::{self, Greeter as _};
use outrigger::{
    ExitStatus, Generation, Health, HostError, Order, Output, PluginErrorKind, PluginHost,
    PluginState, Program, Reattach, Runner, Running, RunsAs, SecurityMode, Started,
};
use outrigger_testkit::{artifacts, e2e, harness, kit::Kit, load::Load};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{greeter, status, stop, wait_for};

/// A folder with a script that runs the fixture plugin.
fn folder(kit: &Kit, scenario: &str) -> PathBuf {
    let folder = kit.path().join("work");
    fs::create_dir_all(&folder).unwrap();
    let metadata = json!({ "name": "work", "version": "1.0.0", "entrypoint": "run" });
    fs::write(folder.join("plugin-meta.json"), metadata.to_string()).unwrap();
    write_script(&folder, scenario);
    folder
}

fn write_script(folder: &Path, scenario: &str) {
    let fixture = artifacts::fixture_plugin();
    let (new, run) = (folder.join("run.new"), folder.join("run"));
    fs::write(&new, format!("#!/bin/sh\nexec '{}' {scenario}\n", fixture.display())).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(new, run).unwrap();
}

/// A kit whose provider's distribution does not exist.
fn kit() -> Kit {
    let mut kit = Kit::new();
    kit.provide("helloworld", "work");
    kit
}

/// A plugin without TLS under a host of its own, and how to attach to it.
async fn running() -> (Kit, PluginHost, Reattach) {
    let mut kit = Kit::with("ok");
    kit.set("/providers/helloworld/tls/mode", json!("none"));
    let host = kit.start().await;
    let reattach = host.reattach("helloworld").await.unwrap().unwrap();
    (kit, host, reattach)
}

/// A certificate for `localhost` that vouches for itself, and its key.
fn certify(kit: &Kit, name: &str) -> [PathBuf; 2] {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = ["pem", "key"].map(|ending| kit.path().join(format!("{name}.{ending}")));
    fs::write(&files[0], made.cert.pem()).unwrap();
    fs::write(&files[1], made.signing_key.serialize_pem()).unwrap();
    files
}

fn in_test_mode(reattach: Reattach) -> Reattach {
    Reattach { test: true, start_time: None, ..reattach }
}

async fn start(kit: &Kit, reattach: Reattach) -> PluginHost {
    let registered = kit.builder().attach("helloworld", reattach).register().unwrap();
    registered.start().await.unwrap()
}

e2e! {
    async fn a_folder_is_hosted_where_it_stands_and_reloaded_without_a_failed_call() {
        let kit = kit();
        let folder = folder(&kit, "ok");
        let host = kit.builder().develop("helloworld", &folder).register().unwrap();
        let host = host.start().await.unwrap();
        let now = status(&host);
        assert_eq!((now.runs_as, now.directory.as_deref()), (RunsAs::Process, Some(&*folder)));
        assert_eq!(now.security, Some(SecurityMode::Mutual));
        let load = Load::start(&greeter(&host), 4);
        for n in 2..6 {
            load.progress(20).await;
            write_script(&folder, "echo-env");
            assert_eq!(host.reload("helloworld").await.unwrap(), Generation(n));
        }
        load.progress(20).await;
        write_script(&folder, "exit-before-handshake 7");
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("exit code 7"), "{error}");
        assert_eq!(status(&host).generation, Some(Generation(5)));
        let outcome = load.finish().await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        let before = fs::read_dir(&folder).unwrap().count();
        stop(host).await;
        assert_eq!(fs::read_dir(&folder).unwrap().count(), before, "nothing of it is removed");
        kit.assert_clean();
    }

    async fn a_folder_is_refused_wherever_plugins_are_verified() {
        let kit = kit();
        let folder = folder(&kit, "ok");
        let builder = PluginHost::builder()
            .settings_url(kit.settings_url())
            .interface(helloworld::interface())
            .develop("helloworld", &folder);
        let HostError::Plugin(error) = builder.register().unwrap_err() else { panic!("another") };
        assert!(matches!(
            &*error.kind,
            PluginErrorKind::Discovery(DiscoveryError::Verify(VerifyError::Directory { .. }))
        ));
        assert!(error.to_string().contains("pack and sign it"), "{error}");
    }

    async fn an_instance_has_one_source_and_must_be_configured() {
        let kit = kit();
        let error = kit.builder().develop("other", "/x").register().unwrap_err();
        assert!(matches!(error, HostError::UnknownInstance { .. }), "{error}");
        let runner = Arc::new(Somebody);
        let builder = kit.builder().develop("helloworld", "/x").runner("HelloWorld", runner);
        let error = builder.register().unwrap_err();
        assert!(matches!(error, HostError::SaidTwice { what: "source", .. }), "{error}");
    }

    async fn a_plugin_in_test_mode_is_attached_to_and_survives_the_host() {
        let (_kit, first, reattach) = running().await;
        let kit = kit();
        let host = start(&kit, in_test_mode(reattach)).await;
        let now = status(&host);
        assert_eq!((now.runs_as, now.security), (RunsAs::Attached, Some(SecurityMode::None)));
        assert_eq!(now.pid, status(&first).pid);
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // Another connection to the same process.
        assert!(host.reload("helloworld").await.unwrap() > Generation(1));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        assert_eq!(greeter(&first).greeting("x").await.unwrap(), "Hello x!");
        stop(first).await;
        kit.assert_clean();
    }

    async fn the_death_of_what_is_attached_to_is_waited_out() {
        let (_kit, first, reattach) = running().await;
        let kit = kit();
        let host = start(&kit, in_test_mode(reattach)).await;
        let pid = status(&host).pid.unwrap();
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
        wait_for(&host, |now| now.state == PluginState::Failed).await;
        let error = greeter(&host).greeting("x").await.unwrap_err();
        assert!(error.was_not_sent(), "{error}");
        // Its own host has started another one by then, at another socket.
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains(&pid.to_string()), "{error}");
        let error = host.health("helloworld", Duration::from_secs(1)).await.unwrap_err();
        assert!(matches!(error, HostError::NotServing { .. }), "{error}");
        stop(host).await;
        stop(first).await;
    }

    async fn automtls_that_was_asked_for_is_refused_with_what_runs_already() {
        let (_kit, first, reattach) = running().await;
        let mut kit = kit();
        kit.set("/providers/helloworld/tls/mode", json!("auto"));
        let builder = kit.builder().attach("helloworld", in_test_mode(reattach));
        let error = builder.register().unwrap().start().await.unwrap_err().to_string();
        assert!(error.contains("AutoMTLS cannot be reattached to"), "{error}");
        stop(first).await;
    }

    async fn what_stands_at_a_breakpoint_is_not_taken_for_dead() {
        let (_kit, first, reattach) = running().await;
        let mut kit = kit();
        kit.set("/timeouts", json!({
            "healthInterval": "20ms", "healthTimeout": "20ms", "healthMisses": 1, "call": "200ms",
        }));
        let host = start(&kit, in_test_mode(reattach)).await;
        let pid = Pid::from_raw(status(&host).pid.unwrap().cast_signed()).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        let late = greeter(&host).greeting("x").await.unwrap_err();
        assert_eq!(late.outcome(), "deadline", "{late}");
        assert_eq!(status(&host).state, PluginState::Ready);
        kill_process(pid, Signal::CONT).unwrap();
        assert_eq!(host.health("helloworld", crate::STOP).await.unwrap(), Health::Serving);
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        stop(first).await;
    }

    async fn a_plugin_that_another_host_of_this_process_runs_is_attached_to_over_its_tls() {
        let first_kit = Kit::with("ok");
        let first = first_kit.start().await;
        let reattach = first.reattach("helloworld").await.unwrap().unwrap();
        let kit = kit();
        let host = start(&kit, reattach).await;
        assert_eq!(status(&host).security, Some(SecurityMode::Mutual));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // To make room it would have to end the only process there is.
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("a reload would end it"), "{error}");
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        // It was not in test mode, so that ended it, and its own host noticed.
        wait_for(&first, |now| now.generation == Some(Generation(2))).await;
        stop(first).await;
    }

    async fn the_variable_attaches_where_nothing_is_verified_and_is_refused_elsewhere() {
        let (_kit, first, reattach) = running().await;
        let entries = BTreeMap::from([
            ("HelloWorld".to_owned(), in_test_mode(reattach.clone())),
            ("somebody-else-s".to_owned(), reattach),
        ]);
        let kit = kit();
        let run = |flag: &str| {
            Command::new(artifacts::command())
                .args(["run", "--json", "--plugins", &kit.settings_url(), flag])
                .env("OUTRIGGER_REATTACH_PLUGINS", Reattach::to_json(&entries))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let refused = run("--plugins.localverify").wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.contains("OUTRIGGER_REATTACH_PLUGINS") && text.contains("verifies"), "{text}");

        let mut node = run("--plugins.skipverify");
        let mut line = String::new();
        BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let plugin = &ready["plugins"][0];
        assert_eq!(plugin["runs_as"], "attached", "{line}");
        assert_eq!(plugin["security"], "none", "{line}");
        assert_eq!(plugin["pid"].as_u64(), status(&first).pid.map(u64::from), "{line}");
        let pid = Pid::from_raw(node.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = node.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && text.contains("somebody-else-s"), "{text}");
        assert_eq!(greeter(&first).greeting("x").await.unwrap(), "Hello x!");
        stop(first).await;
    }

    async fn a_runner_starts_the_processes_of_one_instance() {
        let kit = Kit::with("echo-env");
        let builder = kit.builder().runner("helloworld", Arc::new(Somebody));
        let host = builder.register().unwrap().start().await.unwrap();
        assert_eq!(status(&host).runs_as, RunsAs::Runner);
        let greeter = greeter(&host);
        assert_eq!(greeter.greeting("env:STARTED_BY").await.unwrap(), "somebody");
        assert_eq!(host.reload("helloworld").await.unwrap(), Generation(2));
        assert_eq!(greeter.greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_provider_s_variables_and_message_size_reach_its_process_and_its_calls() {
        let mut kit = Kit::with("big-reply");
        kit.set("/providers/helloworld/variables", json!({ "COLOUR": "green" }));
        kit.set("/providers/helloworld/largestMessage", json!("1MiB"));
        let host = kit.start().await;
        let greeter = greeter(&host);
        assert_eq!(greeter.greeting("env:COLOUR").await.unwrap(), "green");
        assert_eq!(greeter.greeting("big:1000000").await.unwrap().len(), 1_000_000);
        assert!(greeter.greeting("big:2000000").await.is_err());
        // More than a generated client takes by itself.
        kit.set("/providers/helloworld/largestMessage", json!("8MiB"));
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter.greeting("big:6000000").await.unwrap().len(), 6_000_000);
        stop(host).await;
    }

    async fn status_says_how_a_generation_is_connected_to() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/multiplex", json!(true));
        let host = kit.start().await;
        let now = status(&host);
        assert_eq!((now.app_version, now.multiplexed), (Some(1), Some(true)));
        assert_eq!((now.security, now.runs_as), (Some(SecurityMode::Mutual), RunsAs::Process));
        kit.set("/providers/helloworld/multiplex", json!(false));
        kit.set("/providers/helloworld/tls/mode", json!("none"));
        host.reload("helloworld").await.unwrap();
        let now = status(&host);
        assert_eq!((now.multiplexed, now.security), (Some(false), Some(SecurityMode::None)));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_checksum_of_other_bytes_and_a_group_that_is_none_keep_a_plugin_from_starting() {
        let mut kit = Kit::with("ok");
        let digits = "0".repeat(64);
        kit.set("/providers/helloworld/checksum", json!(format!("sha256:{digits}")));
        let refused = kit.builder().register().unwrap().start().await.unwrap_err().to_string();
        assert!(refused.contains(&digits), "{refused}");
        kit.set("/providers/helloworld/checksum", json!(null));
        kit.set("/providers/helloworld/socketGroup", json!("no-such-group"));
        let refused = kit.builder().register().unwrap().start().await.unwrap_err().to_string();
        assert!(refused.contains("no-such-group"), "{refused}");
        kit.assert_clean();
    }

    async fn tls_that_both_sides_were_given_is_spoken_and_read_anew_for_each_generation() {
        let mut kit = kit();
        let host_files = certify(&kit, "host");
        let plugin_files = certify(&kit, "plugin");
        let folder = folder(&kit, "");
        let give = |folder: &Path, [certificate, key]: &[PathBuf; 2]| {
            let program = artifacts::interop_plugin();
            let words = [&program, certificate, key, &host_files[0]].map(|path| path.display());
            let [program, certificate, key, roots] = words;
            let script =
                format!("#!/bin/sh\nexec '{program}' --tls '{certificate}' '{key}' '{roots}'\n");
            fs::write(folder.join("run"), script).unwrap();
        };
        give(&folder, &plugin_files);
        let roots = kit.path().join("roots.pem");
        fs::copy(&plugin_files[0], &roots).unwrap();
        kit.set("/providers/helloworld/tls", json!({
            "certificate": host_files[0], "key": host_files[1], "roots": roots,
        }));
        let builder = kit.builder().develop("helloworld", &folder);
        let host = builder.register().unwrap().start().await.unwrap();
        assert_eq!(status(&host).security, Some(SecurityMode::Given));
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // A plugin with another certificate, which these roots do not vouch for.
        let others = certify(&kit, "other");
        give(&folder, &others);
        let error = host.reload("helloworld").await.unwrap_err().to_string();
        assert!(error.contains("TLS"), "{error}");
        fs::copy(&others[0], &roots).unwrap();
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn files_that_tls_cannot_be_made_of_are_named() {
        let mut kit = Kit::with("ok");
        let file = kit.path().join("no.pem");
        fs::write(&file, "secret").unwrap();
        kit.set("/providers/helloworld/tls", json!({
            "certificate": file, "key": file, "roots": kit.path().join("absent.pem"),
        }));
        let refused = kit.builder().register().unwrap().start().await.unwrap_err().to_string();
        assert!(refused.contains("its `tls` cannot be used"), "{refused}");
        assert!(refused.contains("absent.pem") && !refused.contains("secret"), "{refused}");
        fs::write(kit.path().join("absent.pem"), "").unwrap();
        let refused = kit.builder().register().unwrap().start().await.unwrap_err().to_string();
        assert!(refused.contains("CERTIFICATE") && !refused.contains("secret"), "{refused}");
    }

    async fn copies_of_an_instance_s_log_go_to_whoever_wants_them() {
        let kit = Kit::with("flood-stderr");
        let (sender, mut copies) = watch::channel(0_usize);
        let count = move |bytes: &[u8]| sender.send_modify(|seen| *seen += bytes.len());
        let output = Output { raw_stderr: Some(Arc::new(count)), ..Output::default() };
        let builder = kit.builder().output("helloworld", output);
        let host = builder.register().unwrap().start().await.unwrap();
        tokio::time::timeout(crate::STOP, copies.wait_for(|seen| *seen > 1 << 20)).await.unwrap().unwrap();
        stop(host).await;
    }
}

/// Starts plugins as plain children.
#[derive(Debug)]
struct Somebody;

#[tonic::async_trait]
impl Runner for Somebody {
    async fn start(&self, order: Order) -> std::io::Result<Started> {
        let Program::Path(program) = order.program else {
            return Err(std::io::Error::other("it is in the host's memory"));
        };
        let mut child = tokio::process::Command::new(program)
            .args(&order.arguments)
            .env_clear()
            .envs(order.environment)
            .env("STARTED_BY", "somebody")
            .current_dir(&order.working_directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let pid = child.id().unwrap();
        let (end, ended) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.ok().and_then(|status| status.code());
            end.send_replace(Some(status.map_or(ExitStatus::Unknown, ExitStatus::Code)));
        });
        let running = Arc::new(Child { pid, ended });
        Ok(Started { running, stdout: Box::new(stdout), stderr: Box::new(stderr) })
    }
}

#[derive(Debug)]
struct Child {
    pid: u32,
    ended: watch::Receiver<Option<ExitStatus>>,
}

#[tonic::async_trait]
impl Running for Child {
    fn id(&self) -> String {
        self.pid.to_string()
    }

    async fn wait(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.ok().and_then(|status| *status);
        status.unwrap_or(ExitStatus::Unknown)
    }

    async fn kill(&self) -> std::io::Result<()> {
        if self.ended.borrow().is_none() {
            harness::kill_tree(self.pid);
        }
        Ok(())
    }
}
