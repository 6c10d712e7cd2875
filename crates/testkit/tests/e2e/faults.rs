//! Faults of the machine and of its people: no descriptors, no disk, a directory that
//! somebody removed, signals that are ignored, a node that is stopped for a while.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use outrigger::helloworld::Greeter as _;
use outrigger::manager::messages::GetLink;
use outrigger::{CallOptions, Endpoint, Generation, PluginState};
use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_testkit::census::{descendants_of, files};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::hosted::Hosted;
use outrigger_testkit::{artifacts, e2e, kit::Kit};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde_json::json;

use crate::{greeter, status, stop, wait_for};

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// `outrigger run` on a kit, under a shell that first does as it is told.
fn run_after(preparation: &str, kit: &Kit) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{preparation}; exec \"$@\""), "sh"]);
    command.arg(artifacts::command());
    command.args(["run", "--plugins.skipverify", "--json", "--plugins", &kit.settings_url()]);
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// The same, once it is ready.
fn ready_after(preparation: &str, kit: &Kit) -> Hosted {
    Hosted::start(run_after(preparation, kit))
}

/// Plugin processes below a host.
fn plugins_below(pid: u32) -> Vec<u32> {
    let below = descendants_of(pid).into_iter();
    let plugins = below.filter(|it| it.command.contains("fixture-plugin") && !it.zombie);
    plugins.map(|it| u32::try_from(it.pid).unwrap()).collect()
}

e2e! {
    async fn a_host_without_descriptors_goes_on_and_recovers() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let before = getrlimit(Resource::Nofile);
        // One more at a time, from none: each step of a reload is the one that fails.
        let mut errors = Vec::new();
        for room in 3.. {
            setrlimit(Resource::Nofile, Rlimit { current: Some(room), ..before }).unwrap();
            let reloaded = host.reload("helloworld").await;
            assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
            let now = status(&host).generation;
            setrlimit(Resource::Nofile, before).unwrap();
            let Err(error) = reloaded else { break };
            errors.push(error.to_string());
            assert_eq!(now, Some(Generation(1)), "{errors:?}");
        }
        assert!(errors[0].starts_with("settings file "), "{errors:?}");
        let of_it = |error: &String| error.starts_with("plugin `helloworld`: ");
        assert!(errors.iter().any(of_it), "{errors:?}");
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_run_directory_that_somebody_removed_is_made_again() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        // What a reload asked for in vain is not what comes back.
        kit.set("/providers/helloworld/version", json!("9.9.9"));
        host.reload("helloworld").await.unwrap_err();
        kit.set("/providers/helloworld/version", json!("1.0.0"));
        let remove = || {
            let hosts = fs::read_dir(kit.run_dir()).unwrap().flatten();
            for entry in hosts.filter(|it| it.file_name().as_encoded_bytes().starts_with(b"h")) {
                // What is unpacked is read-only.
                for directory in walk(&entry.path()) {
                    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
                }
                fs::remove_dir_all(entry.path()).unwrap();
            }
        };
        remove();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        // A restart finds its files gone and unpacks them again.
        kill(status(&host).pid.unwrap(), Signal::KILL);
        let now = wait_for(&host, |now| now.generation > Some(Generation(1))).await;
        assert!(now.last_error.unwrap().contains("are gone"), "the reason is told");
        assert_eq!(now.version.as_str(), "1.0.0");
        remove();
        host.reload("helloworld").await.unwrap();
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_host_that_ignores_the_end_of_children_sees_deaths_all_the_same() {
        for launcher in [true, false] {
            let mut kit = Kit::with("ok");
            if !launcher {
                kit.without_launcher();
            }
            let host = ready_after("trap '' CHLD", &kit);
            let first = plugins_below(host.pid())[0];
            kill(first, Signal::KILL);
            eventually("it is replaced", || {
                plugins_below(host.pid()).first().is_some_and(|pid| *pid != first)
            })
            .await;
            host.stop();
            kit.assert_clean();
        }
    }

    async fn a_host_that_was_stopped_for_longer_than_its_limits_goes_on() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts", json!({
            "healthInterval": "100ms", "healthTimeout": "200ms", "healthMisses": 3,
        }));
        let host = ready_after("true", &kit);
        let first = plugins_below(host.pid());
        host.signal(Signal::STOP);
        let ended = tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>());
        ended.await.unwrap_err();
        host.signal(Signal::CONT);
        // One late check is one miss: nothing was replaced, or once at most.
        let ended = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>());
        ended.await.unwrap_err();
        eventually("it serves", || plugins_below(host.pid()).len() == 1).await;
        assert_eq!(plugins_below(host.pid()), first);
        host.stop();
        kit.assert_clean();
    }

    async fn a_write_that_the_system_refuses_is_an_error_and_leaves_no_trace() {
        let kit = Kit::new();
        let mut kit = kit;
        let large: Vec<u8> = (0..4_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let script = b"#!/bin/sh\nexit 1\n";
        let files: &[(&str, &[u8], u32)] = &[("run", script, 0o755), ("large", &large, 0o644)];
        kit.pack("large", files, json!({ "entrypoint": "run" }));
        kit.provide("helloworld", "large");
        let output = run_after("trap '' XFSZ; ulimit -f 2048", &kit).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let error = text.lines().find(|line| line.starts_with("{\"error\"")).unwrap_or_default();
        assert!(error.contains("plugin `helloworld`") && error.contains("too large"), "{text}");
        kit.assert_clean();
    }

    async fn a_record_that_cannot_be_written_and_a_run_directory_that_cannot_be_made() {
        let mut kit = Kit::with("ok");
        fs::create_dir(kit.base_dir().join(".outrigger-ran-helloworld.json")).unwrap();
        let host = kit.start().await;
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
        kit.set("/runDir", json!("/proc/outrigger"));
        let registered = kit.builder().register().unwrap();
        let error = registered.start().await.unwrap_err().to_string();
        assert!(error.contains("/proc/outrigger") && error.contains("runDir"), "{error}");
    }

    async fn another_file_system_serves_or_is_refused_for_not_running_programs() {
        let mut kit = Kit::with("ok");
        let elsewhere = tempfile::Builder::new().prefix("outrigger").tempdir_in("/dev/shm").unwrap();
        fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o700)).unwrap();
        kit.set("/runDir", json!(elsewhere.path()));
        match kit.builder().register().unwrap().start().await {
            Ok(host) => {
                assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
                stop(host).await;
            }
            Err(error) => assert!(error.to_string().contains("noexec"), "{error}"),
        }
        assert_eq!(files(elsewhere.path()).len(), 0);
    }

    async fn a_launcher_that_dies_or_is_none_is_an_error_that_says_so() {
        let mut kit = Kit::with("ok");
        let suicidal = kit.path().join("launcher");
        fs::write(&suicidal, "#!/bin/sh\nkill -9 $$\n").unwrap();
        fs::set_permissions(&suicidal, fs::Permissions::from_mode(0o755)).unwrap();
        for launcher in [suicidal, "/bin/true".into()] {
            kit.set("/launcher", json!(launcher));
            let registered = kit.builder().register().unwrap();
            let error = registered.start().await.unwrap_err().to_string();
            assert!(error.contains("helloworld") && error.contains("launcher"), "{error}");
            kit.assert_clean();
        }
    }

    async fn a_plugin_that_becomes_another_program_is_replaced() {
        let mut kit = Kit::with("exec-on-call");
        kit.set("/timeouts", json!({
            "healthInterval": "100ms", "healthTimeout": "200ms", "healthMisses": 2,
        }));
        let host = kit.start().await;
        let pid = status(&host).pid.unwrap();
        greeter(&host).greeting("exec").await.unwrap_err();
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        assert!(!outrigger_testkit::census::lives(pid), "its process is not left");
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn a_stream_that_is_open_at_the_drain_s_end_is_cut_off() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts/drain", json!("200ms"));
        let host = kit.start().await;
        let instance = "helloworld".parse().unwrap();
        let link = host.manager().send(GetLink { instance }).await.unwrap().unwrap();
        let entered = link.enter().await.unwrap();
        let Endpoint::Rpc(rpc) = entered.endpoint().clone() else { panic!("a process") };
        let request = HealthCheckRequest { service: String::new() };
        let mut stream = HealthClient::new(rpc).watch(request).await.unwrap().into_inner();
        stream.message().await.unwrap();
        assert_eq!(host.reload("helloworld").await.unwrap(), Generation(2));
        let ended = entered.ended().await;
        assert!(ended.to_string().contains("its drain ended"), "{ended}");
        while let Ok(Some(_)) = stream.message().await {}
        drop(entered);
        assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
        stop(host).await;
        kit.assert_clean();
    }

    async fn twenty_plugins_that_die_together_all_come_back() {
        let mut kit = Kit::with("ok");
        let names: Vec<String> = (1..20).map(|n| format!("p{n}")).collect();
        for name in &names {
            kit.add_fixture(name, "ok");
        }
        let host = kit.start().await;
        let all = host.status();
        assert_eq!(all.len(), 20);
        for one in &all {
            kill(one.pid.unwrap(), Signal::KILL);
        }
        for one in &all {
            let mut watch = host.watch(one.instance.as_str()).unwrap();
            let back = |now: &outrigger::PluginStatus| {
                now.state == PluginState::Ready && now.generation == Some(Generation(2))
            };
            watch.wait_for(back).await.unwrap();
        }
        stop(host).await;
        kit.assert_clean();
    }

    async fn the_longest_deadline_there_is_does_no_harm() {
        let kit = Kit::with("ok");
        let host = kit.start().await;
        let endless = CallOptions { deadline: Some(Duration::MAX) };
        assert_eq!(greeter(&host).greeting_with("x", endless).await.unwrap(), "Hello x!");
        stop(host).await;
    }
}

/// A directory and all beneath it, from above.
fn walk(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut next = 0;
    while let Some(directory) = found.get(next).cloned() {
        next += 1;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        let below = fs::read_dir(&directory).unwrap().flatten();
        found.extend(below.filter(|it| it.file_type().unwrap().is_dir()).map(|it| it.path()));
    }
    found
}
