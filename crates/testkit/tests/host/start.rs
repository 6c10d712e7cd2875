//! How a process is started, and what is said when it cannot be.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::Mutex;

use outrigger_transport::{Address, Environment, Launcher, LauncherSource};

use super::*;

/// Without a launcher, and with one.
fn launchers() -> [Option<Launcher>; 2] {
    let path = outrigger_testkit::artifacts::launcher();
    [None, Some(Launcher { path, source: LauncherSource::Setting })]
}

#[tokio::test]
async fn a_wrong_checksum_is_an_error_of_its_own_and_the_right_one_starts() {
    let file = std::fs::File::open(FIXTURE).unwrap();
    let right = outrigger_discovery::sha256(file).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for launcher in launchers() {
        let driver = ProcessDriver::new(launcher);
        let launch = |checksum| {
            let checksum = Some(checksum);
            let spec = LaunchSpec { checksum, ..spec(directory.path(), "ok") };
            driver.launch(spec, CancellationToken::new())
        };
        let connection = launch(right).await.unwrap();
        // What was hashed is what runs, under its own path.
        let pid = ask(&*connection, "pid").await;
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
        assert_eq!(exe, Path::new(FIXTURE));
        connection.stop(StopLadder::default()).await;

        let error = launch(outrigger_types::Sha256Digest([7; 32])).await.unwrap_err();
        assert!(matches!(error, LaunchError::ChecksumMismatch { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(FIXTURE) && text.contains(&right.to_string()), "{text}");
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_checked_script_runs_from_the_file_that_was_hashed() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("plugin");
    std::fs::write(&script, format!("#!/bin/sh\nexec {FIXTURE} \"$@\"\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let right = outrigger_discovery::sha256(std::fs::File::open(&script).unwrap()).unwrap();
    let hosted = Hosted::start("ok", |spec| {
        spec.program = Program::Path(script);
        spec.checksum = Some(right);
    });
    assert_eq!(hosted.await.connection.stop(StopLadder::default()).await, Stopped::Graceful);
}

#[tokio::test]
async fn environment_working_directory_and_standard_input_are_as_ordered() {
    let elsewhere = tempfile::tempdir().unwrap();
    let hosted = Hosted::start("echo-env", |spec| {
        spec.working_directory = elsewhere.path().to_owned();
        spec.environment = Environment {
            pass: Some(vec!["PATH".into()]),
            add: vec![("ADDED".into(), "yes".into())],
        };
    });
    let hosted = hosted.await;
    assert_eq!(hosted.ask("env:ADDED").await, "yes");
    assert_ne!(hosted.ask("env:PATH").await, "");
    for (name, _) in std::env::vars().filter(|(name, _)| name != "PATH" && name != "TMPDIR") {
        assert_eq!(hosted.ask(&format!("env:{name}")).await, "", "{name}");
    }
    let pid = hosted.ask("pid").await;
    let link = |name: &str| std::fs::read_link(format!("/proc/{pid}/{name}")).unwrap();
    assert_eq!(link("cwd"), elsewhere.path().canonicalize().unwrap());
    assert_eq!(link("fd/0"), Path::new("/dev/null"));
}

#[tokio::test]
async fn a_plugin_on_tcp_keeps_to_the_ports_that_it_is_given() {
    let hosted = Hosted::start("tcp", |spec| spec.ports = 42_100..=42_199).await;
    let Address::Tcp { port, .. } = hosted.connection.reattach().unwrap().address else {
        panic!("it is on TCP");
    };
    assert!((42_100..=42_199).contains(&port), "{port}");
}

#[tokio::test]
async fn sockets_and_their_directory_belong_to_the_group_that_is_given() {
    let group = rustix::process::getegid().as_raw();
    let hosted =
        Hosted::start("echo-env", |spec| spec.socket_group = Some(group.to_string())).await;
    let Address::Unix(path) = hosted.connection.reattach().unwrap().address else {
        panic!("it is a socket");
    };
    let mode = |path: &Path| {
        let metadata = path.metadata().unwrap();
        (metadata.mode() & 0o777, metadata.gid())
    };
    assert_eq!(mode(path.parent().unwrap()), (0o770, group));
    assert_eq!(mode(&path), (0o660, group));
    assert_eq!(hosted.ask("env:PLUGIN_UNIX_SOCKET_GROUP").await, group.to_string());
}

#[tokio::test]
async fn what_a_plugin_writes_before_it_dies_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("plugin");
    // A descendant keeps the pipe open past the end.
    let text = "#!/bin/sh\nsetsid sleep 5 &\ni=0\n\
        while [ $i -lt 3000 ]; do echo \"line $i\" >&2; i=$((i+1)); done\n\
        printf 'the last one' >&2\nexit 3\n";
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let raw = Arc::new(Mutex::new(Vec::new()));
    let mut spec = LaunchSpec { program: Program::Path(script), ..spec(directory.path(), "ok") };
    let kept = raw.clone();
    spec.output.raw_stderr =
        Some(Arc::new(move |bytes: &[u8]| kept.lock().unwrap().extend_from_slice(bytes)));
    let launched = ProcessDriver::new(None).launch(spec, CancellationToken::new()).await;
    let error = launched.unwrap_err();
    assert!(matches!(error, LaunchError::ExitedEarly { .. }), "{error}");
    let lines: String = (0..3_000).map(|n| format!("line {n}\n")).collect();
    let expected = lines + "the last one";
    until(|| raw.lock().unwrap().len() >= expected.len()).await;
    assert!(*raw.lock().unwrap() == expected.as_bytes());
}

#[tokio::test]
async fn an_output_that_ends_without_a_line_fails_the_start_at_once() {
    for launcher in launchers() {
        let before = Instant::now();
        let text = b"#!/bin/sh\necho stays >&2\nexec >/dev/null\nexec sleep 600\n";
        let (error, text) = failure(text, 0o755, launcher).await;
        assert!(matches!(error, LaunchError::OutputEnded { .. }), "{error}");
        assert!(text.contains("its last words: stays"), "{text}");
        assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    }
}

/// What is said of a file with these bytes and this mode that is to be started.
async fn failure(bytes: &[u8], mode: u32, launcher: Option<Launcher>) -> (LaunchError, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plugin");
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let run_dir = tempfile::tempdir().unwrap();
    let spec = LaunchSpec { program: Program::Path(path.clone()), ..spec(run_dir.path(), "ok") };
    let driver = ProcessDriver::new(launcher);
    let error = driver.launch(spec, CancellationToken::new()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert_eq!(run_dir.path().read_dir().unwrap().count(), 0);
    (error, text)
}

#[tokio::test]
async fn a_program_that_cannot_start_is_diagnosed_in_the_error() {
    let mut for_another_machine = std::fs::read("/proc/self/exe").unwrap();
    for_another_machine[18] = 183;
    let rows: [(&[u8], u32, &str); 4] = [
        (&for_another_machine, 0o755, "ELF for AArch64, and this machine is x86-64"),
        (b"#!/nowhere/python3\n", 0o755, "a script for /nowhere/python3, which is missing"),
        (b"#!/bin/sh\n", 0o644, "not executable by this process"),
        (b"#!/bin/sh\necho no license >&2\nexit 3\n", 0o755, "its last words: no license"),
    ];
    for launcher in launchers() {
        for (bytes, mode, expected) in rows {
            let (error, text) = failure(bytes, mode, launcher.clone()).await;
            assert!(text.contains(expected), "{text}");
            let early = matches!(error, LaunchError::ExitedEarly { .. });
            assert!(early || (matches!(error, LaunchError::Exec { .. }) && error.is_permanent()));
            assert!(text.contains(&format!("mode {mode:04o}, owned by user")), "{text}");
        }
    }
}
