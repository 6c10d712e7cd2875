//! What is announced to whoever follows an instance.

use outrigger_types::Generation;

use super::{Denied, Effect, Lifecycle, Notice, Parts, Phase, Reloading};

impl<P: Parts> Lifecycle<P> {
    fn announce(&mut self, notice: Notice<P::Fault>) {
        self.effects.push(Effect::Announce(notice));
    }

    /// The attempt that begins is a reload.
    pub(super) fn begin_reload(&mut self, from: Option<Generation>) {
        self.reloading = Some(Reloading { from, began: self.now });
        self.announce(Notice::Reloading { from });
    }

    pub(super) fn announce_reloaded(&mut self, reloaded: Option<Reloading>, to: Generation) {
        let Some(Reloading { from, began }) = reloaded else { return };
        let took = self.now.saturating_sub(began);
        self.announce(Notice::Reloaded { from, to, took });
    }

    /// The reload that runs, if one does, ends without an attempt that failed.
    pub(super) fn give_up_reload(&mut self, why: Denied<P::Fault>) {
        if self.reloading.take().is_some() {
            self.announce(Notice::ReloadFailed(why));
        }
    }

    /// What is plain from where the event led: after all else, so that what goes on
    /// at once, such as a reload that waited, was no quarantine.
    pub(super) fn announce_rest(&mut self, before: Phase) {
        let now = self.phase();
        if now == before {
            return;
        }
        match now {
            Phase::Failed | Phase::BackingOff { open: true } => self.announce(Notice::Quarantined),
            Phase::Stopped => self.announce(Notice::Stopped),
            _ => {}
        }
    }
}
