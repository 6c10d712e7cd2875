//! Why a wallet does not do what it was asked.

use alloy_primitives::Address;
use outrigger::GatewayError;

/// Why a wallet does not do what it was asked. Where GoQuorum has a text for it,
/// it is that.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WalletError {
    /// The plugin could not be asked, refused, or answered what is no answer.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// No plugin's wallet can do it.
    #[error("not supported")]
    NotSupported,
    /// The transaction names another chain than the one that it is signed for.
    #[error("invalid chain id for signer")]
    ChainId,
    /// A typed transaction belongs to a chain, and none was given.
    #[error("transaction type not supported")]
    TypeNotSupported,
    /// The plugin's signature is none of the curve's in its one accepted form:
    /// R and S within the curve's order, S in its lower half, V 0 or 1.
    #[error("the account plugin gave an invalid signature for {account}: {what}")]
    BadSignature {
        /// The account that was to sign.
        account: Address,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The plugin signed with another account's key, or something else.
    #[error(
        "the account plugin's signature is not that of {account} but of {by}; check that the \
         plugin signs the bytes that it is given, with the key of the account that it is given"
    )]
    ForeignSignature {
        /// The account that was to sign.
        account: Address,
        /// Whose signature of that hash it would be.
        by: Address,
    },
}
