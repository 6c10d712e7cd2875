//! Callers that share, callers that are refused, and a plugin that is away.

use super::*;
use crate::fake::Fake;

fn authenticator(fake: &Fake) -> Arc<Authenticator<Fake>> {
    Arc::new(Authenticator::new(fake.clone(), AuthenticatorOptions::default()))
}

fn good() -> Fake {
    let fake = Fake::default();
    fake.grant("bearer x", 600, &[("eth", "*", "")]);
    fake
}

#[tokio::test]
async fn a_hundred_callers_with_one_token_share_one_judgement() {
    let fake = good();
    let authenticator = authenticator(&fake);
    fake.shut();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let authenticator = authenticator.clone();
            tokio::spawn(async move { authenticator.access(Some(b"bearer x")).await })
        })
        .collect();
    while fake.asked() == 0 {
        tokio::task::yield_now().await;
    }
    fake.open();
    for caller in callers {
        assert!(matches!(caller.await.unwrap(), Ok(Access::Token(_))));
    }
    assert_eq!((fake.asked(), fake.probed()), (1, 1));
}

#[tokio::test]
async fn a_refused_token_is_not_remembered() {
    let fake = good();
    let authenticator = authenticator(&fake);
    let refused = |header| authenticator.access(Some(header));
    assert_eq!(
        refused(b"bearer y").await.unwrap_err(),
        SecurityError::Refused("invalid access token".into())
    );
    fake.grant("bearer y", 600, &[]);
    refused(b"bearer y").await.unwrap();
    assert_eq!(fake.asked(), 2);
    assert_eq!(authenticator.access(None).await.unwrap_err(), SecurityError::MissingToken);
}

#[tokio::test]
async fn a_plugin_s_own_words_reach_a_caller_only_where_that_is_wanted() {
    let options = AuthenticatorOptions { plugin_texts: true, ..AuthenticatorOptions::default() };
    let authenticator = Authenticator::new(good(), options);
    let error = authenticator.access(Some(b"bearer y")).await.unwrap_err();
    assert_eq!(error.to_string(), "the token is forged");
}

#[tokio::test]
async fn a_good_token_is_asked_for_again_when_the_generation_changes() {
    let fake = good();
    let authenticator = authenticator(&fake);
    for _ in 0..3 {
        authenticator.access(Some(b"bearer x")).await.unwrap();
    }
    assert_eq!(fake.asked(), 1);
    fake.set_epoch(2);
    authenticator.access(Some(b"bearer x")).await.unwrap();
    assert_eq!((fake.asked(), fake.probed()), (2, 2));
}

#[tokio::test]
async fn a_later_generation_that_authenticates_nobody_opens_nothing() {
    let fake = good();
    let authenticator = authenticator(&fake);
    authenticator.access(Some(b"bearer x")).await.unwrap();
    fake.set_epoch(2);
    fake.disable();
    for header in [None, Some(b"bearer x".as_slice())] {
        let refused = authenticator.access(header).await.unwrap_err();
        assert_eq!(refused, SecurityError::Internal);
    }
    // One that never did lets everybody in, as GoQuorum's does.
    let open = Authenticator::new(fake, AuthenticatorOptions::default());
    assert!(matches!(open.access(None).await, Ok(Access::Open)));
}

#[tokio::test]
async fn nobody_is_let_in_while_nobody_can_judge() {
    let fake = good();
    let authenticator = authenticator(&fake);
    authenticator.access(Some(b"bearer x")).await.unwrap();
    for away in [0, 9] {
        fake.set_epoch(away);
        let error = authenticator.access(Some(b"bearer x")).await.unwrap_err();
        // Epoch 9 answers the probe with an error, which is no "disabled".
        assert_eq!(error, SecurityError::Internal, "{away}");
        assert_eq!(error.to_string(), "internal error");
    }
    fake.set_epoch(3);
    authenticator.access(Some(b"bearer x")).await.unwrap();
}

#[tokio::test]
async fn a_disabled_manager_lets_everybody_in_until_a_reload_enables_it() {
    let fake = good();
    fake.disable();
    let authenticator = authenticator(&fake);
    assert!(matches!(authenticator.access(None).await, Ok(Access::Open)));
    assert_eq!(fake.asked(), 0);
}

#[tokio::test]
async fn an_expired_token_is_refused_and_forgotten() {
    let fake = Fake::default();
    fake.grant("bearer x", 0, &[("*", "*", "")]);
    let authenticator = authenticator(&fake);
    for asked in [1, 2] {
        let error = authenticator.access(Some(b"bearer x")).await.unwrap_err();
        assert_eq!(error, SecurityError::Expired);
        assert_eq!(fake.asked(), asked);
    }
}

#[tokio::test]
async fn only_so_many_tokens_are_remembered() {
    let fake = Fake::default();
    let options = AuthenticatorOptions { capacity: 8, ..AuthenticatorOptions::default() };
    let authenticator = Authenticator::new(fake.clone(), options);
    for number in 0..50 {
        let token = format!("bearer {number}");
        fake.grant(&token, 600, &[]);
        authenticator.access(Some(token.as_bytes())).await.unwrap();
    }
    assert_eq!(authenticator.memory().tokens.len(), 8);
    authenticator.access(Some(b"bearer 49")).await.unwrap();
    assert_eq!(fake.asked(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_does_not_answer_lets_nobody_in() {
    let fake = good();
    fake.shut();
    let authenticator = authenticator(&fake);
    let error = authenticator.access(Some(b"bearer x")).await.unwrap_err();
    assert_eq!(error, SecurityError::Internal);
}

#[tokio::test(start_paused = true)]
async fn a_good_token_is_judged_again_after_a_while() {
    let fake = good();
    let authenticator = authenticator(&fake);
    authenticator.access(Some(b"bearer x")).await.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    authenticator.access(Some(b"bearer x")).await.unwrap();
    assert_eq!(fake.asked(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    authenticator.access(Some(b"bearer x")).await.unwrap();
    assert_eq!(fake.asked(), 2);
}
