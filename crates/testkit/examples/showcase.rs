//! A host to look at: a dozen plugins with calls under way, one that crashes now and
//! then, one that never starts, and the dashboard on a port that the system chooses.
//!
//! `cargo run -p outrigger-testkit --example showcase` prints one line of JSON with the
//! address and the token's file, and goes on until its standard input ends. With
//! `pictures DIRECTORY MINUTES` it takes pictures of itself after that time, and ends:
//! `cargo xtask screenshots`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "an example prints, may panic, and starts a browser"
)]

use std::time::Duration;

use outrigger::PluginHost;
use outrigger::helloworld::Handle;
use outrigger_admin::{Admin, AdminOptions};
use outrigger_testkit::artifacts;
use outrigger_testkit::kit::Kit;
use serde_json::json;
use tokio::task::JoinSet;

/// Name, and calls a second on the average.
const CALLED: [(&str, u64); 9] = [
    ("account-signer", 24),
    ("block-feed", 90),
    ("fee-oracle", 12),
    ("mempool-filter", 160),
    ("peer-filter", 40),
    ("qlight-tokens", 6),
    ("rpc-auth", 70),
    ("snapshot-store", 2),
    ("tx-pricer", 30),
];

/// It dies of a call now and then.
const FRAIL: &str = "price-feed";

const BROKEN: &str = "legacy-bridge";
const STOPPED: &str = "audit-log";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(show());
}

async fn show() {
    let kit = kit();
    let host = kit.start().await;
    let options = AdminOptions {
        tls: None,
        run_dir: kit.run_dir(),
        address: Some("127.0.0.1:0".parse().unwrap()),
        metrics: None,
    };
    let admin = Admin::serve(host.remote(), options).await.unwrap();
    host.stop_plugin(STOPPED).await.unwrap();
    let mut work = JoinSet::new();
    for (name, rate) in CALLED {
        let handle = host.gateway::<Handle>(name).unwrap();
        work.spawn(call(handle, rate));
    }
    work.spawn(crash(host.gateway::<Handle>(FRAIL).unwrap()));
    println!("{}", json!({ "address": admin.address(), "token": admin.token() }));
    tokio::select! {
        () = reload(&host) => {}
        () = until_done(&admin) => {}
    }
    work.shutdown().await;
    admin.stop().await;
    host.stop(Duration::from_secs(10)).await.unwrap();
}

/// Takes the pictures, or goes on until the input ends.
async fn until_done(admin: &Admin) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [_, directory, minutes] = arguments.as_slice() {
        tokio::time::sleep(Duration::from_secs(60 * minutes.parse::<u64>().unwrap())).await;
        let program = artifacts::foreign("browser").expect("`cargo xtask foreign` builds it");
        let url = format!("http://{}/", admin.address().unwrap());
        let mut command = tokio::process::Command::new(program);
        command.args(["screenshots", &url]).arg(admin.token().unwrap()).arg(directory);
        assert!(command.status().await.unwrap().success());
        return;
    }
    let read = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    let _ended = tokio::task::spawn_blocking(read).await;
}

fn kit() -> Kit {
    let mut kit = Kit::new();
    for (name, _) in CALLED {
        add(&mut kit, name, "slow-call");
    }
    add(&mut kit, FRAIL, "crash-on-call");
    add(&mut kit, STOPPED, "ok");
    add(&mut kit, BROKEN, "exit-before-handshake 9");
    kit.set(&format!("/providers/{BROKEN}/required"), json!(false));
    kit
}

/// The fixture plugin, which says something from time to time.
fn add(kit: &mut Kit, name: &str, scenario: &str) {
    let fixture = artifacts::fixture_plugin();
    let line = |level: &str, text: &str| json!({ "@level": level, "@message": text, "took": "4ms", "epoch": 418 });
    let script = format!(
        "#!/bin/sh\n\
         (while :; do\n\
         echo '{}' >&2; sleep 2\necho '{}' >&2; sleep 3\necho '{}' >&2; sleep 4\n\
         echo '{}' >&2; sleep 1\necho '{}' >&2; sleep 5\n\
         done) &\n\
         exec '{}' {scenario}\n",
        line("info", "took up a new epoch"),
        line("debug", "the cache has 1,418 entries, 96 of them new"),
        line("info", "the upstream is 127.0.0.1:8545"),
        line("warn", "the upstream answered late"),
        line("debug", "swept what nobody asked for"),
        fixture.display(),
    );
    let distribution = format!("{name}-plugin");
    kit.pack(&distribution, &[("run", script.as_bytes(), 0o755)], json!({ "entrypoint": "run" }));
    kit.provide(name, &distribution);
    kit.set(&format!("/providers/{name}/interface"), json!("helloworld"));
}

/// Calls without end, in waves; a few take longer, and fewer fail.
async fn call(handle: Handle, rate: u64) {
    let start = tokio::time::Instant::now();
    for count in 0_u64.. {
        let minutes = start.elapsed().as_secs_f64() / 60.0 + rate as f64;
        let wave = 1.0 + 0.3 * (minutes * 1.3).sin() + 0.12 * (minutes * 11.0).sin();
        tokio::time::sleep(Duration::from_secs_f64(1.0 / (rate as f64 * wave))).await;
        let milliseconds = match count % 61 {
            0 => 24 + count % 17,
            1..6 => 5 + count % 6,
            _ => count % 3,
        };
        let options = outrigger::CallOptions {
            deadline: (count % 2_903 == 700).then_some(Duration::from_micros(1)),
        };
        // What becomes of it is what the dashboard shows.
        let _outcome = handle.greeting_with(&format!("sleep:{milliseconds}"), options).await;
    }
}

async fn crash(handle: Handle) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for count in 1_u64.. {
        ticks.tick().await;
        let message = if count % 4_000 == 1_800 { "crash" } else { "hello" };
        let _outcome = handle.greeting_with(message, outrigger::CallOptions::default()).await;
    }
}

/// Reloads one after another, without end.
async fn reload(host: &PluginHost) {
    let mut ticks = tokio::time::interval(Duration::from_secs(47));
    ticks.tick().await;
    for (name, _) in CALLED.iter().cycle() {
        ticks.tick().await;
        let _outcome = host.reload(name).await;
    }
}
