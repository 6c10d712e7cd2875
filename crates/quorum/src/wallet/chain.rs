//! Which chain a transaction is signed for.

use alloy_consensus::{SignableTransaction as _, Transaction as _, TypedTransaction};

use super::WalletError;

/// Sets the chain; one that is set already must be the same. In a typed
/// transaction 0 is not set.
pub(super) fn set(
    transaction: &mut TypedTransaction,
    chain_id: Option<u64>,
) -> Result<(), WalletError> {
    let legacy = matches!(transaction, TypedTransaction::Legacy(_));
    match (transaction.chain_id(), chain_id) {
        (_, None) if !legacy => Err(WalletError::TypeNotSupported),
        (None, None) => Ok(()),
        (Some(named), Some(wanted)) if named == wanted => Ok(()),
        (Some(0), Some(wanted)) if !legacy => {
            transaction.set_chain_id(wanted);
            Ok(())
        }
        (None, Some(wanted)) => {
            transaction.set_chain_id(wanted);
            Ok(())
        }
        (Some(_), _) => Err(WalletError::ChainId),
    }
}
