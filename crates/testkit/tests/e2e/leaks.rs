//! What a host leaves behind: nothing.

use outrigger::helloworld::Greeter as _;
use outrigger_testkit::census::Census;
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};

use crate::{greeter, stop};

e2e! {
    async fn two_hundred_starts_and_stops_leave_nothing_behind() {
        let kits = [Kit::with("ok"), Kit::with("ok")];
        let cycle = async |kit: &Kit| {
            let host = kit.start().await;
            assert_eq!(greeter(&host).greeting("x").await.unwrap(), "Hello x!");
            stop(host).await;
        };
        let both = async || tokio::join!(cycle(&kits[0]), cycle(&kits[1]));
        // Warm-up: the runtime's blocking threads, the random source.
        for _ in 0..5 {
            both().await;
        }
        let before = Census::take();
        for _ in 0..100 {
            both().await;
        }
        // Blocking threads come and go; they may not pile up.
        eventually("the census after is the census before", || {
            let after = Census::take();
            after.descriptors == before.descriptors
                && after.processes == before.processes
                && after.threads <= before.threads + 2
        })
        .await;
        kits.iter().for_each(Kit::assert_clean);
    }

    async fn fifty_reloads_and_fifty_failed_starts_leave_nothing_behind() {
        let mut kit = Kit::with("ok");
        kit.add_fixture("bad", "wrong-cert");
        let mut good = Kit::with("ok");
        good.set("/runDir", serde_json::json!(kit.run_dir()));
        let host = good.start().await;
        let cycle = async || {
            host.reload("helloworld").await.unwrap();
            let failing = kit.builder().register().unwrap().start().await;
            assert!(failing.unwrap_err().to_string().contains("identity mismatch"));
        };
        for _ in 0..3 {
            cycle().await;
        }
        let before = Census::take();
        for _ in 0..50 {
            cycle().await;
        }
        eventually("the census after is the census before", || {
            let after = Census::take();
            after.descriptors == before.descriptors
                && after.processes == before.processes
                && after.threads <= before.threads + 2
        })
        .await;
        stop(host).await;
        kit.assert_clean();
    }
}
