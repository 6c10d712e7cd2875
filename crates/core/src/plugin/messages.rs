//! What a plugin actor can be told.

use std::sync::Arc;

use actix::Message;
use outrigger_transport::Connection;
use outrigger_types::Generation;

use super::Event;
use crate::error::PluginError;
use crate::settings::ProviderSettings;

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

/// Stop the instance. From the manager; answered when its processes are gone.
/// May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Stop;

/// The connection that serves, if one does. May be repeated.
#[derive(Debug, Message)]
#[rtype(result = "Option<Arc<dyn Connection>>")]
pub(crate) struct GetConnection;

/// Something ended or happened elsewhere. From effects, monitors and timers.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Happened(pub(crate) Event);
