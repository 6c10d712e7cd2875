//! One case: a host whose step goes wrong once, and what must hold all the same.

use std::path::Path;
use std::time::Duration;

use outrigger::helloworld::{self, Greeter as _, Handle};
use outrigger::{Generation, HostError, PluginHost, PluginState};
use outrigger_testkit::census;
use outrigger_testkit::harness::eventually;
use outrigger_testkit::load::Load;
use outrigger_types::failpoint::hits;
use rustix::process::{Pid, Signal, kill_process, set_child_subreaper};
use serde_json::{Value, json};

use crate::steps::{Action, Case, When};

/// What the reload is to.
pub(crate) const SECOND: &str = "fixture-second";

/// For whatever a host does by itself.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) fn run(case: &Case, kit: &Path) {
    set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    // A panic is what is tried.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(host_of(case, kit));
}

fn arm(case: &Case) {
    let step = case.step;
    match case.action {
        Action::Nothing => {}
        Action::Error => fail::cfg(step, "1*return").unwrap(),
        Action::Delay => fail::cfg(step, "1*sleep(300)").unwrap(),
        Action::Panic => fail::cfg(step, "1*panic(a failpoint)").unwrap(),
        Action::Abort => fail::cfg_callback(step, || std::process::abort()).unwrap(),
    }
}

/// Whether an error, or what is behind it, is the one that was asked for.
fn says(error: &HostError) -> bool {
    let first: &dyn std::error::Error = error;
    let mut chain = std::iter::successors(Some(first), |error| error.source());
    chain.any(|error| error.to_string().contains("a failpoint"))
}

async fn started(kit: &Path) -> Result<PluginHost, HostError> {
    let builder = PluginHost::builder()
        .settings_file(kit.join("settings.json"))
        .interface(helloworld::interface())
        .danger_skip_verification();
    builder.register()?.start().await
}

/// A second plugin beside it, which nothing must happen to.
fn with_another(kit: &Path) {
    let file = kit.join("settings.json");
    let mut settings: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut other = settings["providers"]["helloworld"].clone();
    other["interface"] = json!("helloworld");
    settings["providers"]["other"] = other;
    std::fs::write(&file, settings.to_string()).unwrap();
}

fn set(kit: &Path, key: &str, value: Value) {
    let file = kit.join("settings.json");
    let mut settings: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    settings["providers"]["helloworld"][key] = value;
    std::fs::write(&file, settings.to_string()).unwrap();
}

async fn host_of(case: &Case, kit: &Path) {
    if case.when == When::Start {
        arm(case);
    } else {
        with_another(kit);
    }
    let host = match started(kit).await {
        Ok(host) => host,
        Err(error) => {
            assert!(case.when == When::Start, "{error}");
            assert!(matches!(case.action, Action::Error | Action::Panic), "{error}");
            assert!(says(&error), "{error:?}");
            eventually("nothing is left", || {
                census::descendants().is_empty() && census::files(&kit.join("run")).is_empty()
            })
            .await;
            started(kit).await.unwrap()
        }
    };
    serves(&host).await;
    let before = if case.when == When::Later { hits(case.step) } else { 0 };
    if case.when == When::Later {
        goes_through_everything(case, kit, &host).await;
    }
    host.stop(PATIENCE).await.unwrap();
    if case.action != Action::Nothing {
        assert!(hits(case.step) > before, "nothing came to {}", case.step);
    }
}

/// Reload, death, application of settings: each may fail once.
async fn goes_through_everything(case: &Case, kit: &Path, host: &PluginHost) {
    let (own, other): (Handle, Handle) =
        (host.gateway("helloworld").unwrap(), host.gateway("other").unwrap());
    let (load, beside) = (Load::start(&own, 2), Load::start(&other, 2));
    load.progress(20).await;
    arm(case);
    // Another distribution, so that it is unpacked.
    set(kit, "name", json!(SECOND));
    let reloaded = within(host.reload("helloworld")).await;
    let outcome = load.finish().await;
    if case.action != Action::Panic {
        assert!(outcome.failed.is_empty(), "calls failed: {:?}", outcome.failed);
    }
    assert_eq!(outcome.wrong, 0);
    if let Err(error) = reloaded {
        assert!(matches!(case.action, Action::Error | Action::Panic), "{error}");
        assert!(says(&error), "{error:?}");
    }
    serves(host).await;
    let now = host.watch("helloworld").unwrap().borrow().clone();
    if let Some(pid) = now.pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).unwrap())) {
        kill_process(pid, Signal::KILL).unwrap();
    }
    after(host, now.generation).await;
    serves(host).await;
    set(kit, "config", json!({ "language": "de" }));
    // It may be the one that fails, and the next one is not.
    if let Err(error) = within(host.apply()).await {
        assert!(case.action == Action::Panic, "{error}");
    }
    let all = within(host.reload_all()).await.unwrap();
    assert!(all.iter().filter(|reloaded| reloaded.outcome.is_err()).count() <= 1, "{all:?}");
    within(host.dry_run("helloworld")).await.unwrap();
    serves(host).await;
    let word = within(own.greeting("x")).await.unwrap();
    assert!(word == "Hallo x!" || word == "Hello x!", "{word}");
    // The other one never noticed, and was replaced with the rest at the end.
    let outcome = beside.finish().await;
    assert!(outcome.failed.is_empty(), "the other plugin's calls failed: {:?}", outcome.failed);
    let failures = host.watch("other").unwrap().borrow().failures;
    let touched = case.step.starts_with("plugin") || case.step.starts_with("manager");
    assert!(failures == 0 || touched, "the other plugin failed {failures} times");
}

async fn serves(host: &PluginHost) {
    let mut watch = host.watch("helloworld").unwrap();
    within(watch.wait_for(|now| now.state == PluginState::Ready)).await.unwrap();
    let handle: Handle = host.gateway("helloworld").unwrap();
    assert!(within(handle.greeting("x")).await.is_ok());
}

async fn after(host: &PluginHost, generation: Option<Generation>) {
    let mut watch = host.watch("helloworld").unwrap();
    within(watch.wait_for(|now| now.generation > generation)).await.unwrap();
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it comes about")
}
