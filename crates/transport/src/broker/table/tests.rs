//! The bookkeeping against single messages, and against random ones.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn announcement(id: u32, network: &str, address: &str) -> ConnInfo {
    let (network, address) = (network.to_owned(), address.to_owned());
    ConnInfo { service_id: id, network, address, knock: None }
}

fn knock(id: u32, knock: bool, ack: bool, error: &str) -> ConnInfo {
    let knock = Some(Knock { knock, ack, error: error.to_owned() });
    ConnInfo { service_id: id, knock, ..ConnInfo::default() }
}

fn table() -> Table<&'static str> {
    Table::default()
}

#[test]
fn ids_count_from_1_and_end() {
    let mut table = table();
    assert_eq!((table.next_id(), table.next_id()), (Some(1), Some(2)));
    table.last_id = u32::MAX - 1;
    assert_eq!((table.next_id(), table.next_id()), (Some(u32::MAX), None));
}

#[test]
fn an_announcement_is_claimed_once() {
    let (mut table, now) = (table(), Instant::now());
    table.message(announcement(1, "unix", "/run/a"), now);
    assert_eq!(table.claim(1, now), Some(Offer::Address(Address::Unix("/run/a".into()))));
    assert_eq!(table.claim(1, now), None);
}

#[test]
fn an_announcement_is_kept_for_5_seconds() {
    let (mut table, now) = (table(), Instant::now());
    table.message(announcement(1, "unix", "/run/a"), now);
    table.message(announcement(2, "unix", "/run/b"), now + Duration::from_secs(1));
    assert_eq!(table.claim(1, now + Duration::from_secs(5)), None);
    assert!(table.claim(2, now + Duration::from_secs(5)).is_some());
}

#[test]
fn the_first_of_two_announcements_of_an_id_counts() {
    let (mut table, now) = (table(), Instant::now());
    table.message(announcement(1, "unix", "/run/a"), now);
    table.message(announcement(1, "unix", "/run/b"), now);
    assert_eq!(table.claim(1, now), Some(Offer::Address(Address::Unix("/run/a".into()))));
    assert_eq!(table.claim(1, now), None);
}

#[test]
fn addresses_that_are_not_dialled_are_refused_with_a_reason() {
    let (mut table, now) = (table(), Instant::now());
    for (network, address) in [
        ("udp", "127.0.0.1:1"),
        ("unix", "@abstract"),
        ("unix", "relative"),
        ("unix", "/nul\0"),
        ("tcp", "nowhere"),
        ("tcp", "127.0.0.1:0"),
        ("", ""),
    ] {
        table.message(announcement(1, network, address), now);
        let offer = table.claim(1, now);
        let Some(Offer::Refused { reason, .. }) = offer else { panic!("{address}: {offer:?}") };
        assert!(!reason.is_empty());
    }
}

#[test]
fn a_knock_for_what_is_served_admits_one_stream() {
    let (mut table, now) = (table(), Instant::now());
    table.serve(7, "seven");
    assert_eq!(table.message(knock(7, true, false, ""), now), Some(knock(7, true, true, "")));
    assert_eq!(table.admit(now), Some("seven"));
    assert_eq!(table.admit(now), None);
}

#[test]
fn a_knock_for_an_unknown_id_is_answered_with_an_error_and_admits_nothing() {
    let (mut table, now) = (table(), Instant::now());
    let answer = table.message(knock(7, true, false, ""), now).unwrap();
    let said = answer.knock.unwrap();
    assert!(said.knock && said.ack && said.error.contains('7'), "{said:?}");
    assert_eq!(table.admit(now), None);
}

#[test]
fn a_permission_lasts_5_seconds_and_ends_with_its_service() {
    let (mut table, now) = (table(), Instant::now());
    table.serve(7, "seven");
    table.message(knock(7, true, false, ""), now);
    assert_eq!(table.admit(now + KEPT), None);
    table.message(knock(7, true, false, ""), now);
    table.end(7);
    assert_eq!(table.admit(now), None);
}

#[test]
fn a_later_knock_takes_the_place_of_one_who_gave_up() {
    let (mut table, now) = (table(), Instant::now());
    table.serve(7, "seven");
    table.serve(8, "eight");
    table.message(knock(7, true, false, ""), now);
    table.message(knock(8, true, false, ""), now);
    assert_eq!(table.admit(now), Some("eight"));
    assert_eq!(table.admit(now), None);
}

#[test]
fn an_answer_counts_for_the_knock_under_way_and_no_other() {
    let (mut table, now) = (table(), Instant::now());
    table.message(knock(3, true, true, ""), now);
    assert_eq!(table.knock(4), knock(4, true, false, ""));
    table.message(knock(3, true, true, ""), now);
    assert_eq!(table.answer(), None);
    table.message(knock(4, true, true, "busy\n"), now);
    table.message(knock(4, true, true, ""), now);
    assert_eq!(table.answer(), Some(Err("busy".to_owned())));
    table.knock_over();
    assert_eq!(table.answer(), None);
}

/// What either side may do next.
#[derive(Debug, Clone)]
enum Step {
    Message(ConnInfo),
    Claim(u32),
    Serve,
    End(u32),
    Stream,
    Knock(u32),
    Pass(u64),
    Clear,
}

fn message() -> impl Strategy<Value = ConnInfo> {
    let knock = (any::<bool>(), any::<bool>(), "|\\PC*").prop_map(|(knock, ack, error)| Knock {
        knock,
        ack,
        error,
    });
    let network = prop_oneof![3 => Just("unix".to_owned()), 1 => Just("tcp".to_owned()), 1 => ".*"];
    let address = prop_oneof![3 => "/[a-z]{1,9}", 1 => "127\\.0\\.0\\.1:[0-9]{0,6}", 1 => ".*"];
    (0_u32..6, network, address, proptest::option::of(knock)).prop_map(
        |(service_id, network, address, knock)| ConnInfo { service_id, network, address, knock },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => message().prop_map(Step::Message),
        4 => (0_u32..6).prop_map(Step::Claim),
        2 => Just(Step::Serve),
        1 => (0_u32..6).prop_map(Step::End),
        4 => Just(Step::Stream),
        2 => (0_u32..6).prop_map(Step::Knock),
        2 => (0_u64..7000).prop_map(Step::Pass),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn nothing_is_claimed_twice_and_nothing_is_admitted_unasked(
        steps in proptest::collection::vec(step(), 0..200)
    ) {
        let mut table: Table<u32> = Table::default();
        let mut now = Instant::now();
        let mut claimable: HashMap<u32, Instant> = HashMap::new();
        let mut permitted: Option<(u32, Instant)> = None;
        let mut given = 0;
        for step in steps {
            match step {
                Step::Message(info) => {
                    let id = info.service_id;
                    if info.knock.is_none() && claimable.get(&id).is_none_or(|until| *until <= now) {
                        claimable.insert(id, now + KEPT);
                    }
                    let answer = table.message(info, now);
                    if let Some(answer) = answer {
                        prop_assert_eq!(answer.service_id, id);
                        let knock = answer.knock.unwrap();
                        prop_assert!(knock.knock && knock.ack);
                        if knock.error.is_empty() {
                            prop_assert!(table.services.contains_key(&id));
                            permitted = Some((id, now + KEPT));
                        }
                    }
                }
                Step::Claim(id) => {
                    let due = claimable.remove(&id).is_some_and(|until| now < until);
                    prop_assert_eq!(table.claim(id, now).is_some(), due);
                    prop_assert!(table.claim(id, now).is_none());
                }
                Step::Serve => {
                    let id = table.next_id().unwrap();
                    prop_assert_eq!(id, given + 1);
                    given = id;
                    table.serve(id, id);
                }
                Step::End(id) => {
                    table.end(id);
                    permitted = permitted.filter(|(permitted, _)| *permitted != id);
                }
                Step::Stream => {
                    let due = permitted.take().filter(|(_, until)| now < *until);
                    prop_assert_eq!(table.admit(now), due.map(|(id, _)| id));
                }
                Step::Knock(id) => {
                    table.knock(id);
                    prop_assert!(table.answer().is_none());
                }
                Step::Pass(millis) => now += Duration::from_millis(millis),
                Step::Clear => {
                    table.clear();
                    claimable.clear();
                    permitted = None;
                }
            }
            prop_assert!(table.announced.len() <= MOST_ANNOUNCED);
        }
    }

    #[test]
    fn what_is_kept_is_bounded(ids in proptest::collection::vec(any::<u32>(), 0..2000)) {
        let (mut table, now) = (table(), Instant::now());
        for id in ids {
            table.message(announcement(id, "unix", &"/x".repeat(1000)), now);
            prop_assert!(table.announced.len() <= MOST_ANNOUNCED);
        }
        for kept in &table.announced {
            let Offer::Refused { address, reason } = &kept.offer else { panic!() };
            prop_assert!(address.len() + reason.len() < 4096);
        }
    }
}
