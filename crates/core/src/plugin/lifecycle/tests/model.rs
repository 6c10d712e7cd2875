//! Random events against a model.

use proptest::prelude::*;

use super::*;

/// Runs random events, completing only what was asked for, and keeps a model of
/// who owns what.
#[derive(Default)]
struct Model {
    /// Steps that will complete: generation and kind.
    resolving: BTreeSet<u64>,
    launching: BTreeSet<u64>,
    initialising: BTreeSet<u64>,
    /// Connections that exist.
    alive: BTreeSet<u64>,
    retiring: BTreeSet<u64>,
    published: Option<u64>,
    /// The latest generation that ever served.
    highest: u64,
    /// A publication that was not yet told of.
    to_tell: Option<u64>,
    /// A reload was announced, and not its end.
    reloading: bool,
    timers: BTreeSet<u64>,
    open_tickets: BTreeSet<u64>,
}

impl Model {
    fn apply(&mut self, effects: Vec<Effect<Numbers>>, exclusive: bool) {
        for effect in effects {
            match effect {
                Effect::Resolve(g) => assert!(self.resolving.insert(g.0)),
                Effect::Launch(g, _) => {
                    if exclusive {
                        let others: Vec<_> = self.alive.union(&self.retiring).collect();
                        assert!(others.is_empty(), "launched {g} beside {others:?}");
                    }
                    assert!(self.launching.insert(g.0));
                }
                Effect::Initialise(g) => assert!(self.initialising.insert(g.0)),
                Effect::Cancel(_) | Effect::Keep(_) => {}
                Effect::Announce(Notice::Reloading { .. }) => {
                    assert!(!mem::replace(&mut self.reloading, true), "two reloads at a time");
                }
                Effect::Announce(Notice::Reloaded { to, .. }) => {
                    assert!(mem::take(&mut self.reloading), "the end of no reload");
                    assert_eq!(self.published, Some(to.0));
                }
                Effect::Report(_, Told::Reloader) | Effect::Announce(Notice::ReloadFailed(_)) => {
                    assert!(mem::take(&mut self.reloading), "the failure of no reload");
                }
                Effect::Announce(Notice::Quarantined) => assert_eq!(self.published, None),
                Effect::Announce(Notice::Stopped) => {
                    assert!(self.alive.is_empty() && self.retiring.is_empty());
                }
                Effect::Announce(Notice::RolledBack(_)) | Effect::Report(..) => {}
                // What serves is swapped for another, by the publication after it.
                Effect::Withdraw(Withdrawal::Succeeded(_)) => {}
                Effect::Publish(g) => {
                    assert!(self.alive.contains(&g.0), "published {g}, which does not live");
                    assert!(self.highest < g.0, "published {g} after {}", self.highest);
                    self.highest = g.0;
                    self.published = Some(g.0);
                    self.to_tell = Some(g.0);
                }
                Effect::Withdraw(_) => self.published = None,
                Effect::Retire(g, connection, _) => {
                    assert_eq!(g.0, connection, "a connection under another generation");
                    assert!(self.alive.remove(&g.0), "retired {g} twice, or before it lived");
                    assert!(self.retiring.insert(g.0));
                    if self.published == Some(g.0) {
                        self.published = None;
                    }
                }
                Effect::Wake(timer, _) => assert!(self.timers.insert(timer)),
                Effect::Answer(ticket, _) => {
                    assert!(self.open_tickets.remove(&ticket), "answered {ticket} twice");
                }
            }
        }
    }

    /// The event that choice number `choice` stands for, if it can happen now.
    fn event(
        &mut self,
        choice: u8,
        ok: bool,
        permanent: bool,
        ticket: u64,
    ) -> Option<Event<Numbers>> {
        let fault = Broken { permanent, stale: !permanent && ticket.is_multiple_of(5) };
        let first = |set: &BTreeSet<u64>| set.first().copied();
        let last = |set: &BTreeSet<u64>| set.last().copied();
        Some(match choice {
            0 => self.ask(ticket, Event::Start(ticket)),
            1 | 2 => self.ask(ticket, Event::Reload(ticket)),
            3 => self.ask(ticket, Event::Stop(ticket)),
            4 | 5 => {
                let g = first(&self.resolving)?;
                self.resolving.remove(&g);
                Event::Resolved(Generation(g), if ok { Ok(g as u32) } else { Err(fault) })
            }
            6 | 7 => {
                let g = last(&self.launching)?;
                self.launching.remove(&g);
                if ok {
                    self.alive.insert(g);
                }
                Event::Launched(Generation(g), if ok { Ok(g) } else { Err(fault) })
            }
            8 | 9 => {
                let g = first(&self.initialising)?;
                self.initialising.remove(&g);
                Event::Initialised(Generation(g), if ok { Ok(()) } else { Err(fault) })
            }
            10 => Event::Died(Generation(last(&self.alive)?), fault),
            11 => Event::Died(Generation(first(&self.alive)?), fault),
            12 | 13 => {
                let g = first(&self.retiring)?;
                self.retiring.remove(&g);
                Event::Retired(Generation(g))
            }
            14 => Event::Published(Generation(self.to_tell.take()?)),
            // Seldom, or nothing else would come about.
            15 if ticket.is_multiple_of(8) => Event::Panicked(fault),
            15 => return None,
            _ => {
                let timer = last(&self.timers)?;
                self.timers.remove(&timer);
                Event::Woke(timer)
            }
        })
    }

    fn ask(&mut self, ticket: u64, event: Event<Numbers>) -> Event<Numbers> {
        self.open_tickets.insert(ticket);
        event
    }
}

/// As many sequences as `PROPTEST_CASES` says.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    asked.unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn every_connection_has_one_owner_and_every_caller_one_answer(
        exclusive: bool,
        spare: bool,
        steps in proptest::collection::vec((0u8..18, prop::bool::weighted(0.8), any::<bool>(), 0u64..5_000), 1..120),
    ) {
        let mut lifecycle = Lifecycle::<Numbers>::new(exclusive, 7);
        lifecycle.set_spare(spare);
        lifecycle.set_policy(RestartPolicy::default(), Duration::from_secs(10));
        let mut model = Model::default();
        let mut now = Duration::ZERO;
        for (ticket, (choice, ok, permanent, millis)) in (0_u64..).zip(steps) {
            now += Duration::from_millis(millis);
            let Some(event) = model.event(choice, ok, permanent, ticket) else { continue };
            let effects = lifecycle.on(event, now);
            model.apply(effects, exclusive);
            let serving = lifecycle.serving().map(|(generation, _)| generation.0);
            prop_assert_eq!(serving, model.published);
            let candidate = lifecycle.candidate().map(|(generation, _, _)| generation.0);
            let spare = lifecycle.spare_connection().map(|generation| generation.0);
            let owned: BTreeSet<u64> = serving.into_iter().chain(candidate).chain(spare).collect();
            prop_assert_eq!(&owned, &model.alive, "a connection is lost or owned twice");
        }
        // However it went, a stop ends it once everything has completed.
        let stop = model.ask(u64::MAX, Event::Stop(u64::MAX));
        let effects = lifecycle.on(stop, now);
        model.apply(effects, exclusive);
        for _ in 0..1_000 {
            let next = [4, 6, 8, 12].into_iter().find_map(|choice| model.event(choice, true, false, 0));
            let Some(event) = next else { break };
            let effects = lifecycle.on(event, now);
            model.apply(effects, exclusive);
        }
        prop_assert_eq!(lifecycle.phase(), Phase::Stopped);
        prop_assert!(model.alive.is_empty() && model.retiring.is_empty());
        prop_assert!(model.open_tickets.is_empty(), "nobody answered {:?}", model.open_tickets);
        prop_assert!(!model.reloading, "nobody was told how a reload ended");
    }
}
