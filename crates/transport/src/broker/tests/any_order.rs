//! Whatever the other side says, and when: nobody hangs, and no announcement
//! serves two.

use proptest::prelude::*;

use super::limits::{announcement, plain};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Dial(u32),
    Announce(u32),
    Knock(u32, Knock),
    Pass(u64),
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0_u32..4;
    let knock = (any::<bool>(), any::<bool>(), "|no").prop_map(|(knock, ack, error)| Knock {
        knock,
        ack,
        error,
    });
    prop_oneof![
        6 => id().prop_map(Step::Dial),
        6 => id().prop_map(Step::Announce),
        3 => (id(), knock).prop_map(|(id, knock)| Step::Knock(id, knock)),
        4 => (0_u64..4000).prop_map(Step::Pass),
        1 => Just(Step::Close),
    ]
}

/// How a dial ended, and how long it took.
type Ended = (u32, BrokerError, Duration);

async fn play(steps: Vec<Step>) -> (Vec<Ended>, HashMap<u32, usize>) {
    let (broker, _messages) = plain();
    let (mut dials, mut announced) = (Vec::new(), HashMap::<u32, usize>::new());
    for step in steps {
        match step {
            Step::Dial(id) => {
                let broker = broker.clone();
                dials.push(tokio::spawn(async move {
                    let begun = Instant::now();
                    let error = broker.dial(id).await.unwrap_err();
                    (id, error, begun.elapsed())
                }));
            }
            Step::Announce(id) => {
                *announced.entry(id).or_default() += 1;
                broker.0.receive(announcement(id, "/nowhere/s"));
            }
            Step::Knock(id, knock) => broker.0.receive(ConnInfo {
                service_id: id,
                knock: Some(knock),
                ..ConnInfo::default()
            }),
            Step::Pass(millis) => tokio::time::advance(Duration::from_millis(millis)).await,
            Step::Close => broker.close(),
        }
        tokio::task::yield_now().await;
    }
    let mut ended = Vec::new();
    for dial in dials {
        ended.push(dial.await.unwrap());
    }
    (ended, announced)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_dial_ends_within_5_seconds_and_no_announcement_serves_two(
        steps in proptest::collection::vec(step(), 0..60)
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        let (ended, mut announced) = runtime.block_on(play(steps));
        for (id, error, took) in ended {
            // What passes in one step may be more than what was left.
            prop_assert!(took <= WAIT + Duration::from_secs(4), "{took:?}");
            match error {
                BrokerError::Unreachable { id: named, .. } => {
                    prop_assert_eq!(named, id);
                    let left = announced.get_mut(&id).and_then(|left| left.checked_sub(1));
                    prop_assert!(left.is_some(), "{id} was claimed more often than announced");
                    announced.insert(id, left.unwrap());
                }
                BrokerError::TimedOut { id: named, .. } => prop_assert_eq!(named, id),
                BrokerError::Closed => {}
                other => prop_assert!(false, "{other}"),
            }
        }
    }
}
