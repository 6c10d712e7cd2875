//! What is refused, what comes too late, and what never comes.

use super::*;
use crate::broker::table::Offer;

/// A broker whose other side is this test.
fn alone(route: Route) -> (Broker, mpsc::Receiver<ConnInfo>) {
    let broker = Broker::new();
    broker.set_up(Setup { side: Side::Host, tls: None, version: 1, largest_message: 1024, route });
    let (outgoing, messages) = mpsc::channel(QUEUE);
    assert!(broker.0.begin(outgoing));
    (broker, messages)
}

pub(super) fn plain() -> (Broker, mpsc::Receiver<ConnInfo>) {
    alone(Route::Sockets(sockets(Path::new("/nowhere"), None)))
}

pub(super) fn announcement(id: u32, address: &str) -> ConnInfo {
    let (network, address) = ("unix".to_owned(), address.to_owned());
    ConnInfo { service_id: id, network, address, knock: None }
}

/// How long it takes on the clock that is paused.
async fn measured<T>(doing: impl Future<Output = T>) -> (T, Duration) {
    let before = Instant::now();
    (doing.await, before.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_never_announced_times_out_by_name() {
    let (broker, _messages) = plain();
    let (outcome, took) = measured(broker.dial(4711)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, BrokerError::TimedOut { id: 4711, .. }), "{error}");
    assert!(error.to_string().contains("4711"), "{error}");
    assert_eq!(took.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_announcement_is_good_for_one_dial() {
    let (broker, _messages) = plain();
    broker.0.receive(announcement(1, "/nowhere/s"));
    let error = broker.dial(1).await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable { id: 1, .. }), "{error}");
    assert!(error.to_string().contains("/nowhere/s"), "{error}");
    let (outcome, took) = measured(broker.dial(1)).await;
    assert!(matches!(outcome.unwrap_err(), BrokerError::TimedOut { id: 1, .. }));
    assert_eq!(took.as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_announcement_may_come_while_it_is_waited_for_and_not_5_seconds_early() {
    let (broker, _messages) = plain();
    let dialling = {
        let broker = broker.clone();
        tokio::spawn(async move { broker.dial(1).await })
    };
    tokio::time::advance(Duration::from_secs(4)).await;
    broker.0.receive(announcement(1, "/nowhere/s"));
    let error = dialling.await.unwrap().unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable { .. }), "{error}");

    broker.0.receive(announcement(2, "/nowhere/s"));
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(matches!(broker.dial(2).await.unwrap_err(), BrokerError::TimedOut { .. }));
}

#[tokio::test(start_paused = true)]
async fn abstract_sockets_and_other_machines_are_refused_by_name() {
    let (broker, _messages) = plain();
    for (network, address) in
        [("unix", "@abstract"), ("tcp", "192.0.2.1:80"), ("tcp", "example.org:80"), ("udp", "x")]
    {
        broker.0.receive(ConnInfo { network: network.to_owned(), ..announcement(3, address) });
        let error = broker.dial(3).await.unwrap_err();
        assert!(matches!(error, BrokerError::Refused { id: 3, .. }), "{error}");
        assert!(error.to_string().contains(address), "{error}");
    }
}

#[tokio::test]
async fn a_host_refuses_sockets_outside_of_its_plugin_s_directory() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_listener, socket) = bind_in(outside.path(), None).unwrap();
    let (broker, _messages) = alone(Route::Sockets(sockets(inside.path(), Some(inside.path()))));
    broker.0.receive(announcement(1, socket.path().to_str().unwrap()));
    let error = fails(broker.dial(1)).await;
    assert!(matches!(error, BrokerError::Refused { id: 1, .. }), "{error}");
    assert!(error.to_string().contains("outside"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn without_a_session_calls_fail_after_5_seconds() {
    let broker = Broker::new();
    let (outcome, took) = measured(broker.dial(1)).await;
    assert!(matches!(outcome.unwrap_err(), BrokerError::NotServed));
    assert_eq!(took.as_secs(), 5);
    assert!(matches!(broker.serve(prefix("")).await.unwrap_err(), BrokerError::NotServed));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_fails_who_waits_at_once() {
    let (broker, _messages) = plain();
    let (dialling, idle) = (broker.clone(), Broker::new());
    let dialling = tokio::spawn(async move { dialling.dial(1).await });
    let early = {
        let idle = idle.clone();
        tokio::spawn(async move { idle.dial(1).await })
    };
    tokio::task::yield_now().await;
    let ((), took) = measured(async {
        broker.close();
        idle.close();
        assert!(matches!(dialling.await.unwrap().unwrap_err(), BrokerError::Closed));
        assert!(matches!(early.await.unwrap().unwrap_err(), BrokerError::Closed));
    })
    .await;
    assert_eq!(took, Duration::ZERO);
    assert!(matches!(broker.dial(2).await.unwrap_err(), BrokerError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_fails_a_service_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let (broker, messages) = alone(Route::Sockets(sockets(directory.path(), None)));
    let mut served = Vec::new();
    for _ in 0..QUEUE {
        served.push(broker.serve(prefix("")).await.unwrap());
    }
    let error = broker.serve(prefix("")).await.unwrap_err();
    assert!(matches!(error, BrokerError::NotAnnounced { id: 65, .. }), "{error}");
    drop(messages);
}

/// A session that opens streams, and a broker on it that nobody answers.
fn silent_session() -> (Broker, mpsc::Receiver<ConnInfo>, AbortOnDropHandle<()>) {
    let (near, far) = tokio::io::duplex(1024);
    let (session, driver) = Session::new(near, Side::Host, drop);
    let (_, other) = Session::new(far, Side::Plugin, drop);
    let driving = AbortOnDropHandle::new(tokio::spawn(async move {
        let (_, _) = tokio::join!(driver, other);
    }));
    let (broker, messages) = alone(Route::Streams(Arc::new(OnceLock::from(session))));
    (broker, messages, driving)
}

#[tokio::test(start_paused = true)]
async fn a_knock_that_nobody_answers_times_out_by_name() {
    let (broker, mut messages, _driving) = silent_session();
    let (outcome, took) = measured(broker.dial(9)).await;
    assert!(matches!(outcome.unwrap_err(), BrokerError::TimedOut { id: 9, .. }));
    assert_eq!(took.as_secs(), 5);
    let knock = messages.recv().await.unwrap();
    assert_eq!((knock.service_id, knock.knock.unwrap().knock), (9, true));
}

#[tokio::test(start_paused = true)]
async fn knocks_go_one_after_the_other_and_a_late_answer_opens_nothing() {
    let (broker, mut messages, _driving) = silent_session();
    let answer = |id| {
        let knock = Some(Knock { knock: true, ack: true, error: String::new() });
        ConnInfo { service_id: id, knock, ..ConnInfo::default() }
    };
    let first = tokio::spawn({
        let broker = broker.clone();
        async move { broker.dial(1).await }
    });
    assert_eq!(messages.recv().await.unwrap().service_id, 1);
    let second = tokio::spawn({
        let broker = broker.clone();
        async move { broker.dial(2).await }
    });
    tokio::time::advance(Duration::from_secs(4)).await;
    assert!(messages.try_recv().is_err(), "a second knock while one is under way");
    broker.0.receive(answer(2));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(matches!(first.await.unwrap().unwrap_err(), BrokerError::TimedOut { id: 1, .. }));
    broker.0.receive(answer(1));
    assert!(matches!(second.await.unwrap().unwrap_err(), BrokerError::TimedOut { id: 2, .. }));
}

#[tokio::test]
async fn a_knock_for_what_is_not_served_is_refused_by_name() {
    let pair = pair(true, true).await;
    for (to, id) in [(&pair.plugin, 7), (&pair.host.broker, 8)] {
        let error = fails(to.dial(id)).await;
        let BrokerError::KnockRefused { id: named, ref reason } = error else {
            panic!("{error}");
        };
        assert!(named == id && reason.contains(&id.to_string()), "{error}");
    }
    // One that was served and is no longer.
    let served = pair.plugin.serve(prefix("")).await.unwrap();
    let id = served.id();
    drop(served);
    let error = fails(pair.host.broker.dial(id)).await;
    assert!(matches!(error, BrokerError::KnockRefused { .. }), "{error}");
}

#[tokio::test]
async fn a_stream_without_permission_is_reset_by_the_host() {
    use tokio::io::AsyncReadExt as _;

    let pair = pair(true, false).await;
    let _served = pair.host.broker.serve(prefix("host:")).await.unwrap();
    let mut stream = pair.plugin_session.get().unwrap().open().await.unwrap();
    assert_eq!(timeout(SOON, stream.read(&mut [0])).await.unwrap().unwrap(), 0);
}

/// The host's main connection can be made again.
#[tokio::test]
async fn a_stream_without_permission_reaches_the_main_server_of_the_plugin() {
    let pair = pair_with(true, true, false).await;
    let setup = pair.host.broker.0.setup.get().unwrap();
    let Route::Streams(session) = &setup.route else { panic!("it is multiplexed") };
    let main = link::MainStream {
        session: session.get().unwrap().clone(),
        address: Address::Unix("/main".into()),
    };
    let channel = connect_over(Arc::new(main), setup.tls.as_ref(), SOON).await.unwrap();
    assert_eq!(ask(&Rpc::new(channel, 1, 1024)).await.unwrap(), "main:question");
}

/// A Go host takes knocks for an id a moment before it has a listener for it.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_believed_the_second_time() {
    let (broker, mut messages, _driving) = silent_session();
    let answer = |error: &str| {
        let knock = Some(Knock { knock: true, ack: true, error: error.to_owned() });
        ConnInfo { service_id: 1, knock, ..ConnInfo::default() }
    };
    for (second, refused) in [("", false), ("no listener for id 1", true)] {
        let dialling = tokio::spawn({
            let broker = broker.clone();
            async move { broker.dial(1).await }
        });
        messages.recv().await.unwrap();
        broker.0.receive(answer("no listener for id 1"));
        messages.recv().await.unwrap();
        broker.0.receive(answer(second));
        let error = dialling.await.unwrap().unwrap_err();
        assert_eq!(matches!(error, BrokerError::KnockRefused { id: 1, .. }), refused, "{error}");
    }
}

/// The host's server demands the plugin's certificate: another's is refused.
#[tokio::test]
async fn a_stranger_is_not_let_in_to_a_brokered_service() {
    let pair = pair(false, true).await;
    let served = pair.host.broker.serve(prefix("host:")).await.unwrap();
    let claim = |table: &mut Table<_>| table.claim(served.id(), Instant::now());
    let deadline = Instant::now() + SOON;
    let offer = pair.plugin.0.until(deadline, claim).await.unwrap().unwrap();
    let Offer::Address(address) = offer else { panic!("{offer:?}") };
    let known = pair.plugin.0.setup.get().unwrap().tls.clone().unwrap();
    let stranger = Identity::generate().unwrap();
    let stranger = PeerTls::pinned(&stranger, vec![pair.host_certificate.clone()]).unwrap();
    for (tls, let_in) in [(stranger, false), (known, true)] {
        let answer = match connect_over(Arc::new(address.clone()), Some(&tls), SOON).await {
            Ok(channel) => ask(&Rpc::new(channel, 1, 1024)).await.ok(),
            Err(_) => None,
        };
        assert_eq!(answer.is_some(), let_in, "{answer:?}");
    }
}
