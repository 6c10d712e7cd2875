//! What is read of a plugin's output, how fast, and until when.

use std::fmt::{self, Write as _};

use tokio::io::AsyncWriteExt as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps the messages of a plugin's lines, each after a while.
struct Slow {
    seen: Arc<Mutex<Vec<String>>>,
    each: Duration,
}

impl Subscriber for Slow {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "outrigger::plugin"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    write!(self.0, "{value:?}").unwrap();
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let until = Instant::now() + self.each;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        self.seen.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Has a drain read what is written to the other end; gives the lines it logged.
struct Drained {
    seen: Arc<Mutex<Vec<String>>>,
    copy: Arc<Mutex<Vec<u8>>>,
    drain: Drain,
    plugin: tokio::io::DuplexStream,
    _subscriber: tracing::subscriber::DefaultGuard,
}

impl Drained {
    fn new(each: Duration) -> Self {
        let (seen, copy) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let subscriber = tracing::subscriber::set_default(Slow { seen: seen.clone(), each });
        let (plugin, host) = tokio::io::duplex(1024 * 1024);
        let sink: Sink = {
            let copy = copy.clone();
            Arc::new(move |bytes| copy.lock().unwrap().extend_from_slice(bytes))
        };
        let drain = Drain::spawn(|finish| {
            drain_stderr(Box::new(host), "p".into(), Tail::default(), Some(sink), finish)
        });
        Self { seen, copy, drain, plugin, _subscriber: subscriber }
    }

    async fn ended(&self) {
        self.drain.ended_within(PATIENCE).await;
        assert!(*self.drain.ended.borrow(), "the drain goes on");
    }
}

#[test]
fn the_tail_keeps_the_end_and_one_line() {
    let tail = Tail::default();
    tail.push(&[b'x'; 10_000]);
    tail.push(b"\nlast\r\nwords\n");
    let text = tail.text();
    assert!(text.ends_with("x / last / words"), "{text}");
    assert!(text.len() <= TAIL_BYTES + 6);
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_slowed_to_64_mib_a_second_and_goes_on() {
    let mut throttle = Throttle::new();
    let start = Instant::now();
    for _ in 0..(256 * 16) {
        throttle.spend(64 * 1024).await;
    }
    let took = start.elapsed();
    assert!(
        took >= Duration::from_millis(3_900) && took <= Duration::from_millis(4_100),
        "{took:?}"
    );
}

#[tokio::test]
async fn what_is_in_the_pipe_at_the_end_is_logged_though_somebody_holds_it_open() {
    let mut drained = Drained::new(Duration::ZERO);
    drained.drain.finish();
    let text = "a line\n".repeat(20_000) + "and one without an end";
    drained.plugin.write_all(text.as_bytes()).await.unwrap();
    drained.ended().await;
    let seen = drained.seen.lock().unwrap();
    assert_eq!(seen.len(), 20_001);
    assert_eq!(seen.last().map(String::as_str), Some("and one without an end"));
    assert_eq!(*drained.copy.lock().unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_slow_subscriber_loses_no_line_of_a_plugin_that_died() {
    let mut drained = Drained::new(Duration::from_micros(200));
    let text = "last words\n".repeat(3_000);
    drained.plugin.write_all(text.as_bytes()).await.unwrap();
    // It died, and nobody waited for its output.
    drained.plugin.shutdown().await.unwrap();
    let Drained { seen, drain, .. } = drained;
    let mut ended = drain.ended.clone();
    drop(drain);
    timeout(PATIENCE, ended.wait_for(|ended| *ended)).await.unwrap().unwrap();
    assert_eq!(seen.lock().unwrap().len(), 3_000);
}

#[tokio::test]
async fn a_descendant_that_trickles_into_the_pipe_does_not_keep_it() {
    let mut drained = Drained::new(Duration::ZERO);
    drained.drain.finish();
    let trickle = async {
        loop {
            drained.plugin.write_all(b"x\n").await.unwrap();
            timeout(Duration::from_millis(5), std::future::pending::<()>()).await.unwrap_err();
        }
    };
    let mut ended = drained.drain.ended.clone();
    tokio::select! {
        () = trickle => {}
        ended = timeout(PATIENCE, ended.wait_for(|ended| *ended)) => {
            ended.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn the_raw_copy_of_standard_error_is_exact() {
    let mut drained = Drained::new(Duration::ZERO);
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    for piece in bytes.chunks(977) {
        drained.plugin.write_all(piece).await.unwrap();
    }
    drained.plugin.shutdown().await.unwrap();
    drained.ended().await;
    assert!(*drained.copy.lock().unwrap() == bytes);
}
