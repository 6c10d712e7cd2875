//! What is read of a plugin's output, how fast, and until when.

use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::testing::Lines as Logged;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Has a drain read what is written to the other end; gives the lines it logged.
struct Drained {
    logged: Logged,
    copy: Arc<Mutex<Vec<u8>>>,
    drain: Drain,
    plugin: tokio::io::DuplexStream,
}

impl Drained {
    fn new(each: Duration) -> Self {
        let copy = Arc::new(Mutex::new(Vec::new()));
        let logged = Logged::capture_slowly(each);
        let (plugin, host) = tokio::io::duplex(1024 * 1024);
        let sink: crate::Sink = {
            let copy = copy.clone();
            Arc::new(move |bytes| copy.lock().unwrap().extend_from_slice(bytes))
        };
        let drain = Drain::spawn(|finish| {
            let output = Output { raw_stderr: Some(sink), ..Output::default() };
            drain_stderr(Box::new(host), Arc::default(), Tail::default(), output, finish)
        });
        Self { logged, copy, drain, plugin }
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
    assert_eq!(drained.logged.count("DEBUG a line"), 20_000);
    assert_eq!(drained.logged.last().as_deref(), Some("DEBUG and one without an end"));
    assert_eq!(*drained.copy.lock().unwrap(), text.as_bytes());
}

#[tokio::test]
async fn a_slow_subscriber_loses_no_line_of_a_plugin_that_died() {
    let mut drained = Drained::new(Duration::from_micros(200));
    let text = "last words\n".repeat(3_000);
    drained.plugin.write_all(text.as_bytes()).await.unwrap();
    // It died, and nobody waited for its output.
    drained.plugin.shutdown().await.unwrap();
    let Drained { logged, drain, .. } = drained;
    let mut ended = drain.ended.clone();
    drop(drain);
    timeout(PATIENCE, ended.wait_for(|ended| *ended)).await.unwrap().unwrap();
    assert_eq!(logged.count("DEBUG last words"), 3_000);
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
