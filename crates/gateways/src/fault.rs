//! From what a call came back with to what its caller can act on.

use std::time::Duration;

use outrigger_core::Unavailable;
use tonic::{Code, Status};

/// Why a call through a gateway failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// No generation serves, or the one that had the call ended.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The connection broke while the call was under way.
    #[error("plugin `{plugin}`: the connection broke during `{method}`: {message}")]
    Disconnected {
        /// The instance.
        plugin: String,
        /// The method.
        method: &'static str,
        /// What the connection's library said.
        message: String,
    },
    /// The plugin did not answer in time.
    #[error("plugin `{plugin}` did not answer `{method}` within {deadline:?}")]
    DeadlineExceeded {
        /// The instance.
        plugin: String,
        /// The method.
        method: &'static str,
        /// The deadline, from the start of the call.
        deadline: Duration,
    },
    /// The plugin does not have the method.
    #[error("plugin `{plugin}` does not serve `{method}`; install a version that does")]
    Unimplemented {
        /// The instance.
        plugin: String,
        /// The method.
        method: &'static str,
    },
    /// The plugin refused the call.
    #[error("plugin `{plugin}` refused `{method}` ({code:?}): {message}")]
    Refused {
        /// The instance.
        plugin: String,
        /// The method.
        method: &'static str,
        /// The status code that it gave.
        code: Code,
        /// Its own words, control characters escaped.
        message: String,
    },
    /// The plugin's answer breaks the interface's rules.
    #[error("plugin `{plugin}` answered `{method}` with {what}")]
    BadAnswer {
        /// The instance.
        plugin: String,
        /// The method.
        method: &'static str,
        /// What is wrong with the answer.
        what: String,
    },
    /// What the caller gave breaks the interface's rules; nothing was sent.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it, in GoQuorum's words where it has some.
        what: String,
    },
    /// A call of the QLight token manager failed. The prefix is GoQuorum's.
    #[error("refresh token: {0}")]
    RefreshToken(Box<Self>),
    /// The gateway actor has as many calls under way as it may.
    #[error("plugin `{plugin}`: the gateway actor has {limit} calls under way; try again later")]
    Overloaded {
        /// The instance.
        plugin: String,
        /// How many it may have.
        limit: usize,
    },
    /// The instance runs in another way than this gateway can call.
    #[error("plugin `{plugin}` runs within the node, but is no implementation of this interface")]
    WrongEndpoint {
        /// The instance.
        plugin: String,
    },
}

impl GatewayError {
    /// Whether the call never reached the plugin, so that sending it again
    /// cannot do anything twice.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        match self {
            Self::Unavailable(unavailable) => unavailable.was_not_sent(),
            Self::RefreshToken(error) => error.was_not_sent(),
            Self::WrongEndpoint { .. } | Self::Overloaded { .. } | Self::Invalid { .. } => true,
            _ => false,
        }
    }

    /// Whether it was sent and its generation ended before it was answered.
    #[must_use]
    pub fn was_lost(&self) -> bool {
        match self {
            Self::Unavailable(unavailable) => !unavailable.was_not_sent(),
            Self::Disconnected { .. } => true,
            _ => false,
        }
    }

    /// Whether it speaks against the method that was called: that it gave no answer.
    /// `None` if it says nothing about that.
    pub(crate) fn is_outlier(&self) -> Option<bool> {
        match self {
            Self::DeadlineExceeded { .. } | Self::Disconnected { .. } => Some(true),
            Self::Refused { .. } | Self::Unimplemented { .. } | Self::BadAnswer { .. } => {
                Some(false)
            }
            _ => None,
        }
    }

    /// A short word for metrics.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Disconnected { .. } => "disconnected",
            Self::DeadlineExceeded { .. } => "deadline",
            Self::Unimplemented { .. } => "unimplemented",
            Self::Refused { .. } => "refused",
            Self::BadAnswer { .. } => "bad-answer",
            Self::Invalid { .. } => "invalid",
            Self::RefreshToken(error) => error.outcome(),
            Self::WrongEndpoint { .. } => "wrong-endpoint",
            Self::Overloaded { .. } => "overloaded",
        }
    }

    /// Every answer of [`GatewayError::code`].
    pub(crate) const CODES: &'static [&'static str] = &[
        "cancelled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
        "down",
        "reloading",
        "crowded",
        "busy",
        "tripped",
        "ended",
        "disturbed",
        "disconnected",
        "bad_answer",
        "invalid",
        "wrong_endpoint",
        "overloaded",
    ];

    /// The plugin's own status code, or a word for what the host found. Bounded, for
    /// metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(unavailable) => unavailable.code(),
            Self::Disconnected { .. } => "disconnected",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::Unimplemented { .. } => "unimplemented",
            Self::Refused { code, .. } => word(*code),
            Self::BadAnswer { .. } => "bad_answer",
            Self::Invalid { .. } => "invalid",
            Self::RefreshToken(error) => error.code(),
            Self::WrongEndpoint { .. } => "wrong_endpoint",
            Self::Overloaded { .. } => "overloaded",
        }
    }

    /// Maps a status; `deadline` is the call's own.
    pub(crate) fn from_status(
        status: &Status,
        plugin: &str,
        method: &'static str,
        deadline: Duration,
    ) -> Self {
        let plugin = plugin.to_owned();
        // A status with a source was made on this side, by the connection.
        let local = std::error::Error::source(status).is_some();
        match status.code() {
            Code::DeadlineExceeded => Self::DeadlineExceeded { plugin, method, deadline },
            // tonic's own timer says so in these words.
            Code::Cancelled if status.message() == "Timeout expired" => {
                Self::DeadlineExceeded { plugin, method, deadline }
            }
            Code::Unimplemented => Self::Unimplemented { plugin, method },
            Code::Cancelled | Code::Unavailable | Code::Unknown | Code::Internal if local => {
                let message = status.message().escape_debug().to_string();
                Self::Disconnected { plugin, method, message }
            }
            code => {
                let message = status.message().escape_debug().to_string();
                Self::Refused { plugin, method, code, message }
            }
        }
    }
}

/// A status code, as gRPC's documents spell it, in small letters.
const fn word(code: Code) -> &'static str {
    match code {
        // No refusal; tonic has it all the same.
        Code::Ok | Code::Unknown => "unknown",
        Code::Cancelled => "cancelled",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(status: &Status) -> GatewayError {
        GatewayError::from_status(status, "x", "Greeting", Duration::from_secs(5))
    }

    #[test]
    fn statuses_become_what_a_caller_can_act_on() {
        let rows = [
            (Status::deadline_exceeded("late"), "deadline"),
            (Status::cancelled("Timeout expired"), "deadline"),
            (Status::cancelled("by the plugin"), "refused"),
            (Status::unimplemented("no"), "unimplemented"),
            (Status::unavailable("the plugin says so"), "refused"),
            (Status::invalid_argument("no"), "refused"),
            (Status::unknown("?"), "refused"),
        ];
        for (status, outcome) in rows {
            assert_eq!(map(&status).outcome(), outcome, "{status:?}");
        }
    }

    #[test]
    fn every_status_code_has_a_place_among_the_codes() {
        for code in 1..=16 {
            let error = map(&Status::new(Code::from_i32(code), "no"));
            assert!(GatewayError::CODES.contains(&error.code()), "{error:?}");
        }
        let rows = [
            (Status::not_found("no"), "not_found"),
            (Status::unavailable("the plugin says so"), "unavailable"),
            (Status::cancelled("Timeout expired"), "deadline_exceeded"),
        ];
        for (status, code) in rows {
            assert_eq!(map(&status).code(), code, "{status:?}");
        }
    }

    #[test]
    fn a_token_manager_s_error_is_the_one_within_it_with_a_prefix() {
        let within = || GatewayError::Invalid { what: "no".to_owned() };
        let error = GatewayError::RefreshToken(Box::new(within()));
        assert_eq!(error.to_string(), "refresh token: no");
        assert_eq!(error.outcome(), "invalid");
        assert!(error.was_not_sent());
    }

    #[test]
    fn a_plugin_s_words_cannot_forge_a_log_line() {
        let error = map(&Status::invalid_argument("a\nb\u{1b}[31m")).to_string();
        assert!(!error.contains(char::is_control), "{error:?}");
    }

    #[test]
    fn a_broken_connection_is_told_from_a_refusal() {
        for mut status in [
            Status::unavailable("tcp connect error"),
            Status::cancelled("operation was canceled"),
            Status::unknown("transport error"),
            Status::internal("h2 protocol error"),
        ] {
            assert_eq!(map(&status).outcome(), "refused", "{status:?}");
            status.set_source(std::sync::Arc::new(std::io::Error::other("broken")));
            assert_eq!(map(&status).outcome(), "disconnected", "{status:?}");
            assert!(!map(&status).was_not_sent());
        }
    }
}
