//! The seam between the lifecycle and the ways to run a plugin.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::error::LaunchError;
use crate::launch::{Starter, launch};
use crate::process::Launcher;
use crate::spec::LaunchSpec;

/// A way to run plugins.
#[async_trait]
pub trait Driver: fmt::Debug + Send + Sync + 'static {
    /// Launches one generation and connects to it, within the spec's
    /// `start_timeout`. Runs on the current tokio runtime, which must stay
    /// until the connection is stopped.
    ///
    /// `cancel` ends a launch early; what it started is taken down first.
    ///
    /// # Errors
    ///
    /// [`LaunchError`]; nothing is left of the attempt.
    async fn launch(
        &self,
        spec: LaunchSpec,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Connection>, LaunchError>;
}

/// Runs plugins as processes.
#[derive(Debug, Clone)]
pub struct ProcessDriver {
    launcher: Option<Launcher>,
}

impl ProcessDriver {
    /// A driver that starts processes through `launcher`, or directly where
    /// there is none.
    #[must_use]
    pub const fn new(launcher: Option<Launcher>) -> Self {
        Self { launcher }
    }

    /// The launcher in use.
    #[must_use]
    pub const fn launcher(&self) -> Option<&Launcher> {
        self.launcher.as_ref()
    }
}

#[async_trait]
impl Driver for ProcessDriver {
    async fn launch(
        &self,
        spec: LaunchSpec,
        cancel: CancellationToken,
    ) -> Result<Arc<dyn Connection>, LaunchError> {
        launch(Starter::Process(self.launcher.clone()), spec, cancel).await
    }
}
