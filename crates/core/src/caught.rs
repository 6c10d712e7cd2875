//! Panics, turned into errors.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use actix::ResponseFuture;
use futures_util::FutureExt as _;

use crate::error::HostError;

/// What a panic said.
pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
    said.unwrap_or_else(|| "a panic that did not say why".to_owned())
}

/// What an actor answers with, whatever becomes of the work: the actor itself goes
/// on.
pub(crate) fn answer<T: 'static>(
    work: impl Future<Output = Result<T, HostError>> + 'static,
) -> ResponseFuture<Result<T, HostError>> {
    Box::pin(async move {
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        outcome.unwrap_or_else(|panic| {
            let error = HostError::Internal(text(&*panic));
            tracing::error!("{error}");
            Err(error)
        })
    })
}
