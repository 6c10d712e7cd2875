//! What one side knows about the broker: which ids it gave away, what the other
//! side announced, whose stream comes next. No sockets, no tasks, no clock.

use std::collections::{HashMap, VecDeque};

use outrigger_proto::plugin::ConnInfo;
use outrigger_proto::plugin::conn_info::Knock;
use tokio::time::Instant;

use super::KEPT;
use crate::handshake::{Address, HandshakeError, shorten};

/// Announcements that are kept for whoever asks; more are dropped, as they are
/// after [`KEPT`].
pub(super) const MOST_ANNOUNCED: usize = 256;

/// What the other side announced under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    /// Where it is, as the other side sees it.
    Address(Address),
    /// It is nowhere that can be dialled.
    Refused { address: String, reason: String },
}

/// `S` is where the streams of a service that is served go.
#[derive(Debug)]
pub(super) struct Table<S> {
    last_id: u32,
    /// In the order of arrival, which is the order of expiry.
    announced: VecDeque<Announced>,
    services: HashMap<u32, S>,
    permission: Option<Permission>,
    knock: Option<Asked>,
}

#[derive(Debug)]
struct Announced {
    id: u32,
    until: Instant,
    offer: Offer,
}

/// The next stream that comes belongs to `id`.
#[derive(Debug)]
struct Permission {
    id: u32,
    until: Instant,
}

/// A permission that this side asked for.
#[derive(Debug)]
struct Asked {
    id: u32,
    answer: Option<Result<(), String>>,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self {
            last_id: 0,
            announced: VecDeque::new(),
            services: HashMap::new(),
            permission: None,
            knock: None,
        }
    }
}

impl<S: Clone> Table<S> {
    /// An id that this side has not used yet.
    pub(super) fn next_id(&mut self) -> Option<u32> {
        self.last_id = self.last_id.checked_add(1)?;
        Some(self.last_id)
    }

    /// Takes streams for `id` from now on.
    pub(super) fn serve(&mut self, id: u32, service: S) {
        self.services.insert(id, service);
    }

    /// Takes none any longer.
    pub(super) fn end(&mut self, id: u32) {
        self.services.remove(&id);
        if self.permission.as_ref().is_some_and(|permission| permission.id == id) {
            self.permission = None;
        }
    }

    /// Takes a message of the other side in, and gives what is to be answered.
    pub(super) fn message(&mut self, info: ConnInfo, now: Instant) -> Option<ConnInfo> {
        let id = info.service_id;
        match info.knock {
            None => self.announce(info, now),
            Some(Knock { ack: true, error, .. }) => self.answered(id, &error),
            Some(Knock { knock: true, .. }) => return Some(self.knocked(id, now)),
            // Neither a question nor an answer.
            Some(Knock { .. }) => {}
        }
        None
    }

    /// The first announcement counts, as it does in go-plugin; the peer may not
    /// announce an id again before it was claimed.
    fn announce(&mut self, info: ConnInfo, now: Instant) {
        self.expire(now);
        let id = info.service_id;
        if self.announced.len() == MOST_ANNOUNCED || self.announced.iter().any(|a| a.id == id) {
            return;
        }
        let offer = match Address::parse_foreign(&info.network, &info.address) {
            Ok(address) => Offer::Address(address),
            Err(error) => Offer::Refused { address: shorten(&info.address), reason: reason(error) },
        };
        self.announced.push_back(Announced { id, until: now + KEPT, offer });
    }

    /// Gives what was announced under `id`, once.
    pub(super) fn claim(&mut self, id: u32, now: Instant) -> Option<Offer> {
        self.expire(now);
        let at = self.announced.iter().position(|announced| announced.id == id)?;
        self.announced.remove(at).map(|announced| announced.offer)
    }

    fn expire(&mut self, now: Instant) {
        while self.announced.front().is_some_and(|announced| announced.until <= now) {
            self.announced.pop_front();
        }
    }

    /// A peer has one knock under way at a time, so a permission that is still
    /// there belongs to one who gave up.
    fn knocked(&mut self, id: u32, now: Instant) -> ConnInfo {
        let error = if self.services.contains_key(&id) {
            self.permission = Some(Permission { id, until: now + KEPT });
            String::new()
        } else {
            format!("nothing is served under broker id {id}")
        };
        let knock = Some(Knock { knock: true, ack: true, error });
        ConnInfo { service_id: id, knock, ..ConnInfo::default() }
    }

    /// Where the stream that has just come goes, if it was permitted.
    pub(super) fn admit(&mut self, now: Instant) -> Option<S> {
        let permission = self.permission.take().filter(|permission| now < permission.until)?;
        self.services.get(&permission.id).cloned()
    }

    /// The question for permission; one at a time.
    pub(super) fn knock(&mut self, id: u32) -> ConnInfo {
        self.knock = Some(Asked { id, answer: None });
        let knock = Some(Knock { knock: true, ..Knock::default() });
        ConnInfo { service_id: id, knock, ..ConnInfo::default() }
    }

    fn answered(&mut self, id: u32, error: &str) {
        let Some(asked) = self.knock.as_mut().filter(|asked| asked.id == id) else { return };
        let answer = if error.is_empty() { Ok(()) } else { Err(shorten(error)) };
        asked.answer.get_or_insert(answer);
    }

    /// The answer to the knock that is under way.
    pub(super) fn answer(&self) -> Option<Result<(), String>> {
        self.knock.as_ref()?.answer.clone()
    }

    /// A later answer comes too late.
    pub(super) fn knock_over(&mut self) {
        self.knock = None;
    }

    /// Forgets everything but the ids that were given away.
    pub(super) fn clear(&mut self) {
        *self = Self { last_id: self.last_id, ..Self::default() };
    }
}

/// Why an address is refused, without the address.
pub(super) fn reason(error: HandshakeError) -> String {
    match error {
        HandshakeError::Address { reason, .. } => reason.to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
