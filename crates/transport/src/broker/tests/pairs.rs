//! What works, and what ends, between two sides that are connected.

use super::*;

#[tokio::test]
async fn each_side_serves_and_dials_twice_over_in_every_way() {
    for (multiplex, tls) in WAYS {
        let pair = pair(multiplex, tls).await;
        for round in 1..=2 {
            let served = pair.host.broker.serve(prefix("host:")).await.unwrap();
            let rpc = pair.plugin.dial(served.id()).await.unwrap();
            assert_eq!(ask(&rpc).await.unwrap(), "host:question");
            assert_eq!(served.id(), round);

            let served = pair.plugin.serve(prefix("plugin:")).await.unwrap();
            let rpc = pair.host.broker.dial(served.id()).await.unwrap();
            assert_eq!(ask(&rpc).await.unwrap(), "plugin:question");
            assert_eq!(served.id(), round);
        }
    }
}

#[tokio::test]
async fn many_connections_in_both_directions_stand_beside_each_other() {
    for (multiplex, tls) in [(false, true), (true, true)] {
        let pair = pair(multiplex, tls).await;
        let mut standing = Vec::new();
        for _ in 0..5 {
            let served = pair.host.broker.serve(prefix("host:")).await.unwrap();
            let rpc = pair.plugin.dial(served.id()).await.unwrap();
            standing.push(("host:question", served, rpc));
            let served = pair.plugin.serve(prefix("plugin:")).await.unwrap();
            let rpc = pair.host.broker.dial(served.id()).await.unwrap();
            standing.push(("plugin:question", served, rpc));
        }
        for (expected, _, rpc) in &standing {
            assert_eq!(ask(rpc).await.unwrap(), *expected);
        }
    }
}

/// Both sides dial at the same time, several ids each: no stream may reach
/// another's service.
#[tokio::test]
async fn dials_at_the_same_time_reach_what_they_dialled() {
    for (multiplex, tls) in WAYS {
        let pair = pair(multiplex, tls).await;
        let names = ["a:", "b:", "c:", "d:"];
        let mut dials = Vec::new();
        for name in names {
            for (from, to) in [(&pair.host.broker, &pair.plugin), (&pair.plugin, &pair.host.broker)]
            {
                let (served, to) = (from.serve(prefix(name)).await.unwrap(), to.clone());
                dials.push(tokio::spawn(async move {
                    let rpc = to.dial(served.id()).await.unwrap();
                    assert_eq!(ask(&rpc).await.unwrap(), format!("{name}question"));
                    drop(served);
                }));
            }
        }
        for dial in dials {
            timeout(SOON, dial).await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_side_that_serves_takes_any_number_of_connections() {
    for (multiplex, tls) in WAYS {
        let pair = pair(multiplex, tls).await;
        let broker = &pair.host.broker;
        let served = pair.plugin.serve(prefix("plugin:")).await.unwrap();
        let setup = broker.0.setup.get().unwrap();
        let (_, outgoing) = broker.0.open_by(Instant::now() + SOON).await.unwrap();
        let dial: Arc<dyn Dial> = match &setup.route {
            Route::Sockets(sockets) => {
                let claim = |table: &mut Table<_>| table.claim(served.id(), Instant::now());
                let offer = broker.0.until(Instant::now() + SOON, claim).await.unwrap().unwrap();
                let address = sockets.admit(served.id(), offer).await.unwrap();
                Arc::new(dial::Announced { broker: broker.clone(), id: served.id(), address })
            }
            Route::Streams(session) => {
                let session = session.get().unwrap().clone();
                let (broker, id) = (broker.clone(), served.id());
                Arc::new(dial::Knocking { broker, id, side: Side::Host, session, outgoing })
            }
        };
        // What a channel does that lost its connection.
        for _ in 0..3 {
            let channel = connect_over(dial.clone(), setup.tls.as_ref(), SOON).await.unwrap();
            assert_eq!(ask(&Rpc::new(channel, 1, 1024)).await.unwrap(), "plugin:question");
        }
    }
}

#[tokio::test]
async fn a_service_ends_with_what_serve_returned() {
    for (multiplex, tls) in WAYS {
        let pair = pair(multiplex, tls).await;
        for (from, to) in [(&pair.host.broker, &pair.plugin), (&pair.plugin, &pair.host.broker)] {
            let served = from.serve(prefix("x:")).await.unwrap();
            let rpc = to.dial(served.id()).await.unwrap();
            assert_eq!(ask(&rpc).await.unwrap(), "x:question");
            drop(served);
            assert!(ask(&rpc).await.is_err());
            let left = || pair.directory.path().read_dir().unwrap().count();
            // The plugin's main socket stays.
            eventually("its socket is removed", || left() == 1).await;
        }
    }
}

#[tokio::test]
async fn two_hundred_services_in_a_row_leave_nothing_behind() {
    for multiplex in [false, true] {
        let pair = pair(multiplex, false).await;
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let mut before = 0;
        for round in 0..100 {
            // The tasks of the session itself have begun by then.
            if round == 1 {
                before = tasks();
            }
            let brokers = [(&pair.host.broker, &pair.plugin), (&pair.plugin, &pair.host.broker)];
            for (from, to) in brokers {
                let served = from.serve(prefix("x:")).await.unwrap();
                let rpc = to.dial(served.id()).await.unwrap();
                assert_eq!(ask(&rpc).await.unwrap(), "x:question");
            }
        }
        eventually("tasks end", || tasks() <= before).await;
        let left = || pair.directory.path().read_dir().unwrap().count();
        eventually("sockets are removed", || left() == 1).await;
        let served = pair.plugin.serve(prefix("last:")).await.unwrap();
        assert_eq!(served.id(), 101);
        let rpc = pair.host.broker.dial(served.id()).await.unwrap();
        assert_eq!(ask(&rpc).await.unwrap(), "last:question");
    }
}

#[tokio::test]
async fn the_end_of_a_host_s_link_ends_everything_on_both_sides() {
    for (multiplex, tls) in WAYS {
        let Pair { host, plugin, directory, serving, .. } = pair(multiplex, tls).await;
        let by_host = host.broker.serve(prefix("host:")).await.unwrap();
        let by_plugin = plugin.serve(prefix("plugin:")).await.unwrap();
        let to_plugin = host.broker.dial(by_plugin.id()).await.unwrap();
        let to_host = plugin.dial(by_host.id()).await.unwrap();
        let waiting = {
            let plugin = plugin.clone();
            tokio::spawn(async move { plugin.dial(77).await })
        };
        drop((host.owner, host.channel));

        assert!(ask(&to_host).await.is_err());
        assert!(ask(&to_plugin).await.is_err());
        for broker in [&host.broker, &plugin] {
            assert!(matches!(fails(broker.serve(prefix("late:"))).await, BrokerError::Closed));
            assert!(matches!(fails(broker.dial(1)).await, BrokerError::Closed));
        }
        let error = timeout(SOON, waiting).await.unwrap().unwrap().unwrap_err();
        assert!(
            matches!(error, BrokerError::Closed | BrokerError::KnockRefused { id: 77, .. }),
            "{error}"
        );
        if multiplex {
            // The one raw connection was the plugin's reason to live.
            timeout(SOON, serving).await.unwrap().unwrap();
        } else {
            drop(serving);
        }
        let left = || directory.path().read_dir().unwrap().count();
        eventually("no socket is left", || left() == 0).await;
        drop((by_host, by_plugin));
    }
}

#[tokio::test]
async fn the_end_of_a_plugin_ends_what_its_host_waits_for() {
    for (multiplex, tls) in WAYS {
        let Pair { host, plugin, serving, directory: _directory, .. } = pair(multiplex, tls).await;
        let by_plugin = plugin.serve(prefix("plugin:")).await.unwrap();
        let rpc = host.broker.dial(by_plugin.id()).await.unwrap();
        assert_eq!(ask(&rpc).await.unwrap(), "plugin:question");
        let waiting = {
            let broker = host.broker.clone();
            tokio::spawn(async move { broker.dial(77).await })
        };
        drop((serving, by_plugin));
        plugin.close();
        let error = timeout(SOON, waiting).await.unwrap().unwrap().unwrap_err();
        assert!(matches!(error, BrokerError::Closed | BrokerError::KnockRefused { .. }), "{error}");
        assert!(ask(&rpc).await.is_err());
        assert!(matches!(fails(host.broker.serve(prefix("late:"))).await, BrokerError::Closed));
    }
}

#[tokio::test]
async fn a_plugin_without_a_broker_fails_what_needs_one_and_nothing_else() {
    for (multiplex, tls) in WAYS {
        let pair = pair_with(multiplex, tls, false).await;
        let error = fails(pair.host.broker.dial(1)).await;
        assert!(matches!(error, BrokerError::NotServed), "{error}");
        let main = Rpc::new(pair.host.channel.clone(), 1, 1024);
        assert_eq!(ask(&main).await.unwrap(), "main:question");
        assert!(matches!(fails(pair.host.broker.dial(1)).await, BrokerError::NotServed));
        assert!(matches!(fails(pair.host.broker.serve(prefix(""))).await, BrokerError::NotServed));
    }
}

#[tokio::test]
async fn a_second_stream_between_the_brokers_is_refused_and_harms_nobody() {
    let pair = pair(false, true).await;
    let served = pair.plugin.serve(prefix("plugin:")).await.unwrap();
    let second = Broker::new();
    second.set_up(Setup {
        side: Side::Host,
        tls: None,
        version: 1,
        largest_message: 1024,
        route: Route::Sockets(sockets(pair.directory.path(), None)),
    });
    let _stream = second.open(pair.host.channel.clone());
    assert!(matches!(fails(second.dial(served.id())).await, BrokerError::Closed));
    let rpc = pair.host.broker.dial(served.id()).await.unwrap();
    assert_eq!(ask(&rpc).await.unwrap(), "plugin:question");
}
