//! Sessions against a session of their own, and against raw bytes.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// For what must happen at once.
const SOON: Duration = Duration::from_secs(5);

struct Running {
    session: Session,
    inbound: mpsc::Receiver<MuxStream>,
    task: AbortOnDropHandle<io::Result<()>>,
}

fn run<T>(io: T, side: Side) -> Running
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, inbound) = mpsc::channel(8);
    let (session, driver) = Session::new(io, side, move |stream| {
        let _full = sender.try_send(stream);
    });
    Running { session, inbound, task: AbortOnDropHandle::new(tokio::spawn(driver)) }
}

fn pair() -> (Running, Running) {
    let (near, far) = duplex(64 * 1024);
    (run(near, Side::Host), run(far, Side::Plugin))
}

/// The next frame that is no ping; pings are answered.
async fn frame(raw: &mut DuplexStream) -> [u8; 12] {
    loop {
        let mut header = [0; 12];
        timeout(SOON, raw.read_exact(&mut header)).await.unwrap().unwrap();
        if header[1] != 2 {
            return header;
        }
        header[3] = 2;
        raw.write_all(&header).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_is_opened_is_on_the_wire_before_any_data() {
    let (near, mut raw) = duplex(1024);
    let host = run(near, Side::Host);
    let first = host.session.open().await.unwrap();
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    let _second = host.session.open().await.unwrap();
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0]);
    drop(first);
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_stream_that_comes_is_acknowledged_before_anybody_uses_it() {
    let (near, mut raw) = duplex(1024);
    let mut plugin = run(near, Side::Plugin);
    raw.write_all(&[0, 1, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0]);
    assert!(plugin.inbound.recv().await.is_some());
}

#[tokio::test]
async fn a_stream_that_nobody_takes_is_reset() {
    let (near, mut raw) = duplex(1024);
    let (_session, driver) = Session::new(near, Side::Host, drop);
    let _task = AbortOnDropHandle::new(tokio::spawn(driver));
    raw.write_all(&[0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0]);
    assert_eq!(frame(&mut raw).await, [0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_value() {
    let (near, mut raw) = duplex(1024);
    let _host = run(near, Side::Host);
    raw.write_all(&[0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 42]).await.unwrap();
    let mut header = [0; 12];
    loop {
        timeout(SOON, raw.read_exact(&mut header)).await.unwrap().unwrap();
        if header[3] == 2 {
            break;
        }
    }
    assert_eq!(header, [0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 42]);
}

#[tokio::test]
async fn both_sides_open_streams_and_megabytes_go_through() {
    let (mut host, mut plugin) = pair();
    for _ in 0..3 {
        for turned in [false, true] {
            let (from, to) =
                if turned { (&plugin.session, &mut host) } else { (&host.session, &mut plugin) };
            let mut near = from.open().await.unwrap();
            let mut far = to.inbound.recv().await.unwrap();
            let sent: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
            let expected = sent.clone();
            let sending = tokio::spawn(async move {
                near.write_all(&sent).await.unwrap();
                near.shutdown().await.unwrap();
                near
            });
            let mut received = Vec::new();
            timeout(SOON, far.read_to_end(&mut received)).await.unwrap().unwrap();
            assert!(received == expected);
            drop(sending.await.unwrap());
        }
    }
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_streams_and_later_calls() {
    let (host, mut plugin) = pair();
    let mut near = host.session.open().await.unwrap();
    let mut far = plugin.inbound.recv().await.unwrap();
    drop(host.task);
    assert_eq!(timeout(SOON, near.read(&mut [0])).await.unwrap().unwrap(), 0);
    assert_eq!(timeout(SOON, far.read(&mut [0])).await.unwrap().unwrap(), 0);
    assert!(near.write(b"x").await.is_err());
    let error = timeout(SOON, host.session.open()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    timeout(SOON, plugin.task).await.unwrap().unwrap().unwrap();
    assert!(plugin.session.open().await.is_err());
}

#[tokio::test]
async fn a_full_session_refuses_a_stream_and_goes_on() {
    let (near, far) = duplex(64 * 1024);
    let (host, mut plugin) = (run(near, Side::Host), run(far, Side::Plugin));
    let mut kept = Vec::new();
    for _ in 0..STREAMS {
        kept.push((host.session.open().await.unwrap(), plugin.inbound.recv().await.unwrap()));
    }
    assert!(host.session.open().await.is_err());
    kept.pop();
    let mut near = host.session.open().await.unwrap();
    near.write_all(b"x").await.unwrap();
    let mut far = timeout(SOON, plugin.inbound.recv()).await.unwrap().unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
}

/// Nobody reads the other end, so no SYN can be written for ever.
#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_fails_the_opening_in_time() {
    let (near, raw) = duplex(12);
    let host = run(near, Side::Host);
    let mut open = Vec::new();
    let error = loop {
        match host.session.open().await {
            Ok(stream) => open.push(stream),
            Err(error) => break error,
        }
        assert!(open.len() < STREAMS);
        // A body fills what the wire gathers.
        let last = open.last_mut().unwrap();
        let _pending = timeout(Duration::from_millis(1), last.write_all(&[0; 64 * 1024])).await;
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(raw);
}

#[tokio::test]
async fn nonsense_ends_the_session() {
    let (near, mut raw) = duplex(1024);
    let host = run(near, Side::Host);
    raw.write_all(b"HTTP/2.0 is not yamux").await.unwrap();
    let ended = timeout(SOON, host.task).await.unwrap().unwrap();
    assert!(ended.is_err());
    assert!(host.session.open().await.is_err());
}

/// Frames that are right in form and may be wrong in everything else.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![4 => 0_u32..64, 1 => any::<u32>()];
    let frame = (0_u8..5, 0_u16..16, 0_u32..6, length, 0_usize..64);
    let frame = frame.prop_map(|(kind, flags, stream, length, body)| {
        let mut frame = vec![0, kind];
        frame.extend(flags.to_be_bytes());
        frame.extend(stream.to_be_bytes());
        frame.extend(length.to_be_bytes());
        let body = if kind == 0 { (length as usize).min(body) } else { 0 };
        frame.extend(std::iter::repeat_n(7, body));
        frame
    });
    proptest::collection::vec(frame, 0..40).prop_map(|frames| frames.concat())
}

proptest! {
    /// The session ends or goes on; it never panics, and never hangs at the end.
    #[test]
    fn whatever_a_peer_sends_the_session_lives_or_ends(
        bytes in frames(),
        host in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let (near, mut raw) = duplex(64 * 1024);
            let side = if host { Side::Host } else { Side::Plugin };
            let running = run(near, side);
            let open = timeout(SOON, running.session.open()).await.unwrap();
            // The session may have closed its end.
            let _cut = timeout(SOON, raw.write_all(&bytes)).await.unwrap();
            drop(open);
            drop(raw);
            let ended = timeout(SOON, running.task).await.expect("an end, soon");
            let _ended_well_or_not = ended.expect("no panic");
        });
    }
}
