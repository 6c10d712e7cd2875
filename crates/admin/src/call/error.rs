//! Why a call was not made, or failed.

use std::time::Duration;

use outrigger::Unavailable;
use tonic::Code;

/// A call that has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("plugin `{instance}` runs within the node, where nothing is called by name")]
    Local { instance: String },
    #[error("the deadline cannot be understood: {0}; give one such as 10s")]
    Deadline(humantime::DurationError),
    #[error(
        "plugin `{instance}` did not answer within {deadline:?}; look at its log, or give it longer"
    )]
    Late { instance: String, deadline: Duration },
    #[error(
        "plugin `{instance}` does not describe its services by reflection; give --descriptor FILE, which `protoc --include_imports --descriptor_set_out=FILE` writes"
    )]
    NoReflection { instance: String },
    #[error(
        "plugin `{instance}` describes its services in a way that cannot be used: {detail}; give --descriptor FILE"
    )]
    Reflection { instance: String, detail: String },
    #[error("the descriptor set cannot be used: {0}")]
    Descriptor(String),
    #[error("plugin `{instance}` has no method `{method}`; there are: {}", known.join(", "))]
    UnknownMethod { instance: String, method: String, known: Vec<String> },
    #[error("method `{method}` takes a stream of requests, which a single call cannot give")]
    ClientStreams { method: String },
    #[error("the request does not fit {message}, which `{method}` takes: {error}")]
    Params { method: String, message: String, error: String },
    #[error("`{method}` answered with something that is no {message}: {error}")]
    Answer { method: String, message: String, error: String },
    #[error("`{method}` answered with more than {most} bytes of JSON")]
    TooLong { method: String, most: usize },
    #[error("plugin `{instance}`, method `{method}`: {code:?}: {message}")]
    Status { instance: String, method: String, code: Code, message: String },
}

impl CallError {
    /// Whether another request would do better.
    pub(crate) const fn is_the_caller_s(&self) -> bool {
        matches!(
            self,
            Self::Deadline(_)
                | Self::Descriptor(_)
                | Self::UnknownMethod { .. }
                | Self::ClientStreams { .. }
                | Self::Params { .. }
        )
    }
}
