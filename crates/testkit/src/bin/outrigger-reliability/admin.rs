//! The admin server: scrapes, events, and those who follow and never read.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use outrigger::{EventKind, InstanceName, PluginHost};
use outrigger_admin::{Admin, AdminOptions, Metrics};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::kit::Kit;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::calls::median;
use crate::row::{Row, Times};
use crate::site::{HELLO, PATIENCE, greeter, provide_many, resident, stop};

/// Plugins whose numbers are scraped.
const PLUGINS: usize = 200;

async fn serve(kit: &Kit, host: &PluginHost, metrics: Option<Metrics>) -> Admin {
    let options = AdminOptions { metrics, ..AdminOptions::new(kit.run_dir()) };
    Admin::serve(host.remote(), options).await.expect("it serves")
}

async fn ask(socket: &Path, path: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(socket).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    BufReader::new(stream)
}

/// `/metrics` of 200 plugins that serve and were called.
pub(crate) async fn scrape(short: bool) -> Vec<Row> {
    let rounds = if short { 20 } else { 200 };
    let metrics = Metrics::install().expect("the first recorder");
    let mut kit = Kit::with("ok");
    provide_many(&mut kit, PLUGINS);
    let began = Instant::now();
    let host = kit.start().await;
    let started = began.elapsed();
    for plugin in host.status() {
        let handle = greeter(&host, plugin.instance.as_str());
        outrigger::helloworld::Greeter::greeting(&handle, "x").await.expect("it answers");
    }
    let admin = serve(&kit, &host, Some(metrics)).await;
    let (mut times, mut bytes, mut samples) = (Vec::new(), 0, 0);
    for _ in 0..rounds {
        let began = Instant::now();
        let mut text = String::new();
        let mut answer = ask(admin.socket(), "/metrics").await;
        answer.read_to_string(&mut text).await.expect("it answers");
        times.push(began.elapsed());
        bytes = text.len();
        samples = text.lines().filter(|line| line.starts_with("outrigger_")).count();
    }
    admin.stop().await;
    stop(host).await;
    let times = Times::of(times);
    vec![
        Row::printed("plugins, samples, KiB", format!("{PLUGINS}, {samples}, {}", bytes / 1024)),
        Row::printed_time("the start of all", started),
        Row::within("scrape, median", times.median(), Duration::from_millis(50)),
        Row::printed_time("scrape, p99", times.p99()),
    ]
}

/// A state changes in the host until somebody who follows it reads so.
pub(crate) async fn events(short: bool) -> Vec<Row> {
    let rounds = if short { 20 } else { 100 };
    let kit = Kit::with("ok");
    let host = kit.start().await;
    let admin = serve(&kit, &host, None).await;
    let times = Times::of(delays(&host, &admin, rounds).await);
    admin.stop().await;
    stop(host).await;
    vec![
        Row::within("state change to a subscriber, p90", times.quantile(0.9), DELAY),
        Row::printed_time("p50", times.median()),
        Row::printed_time("slowest", times.quantile(1.0)),
    ]
}

const DELAY: Duration = Duration::from_millis(10);

/// From an event in this process to the same one over the socket.
async fn delays(host: &PluginHost, admin: &Admin, rounds: usize) -> Vec<Duration> {
    let mut lines = ask(admin.socket(), "/events").await.lines();
    let mut own = host.events();
    let (seen, mut changes) = tokio::sync::mpsc::unbounded_channel();
    // On a thread of its own, which waits for no turn among those who follow.
    let watching = std::thread::spawn(move || {
        let mut left = rounds;
        while left > 0
            && let Ok(event) = own.blocking_recv()
        {
            if matches!(event.kind, EventKind::Stopped) && event.instance.as_str() == HELLO {
                let _unread = seen.send(Instant::now());
                left -= 1;
            }
        }
    });
    let mut times = Vec::new();
    for _ in 0..rounds {
        let instance: InstanceName = HELLO.parse().expect("a name");
        let acting = async {
            host.remote().stop(&instance).await.expect("it stops");
            host.remote().start(&instance).await.expect("it starts");
        };
        let reading = async {
            while let Ok(Some(line)) = lines.next_line().await {
                let of_it = line.contains("\"instance\":\"helloworld\"");
                if of_it && line.contains("\"kind\":\"stopped\"") {
                    return Instant::now();
                }
            }
            panic!("the stream ended");
        };
        let both = async { tokio::join!(acting, reading) };
        let ((), read) = tokio::time::timeout(PATIENCE, both).await.expect("it is told");
        let changed = changes.recv().await.expect("it changed");
        times.push(read.saturating_duration_since(changed));
    }
    watching.join().expect("it saw them all");
    times
}

/// A thousand who follow and never read, beside one who does, and beside calls.
pub(crate) async fn followers(short: bool) -> Vec<Row> {
    let rounds = if short { 20 } else { 60 };
    // As an operator would, who wants so many.
    raise_descriptors();
    let mut kit = Kit::with("ok");
    kit.add_fixture("busy", "ok");
    let host = kit.start().await;
    let admin = serve(&kit, &host, None).await;
    let handle = greeter(&host, HELLO);
    let mut failed = 0;
    median(&handle, &mut failed).await;
    delays(&host, &admin, 2).await;
    let before = resident();
    let mut followers = Vec::new();
    for _ in 0..1_000 {
        followers.push(ask(admin.socket(), "/events?samples=true").await);
    }
    let alone = delays(&host, &admin, 5).await;
    let times = Times::of(delays(&host, &admin, rounds).await);
    let grown = (resident() - before).max(0.0);
    // Something happens all the time, with and without them.
    let (remote, busy) = (host.remote().clone(), "busy".parse::<InstanceName>().expect("a name"));
    let happening = tokio::spawn(async move {
        loop {
            remote.stop(&busy).await.expect("it stops");
            remote.start(&busy).await.expect("it starts");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut ratios = Vec::new();
    for _ in 0..7 {
        let beside = median(&handle, &mut failed).await;
        let held = descriptors();
        let gone = followers.len();
        drop(std::mem::take(&mut followers));
        // Each is a descriptor here and one at the server, in the same process.
        eventually("the server lets them go", || descriptors() + 2 * gone <= held + 50).await;
        let quiet = median(&handle, &mut failed).await;
        for _ in 0..1_000 {
            followers.push(ask(admin.socket(), "/events?samples=true").await);
        }
        ratios.push(beside.as_secs_f64() / quiet.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let began = Instant::now();
    let mut live = String::new();
    ask(admin.socket(), "/livez").await.read_to_string(&mut live).await.expect("it answers");
    let health = began.elapsed();
    happening.abort();
    drop(followers);
    admin.stop().await;
    stop(host).await;
    vec![
        Row::printed("changes that each was sent", (2 * (rounds + alone.len())).to_string()),
        Row::at_most("memory for a thousand that never read", grown, 96.0, " MiB"),
        Row::within("state change to one who reads, p90", times.quantile(0.9), DELAY),
        Row::at_most("p50 of calls beside them to quiet", ratios[ratios.len() / 2], 1.25, ""),
        Row::within("health beside them", health, Duration::from_millis(100)),
        Row::none("failed calls", failed),
    ]
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("of this process").count()
}

fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(65_536).min(65_536);
    let raised = Rlimit { current: Some(most), ..limit };
    setrlimit(Resource::Nofile, raised).expect("up to the hard limit");
}
