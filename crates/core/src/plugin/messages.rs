//! What a plugin actor can be told.

use std::sync::Arc;

use actix::Message;
use actix::dev::MessageResponse;
use outrigger_transport::Connection;
use outrigger_types::{Generation, Sha256Digest};

use super::Event;
use crate::chaos::Chaos;
use crate::error::PluginError;
use crate::settings::ProviderSettings;
use crate::status::DryRun;

/// Start the instance. From the manager; answered with the generation that
/// serves, or with why the first attempt failed. May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Result<Generation, PluginError>")]
pub(crate) struct Start;

/// Replace the serving generation. From the manager, with what the settings ask
/// for now; answered with the result of a reload that began after this message.
/// May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Result<Generation, PluginError>")]
pub(crate) struct Reload {
    pub(crate) provider: ProviderSettings,
    /// Settings that were read for an earlier order do not replace later ones.
    pub(crate) order: u64,
}

/// Verify, launch, initialise and throw away what the settings ask for, beside what
/// serves. From the manager; answered with what that found. May be repeated once
/// it was answered.
#[derive(Debug, Message)]
#[rtype(result = "Result<DryRun, PluginError>")]
pub(crate) struct Rehearse {
    pub(crate) provider: ProviderSettings,
}

/// A dry run has ended. From itself.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct RehearsalEnded;

/// Stop the instance. From the manager; answered when its processes are gone.
/// May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;

/// Stop the instance for good: the settings do not name it any more. From the
/// manager; answered when its processes are gone, and then the actor ends.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Remove;

/// What the serving generation was made from. May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Option<Served>")]
pub(crate) struct GetServed;

/// What a generation was made from.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) provider: ProviderSettings,
    /// The zip's digest, if it came from one.
    pub(crate) distribution: Option<Sha256Digest>,
    /// The digest of the config that it got, if it was initialised.
    pub(crate) config: Option<Sha256Digest>,
    /// Whether it comes from files that nobody takes the digest of.
    pub(crate) looks_anew: bool,
}

/// Disturb the instance. From the manager; may be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Disturbed")]
pub(crate) struct Disturb(pub(crate) Chaos);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, MessageResponse)]
pub(crate) enum Disturbed {
    Done,
    NothingServes,
    /// What serves is no process of this host's.
    NoProcess,
}

/// The connection that serves, if one does. May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Option<Arc<dyn Connection>>")]
pub(crate) struct GetConnection;

/// Something ended or happened elsewhere. From effects, monitors and timers.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Happened(pub(crate) Event);
