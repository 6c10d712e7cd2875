//! Why a caller is refused.

use jsonrpsee::types::ErrorObjectOwned;

/// Why a call is refused. The texts are GoQuorum's, and a caller sees no other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The request has no `Authorization` header.
    #[error("missing access token")]
    MissingToken,
    /// The security plugin does not accept the token.
    #[error("{0}")]
    Refused(String),
    /// Nobody can be asked now. The log says why.
    #[error("internal error")]
    Internal,
    /// The token has no valid end.
    #[error("invalid timestamp in token")]
    InvalidTimestamp,
    /// The token's end has passed.
    #[error("token expired")]
    Expired,
    /// The token grants something else.
    #[error("{0} - access denied")]
    Denied(String),
    /// The token does not grant the private state that was asked for.
    #[error("not authorized")]
    PsiDenied,
    /// The token grants several private states, and none was asked for.
    #[error("found multiple authorized private state identifiers")]
    PsiAmbiguous,
    /// The token grants no private state.
    #[error("no private state identifiers found")]
    NoPsi,
}

impl SecurityError {
    /// The JSON-RPC error code of all of them.
    pub const CODE: i32 = -32_001;

    /// The error object of a JSON-RPC response.
    #[must_use]
    pub fn to_object(&self) -> ErrorObjectOwned {
        ErrorObjectOwned::owned(Self::CODE, self.to_string(), None::<()>)
    }
}
