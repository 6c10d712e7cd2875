//! The layer around a server's RPC service: whether each call is granted.

use std::borrow::Cow;
use std::time::SystemTime;

use http::Extensions;
use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT};
use jsonrpsee::types::Request;
use tower::Layer;

use super::session::SessionRef;
use super::{Access, Caller, SecurityError, authorise};

/// Authorises each call, members of a batch one by one.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuthorizeLayer;

impl<S> Layer<S> for AuthorizeLayer {
    type Service = AuthorizeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthorizeService { inner }
    }
}

/// What [`AuthorizeLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct AuthorizeService<S> {
    inner: S,
}

/// Whether a call is granted, and to whom.
async fn check(extensions: &Extensions, method: &str) -> Result<Caller, SecurityError> {
    let Some(session) = extensions.get::<SessionRef>().cloned() else {
        tracing::error!("a call is refused: it did not come through the security layer");
        return Err(SecurityError::Internal);
    };
    let caller = session.0.caller().await?;
    if let Access::Token(token) = &caller.access {
        authorise(token, method, SystemTime::now())?;
    }
    Ok(caller)
}

impl<S> RpcServiceT for AuthorizeService<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type BatchResponse = MethodResponse;
    type NotificationResponse = MethodResponse;

    fn call<'a>(
        &self,
        mut request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move {
            match check(&request.extensions, &request.method).await {
                Ok(caller) => {
                    request.extensions.insert(caller);
                    inner.call(request).await
                }
                Err(error) => MethodResponse::error(request.id, error.to_object()),
            }
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move {
            let mut checked = Vec::with_capacity(batch.len());
            for entry in batch {
                checked.push(match entry {
                    Ok(BatchEntry::Call(mut request)) => {
                        match check(&request.extensions, &request.method).await {
                            Ok(caller) => {
                                request.extensions.insert(caller);
                                Ok(BatchEntry::Call(request))
                            }
                            Err(error) => Err(BatchEntryErr::new(request.id, error.to_object())),
                        }
                    }
                    Ok(BatchEntry::Notification(notification)) => {
                        match check(&notification.extensions, &notification.method).await {
                            Ok(_) => Ok(BatchEntry::Notification(notification)),
                            // Nobody waits for an answer.
                            Err(_) => continue,
                        }
                    }
                    Err(error) => Err(error),
                });
            }
            inner.batch(Batch::from(checked)).await
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move {
            let method: &Cow<'_, str> = &notification.method;
            match check(&notification.extensions, method).await {
                Ok(_) => inner.notification(notification).await,
                Err(_) => MethodResponse::notification(),
            }
        }
    }
}
