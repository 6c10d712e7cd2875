//! What a case finds.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use tonic::{Response, Status};

use crate::identity::IdentityError;
use crate::process::SpawnError;
use crate::wire::ANSWER;

/// Nothing to object to, or what was seen instead.
pub(crate) type Outcome<T = ()> = Result<T, Shortfall>;

/// Why a case did not come out as expected.
#[derive(Debug)]
pub(crate) enum Shortfall {
    /// The subject did otherwise.
    Seen(String),
    /// There is nothing to look at.
    NotApplicable(String),
}

impl Shortfall {
    /// The subject did otherwise.
    pub(crate) fn seen(what: impl Into<String>) -> Self {
        Self::Seen(what.into())
    }

    /// There is nothing to look at.
    pub(crate) fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }
}

/// Says what was under way when something broke.
pub(crate) trait While<T> {
    /// `what` stands before the error's own text.
    fn during(self, what: &str) -> Outcome<T>;
}

impl<T, E: Display> While<T> for Result<T, E> {
    fn during(self, what: &str) -> Outcome<T> {
        self.map_err(|error| Shortfall::Seen(format!("{what}: {error}")))
    }
}

/// What comes of `future` if it does within `limit`; `what` was waited for.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    what: &str,
    future: F,
) -> Outcome<F::Output> {
    let late = |_| Shortfall::Seen(format!("{what}: nothing within {limit:?}"));
    tokio::time::timeout(limit, future).await.map_err(late)
}

/// Objects, with a text as `format!` makes it, unless the condition holds.
macro_rules! require {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::plugin::outcome::Shortfall::Seen(format!($($text)+)));
        }
    };
}
pub(crate) use require;

impl From<SpawnError> for Shortfall {
    fn from(error: SpawnError) -> Self {
        Self::Seen(error.to_string())
    }
}

impl From<IdentityError> for Shortfall {
    fn from(error: IdentityError) -> Self {
        Self::NotApplicable(error.to_string())
    }
}

impl From<std::io::Error> for Shortfall {
    fn from(error: std::io::Error) -> Self {
        Self::NotApplicable(format!("the kit could not look: {error}"))
    }
}

impl From<rustix::io::Errno> for Shortfall {
    fn from(error: rustix::io::Errno) -> Self {
        std::io::Error::from(error).into()
    }
}

impl From<Status> for Shortfall {
    fn from(status: Status) -> Self {
        Self::Seen(status_text(&status))
    }
}

/// A status on one line: what broke, or the code and the peer's words.
pub(crate) fn status_text(status: &Status) -> String {
    match crate::wire::said_by_peer(status) {
        Err(broken) => format!("the connection broke: {broken}"),
        Ok(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// What a call answers, in the time that a peer has which is well.
pub(crate) async fn answer<T>(
    what: &str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Outcome<T> {
    match within(ANSWER, what, call).await? {
        Ok(response) => Ok(response.into_inner()),
        Err(status) => Err(Shortfall::Seen(format!("{what}: {}", status_text(&status)))),
    }
}
