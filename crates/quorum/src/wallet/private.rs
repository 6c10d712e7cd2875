//! A private transaction of GoQuorum, signed.

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Signature, keccak256};

/// A private transaction, signed. Its data is as a rule the hash under which the
/// private transaction manager keeps the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPrivate {
    transaction: TxLegacy,
    signature: Signature,
    signer: Address,
}

impl SignedPrivate {
    pub(super) const fn new(transaction: TxLegacy, signature: Signature, signer: Address) -> Self {
        Self { transaction, signature, signer }
    }

    /// The transaction, which names no chain.
    #[must_use]
    pub const fn transaction(&self) -> &TxLegacy {
        &self.transaction
    }

    /// R, S and parity. As a transaction's signature its V is [`SignedPrivate::v`].
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// V as the transaction has it: 37 or 38.
    #[must_use]
    pub fn v(&self) -> u64 {
        37 + u64::from(self.signature.v())
    }

    /// The hash that was signed: Homestead's.
    #[must_use]
    pub fn signature_hash(&self) -> B256 {
        self.transaction.signature_hash()
    }

    /// The account that signed.
    #[must_use]
    pub const fn signer(&self) -> Address {
        self.signer
    }

    /// The transaction in RLP, as a node takes it.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        // 37 and 38 are also what EIP-155 makes of chain 1, so that the encoding
        // is that one; only the hash that was signed differs.
        let marked = TxLegacy { chain_id: Some(1), ..self.transaction.clone() };
        marked.into_signed(self.signature).encoded_2718()
    }

    /// The transaction's own hash.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(self.encoded())
    }
}
