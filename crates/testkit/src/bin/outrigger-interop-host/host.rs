//! One plugin's life: launch, steps, stop.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use outrigger_sdk::quorum;
use outrigger_transport::{
    Connection, Cookie, Driver as _, Endpoint, LaunchSpec, Launcher, Output, ProcessDriver,
    Program, Security, Sink, StopLadder, Stopped,
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::log::{self, Text};
use crate::options::Options;
use crate::report::Report;
use crate::steps::{self, Session};

/// For every step: a plugin that hangs is a result.
const STEP: Duration = Duration::from_secs(8);

/// For output that is under way when the steps are done.
const OUTPUT: Duration = Duration::from_millis(100);

pub(crate) async fn run(options: &Options) -> Report {
    let logged = log::collect();
    let mut report = Report {
        host: format!("outrigger-transport {}", env!("CARGO_PKG_VERSION")),
        ..Report::default()
    };
    let (stdout, stderr) = (Text::default(), Text::default());
    if let Err(why) = host(options, &stdout, &stderr, &mut report).await {
        report.failed.insert("start".to_owned(), why);
    }
    report.sync_stdout = stdout.read();
    report.sync_stderr = stderr.read();
    report.log = logged.read().lines().map(str::to_owned).collect();
    report
}

async fn host(
    options: &Options,
    stdout: &Text,
    stderr: &Text,
    report: &mut Report,
) -> Result<(), String> {
    let run_dir = tempfile::tempdir().map_err(|error| text(&error))?;
    let mut spec = spec(options, run_dir.path());
    spec.output =
        Output { stdout: Some(sink(stdout)), stderr: Some(sink(stderr)), ..Output::default() };
    let launcher = Launcher::locate(None).ok().flatten();
    let launched = ProcessDriver::new(launcher).launch(spec, CancellationToken::new()).await;
    let connection = launched.map_err(|error| text(&error))?;
    let info = connection.info();
    report.protocol = "grpc".to_owned();
    report.negotiated_version = info.app_version;
    report.pid = info.pid.unwrap_or_default();
    take(options, &connection, report).await;
    // What a plugin printed before its last answer may still be under way.
    tokio::time::sleep(OUTPUT).await;
    let begin = Instant::now();
    let stopped = connection.stop(StopLadder::default()).await;
    report.kill_ms = begin.elapsed().as_secs_f64() * 1e3;
    report.exited = stopped != Stopped::GivenUp;
    report.forced_kill = !matches!(stopped, Stopped::Graceful | Stopped::AlreadyDead);
    Ok(())
}

/// The first step that fails is the last.
async fn take(options: &Options, connection: &Arc<dyn Connection>, report: &mut Report) {
    let Endpoint::Rpc(rpc) = connection.endpoint() else { return };
    let session = Session { connection: connection.clone(), rpc, options };
    for name in &options.steps {
        let step = tokio::select! {
            step = timeout(STEP, steps::take(name, &session)) => step,
            status = connection.died() => {
                let words = connection.last_words();
                Ok(Err(format!("the plugin ended ({status}); it said last: {words}")))
            }
        };
        match step.unwrap_or_else(|_| Err(format!("not done after {STEP:?}"))) {
            Ok(seen) => report.done.insert(name.clone(), seen),
            Err(why) => {
                report.failed.insert(name.clone(), why);
                return;
            }
        };
    }
}

fn spec(options: &Options, run_dir: &std::path::Path) -> LaunchSpec {
    let cookie =
        Cookie { key: quorum::COOKIE_KEY.to_owned(), value: quorum::COOKIE_VALUE.to_owned() };
    let program = Program::Path(options.program.clone());
    let mut spec = LaunchSpec::new("interop", program, cookie, run_dir);
    spec.name = options.program.display().to_string();
    spec.arguments.clone_from(&options.arguments);
    spec.working_directory = std::env::current_dir().unwrap_or_else(|_| run_dir.to_owned());
    spec.protocol_versions.clone_from(&options.versions);
    spec.multiplex = options.multiplex;
    spec.start_timeout = options.start;
    if options.plain {
        spec.security = Security::Plaintext;
    }
    spec
}

fn sink(text: &Text) -> Sink {
    let text = text.clone();
    Arc::new(move |bytes| text.push(bytes))
}

/// An error and its causes.
fn text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
