//! The account plugin as a node's wallet, on alloy's types.
//!
//! ```
//! use alloy_consensus::{TxEnvelope, TypedTransaction};
//! use alloy_primitives::Address;
//! use outrigger::account::AccountService;
//! use outrigger_quorum::wallet::{Wallet, WalletError};
//!
//! async fn pay<S: AccountService>(
//!     wallet: &Wallet<S>,
//!     from: Address,
//!     transaction: TypedTransaction,
//! ) -> Result<TxEnvelope, WalletError> {
//!     wallet.sign_transaction(from, transaction, Some(10)).await
//! }
//! ```

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy, TypedTransaction};
use alloy_primitives::utils::eip191_hash_message;
use alloy_primitives::{Address, B256, Signature, keccak256};
use outrigger::account::{self, Account, AccountService};

mod backend;
mod chain;
mod error;
mod private;
mod signature;
#[cfg(test)]
mod tests;

pub use backend::{Backend, Events};
pub use error::WalletError;
pub use private::SignedPrivate;

/// A wallet whose keys an account plugin keeps. It asks the plugin to sign
/// hashes, and trusts no signature that is not the account's.
///
/// Errors of the plugin reach the caller: an account is missing only where the
/// plugin says so.
#[derive(Debug, Clone)]
pub struct Wallet<S> {
    service: S,
}

impl<S: AccountService> Wallet<S> {
    /// The wallet's URL.
    pub const URL: &'static str = "plugin://account";

    /// A wallet on an account service, such as [`outrigger::account::Handle`].
    pub const fn new(service: S) -> Self {
        Self { service }
    }

    /// The account service.
    pub const fn service(&self) -> &S {
        &self.service
    }

    /// A text about the accounts, for people.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn status(&self) -> Result<String, WalletError> {
        Ok(self.service.status().await?)
    }

    /// Opens the wallet. A node does so once at its start, with an empty
    /// passphrase.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn open(&self, passphrase: &str) -> Result<(), WalletError> {
        Ok(self.service.open(passphrase).await?)
    }

    /// Closes the wallet.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn close(&self) -> Result<(), WalletError> {
        Ok(self.service.close().await?)
    }

    /// The accounts, in the plugin's order.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn accounts(&self) -> Result<Vec<Account>, WalletError> {
        Ok(self.service.accounts().await?)
    }

    /// Whether the wallet has an account.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn contains(&self, account: Address) -> Result<bool, WalletError> {
        Ok(self.service.contains(plain(account)).await?)
    }

    /// Derives no account: a plugin's keys have no paths.
    ///
    /// # Errors
    ///
    /// Always [`WalletError::NotSupported`].
    pub const fn derive(&self, _path: &str) -> Result<Account, WalletError> {
        Err(WalletError::NotSupported)
    }

    /// Does nothing, for the same reason; here because a node's wallets have it.
    pub const fn self_derive(&self, _bases: &[&str]) {}

    /// Signs the Keccak-256 hash of `data` with an account that is unlocked. V
    /// of the signature is 0 or 1.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`], [`WalletError::BadSignature`],
    /// [`WalletError::ForeignSignature`].
    pub async fn sign_data(&self, account: Address, data: &[u8]) -> Result<Signature, WalletError> {
        self.sign(account, None, keccak256(data)).await
    }

    /// As [`Wallet::sign_data`], but unlocks the account for this signature.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_data`].
    pub async fn sign_data_with_passphrase(
        &self,
        account: Address,
        passphrase: &str,
        data: &[u8],
    ) -> Result<Signature, WalletError> {
        self.sign(account, Some(passphrase), keccak256(data)).await
    }

    /// Signs a text, prefixed as EIP-191 has it, so that the signature is worth
    /// nothing as a transaction's. V of the signature is 0 or 1.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_data`].
    pub async fn sign_text(&self, account: Address, text: &[u8]) -> Result<Signature, WalletError> {
        self.sign(account, None, eip191_hash_message(text)).await
    }

    /// As [`Wallet::sign_text`], but unlocks the account for this signature.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_data`].
    pub async fn sign_text_with_passphrase(
        &self,
        account: Address,
        passphrase: &str,
        text: &[u8],
    ) -> Result<Signature, WalletError> {
        self.sign(account, Some(passphrase), eip191_hash_message(text)).await
    }

    /// Signs a public transaction. With a chain's id a legacy one is signed as
    /// EIP-155 says, without as in Homestead; then it is valid on every chain,
    /// and no other type can be signed.
    ///
    /// A transaction that names a chain already must name the same one.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_data`]; [`WalletError::ChainId`],
    /// [`WalletError::TypeNotSupported`].
    pub async fn sign_transaction(
        &self,
        account: Address,
        transaction: TypedTransaction,
        chain_id: Option<u64>,
    ) -> Result<TxEnvelope, WalletError> {
        self.public(account, None, transaction, chain_id).await
    }

    /// As [`Wallet::sign_transaction`], but unlocks the account for this
    /// signature.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_transaction`].
    pub async fn sign_transaction_with_passphrase(
        &self,
        account: Address,
        passphrase: &str,
        transaction: TypedTransaction,
        chain_id: Option<u64>,
    ) -> Result<TxEnvelope, WalletError> {
        self.public(account, Some(passphrase), transaction, chain_id).await
    }

    /// Signs a private transaction of GoQuorum: the hash is Homestead's, and a V
    /// of 37 or 38 marks it as private. It is a legacy one that names no chain.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_data`]; [`WalletError::ChainId`] if it names a chain.
    pub async fn sign_private_transaction(
        &self,
        account: Address,
        transaction: TxLegacy,
    ) -> Result<SignedPrivate, WalletError> {
        self.private(account, None, transaction).await
    }

    /// As [`Wallet::sign_private_transaction`], but unlocks the account for this
    /// signature.
    ///
    /// # Errors
    ///
    /// As [`Wallet::sign_private_transaction`].
    pub async fn sign_private_transaction_with_passphrase(
        &self,
        account: Address,
        passphrase: &str,
        transaction: TxLegacy,
    ) -> Result<SignedPrivate, WalletError> {
        self.private(account, Some(passphrase), transaction).await
    }

    async fn public(
        &self,
        account: Address,
        passphrase: Option<&str>,
        mut transaction: TypedTransaction,
        chain_id: Option<u64>,
    ) -> Result<TxEnvelope, WalletError> {
        chain::set(&mut transaction, chain_id)?;
        let hash = transaction.signature_hash();
        let signature = self.sign(account, passphrase, hash).await?;
        Ok(transaction.into_envelope(signature))
    }

    async fn private(
        &self,
        account: Address,
        passphrase: Option<&str>,
        transaction: TxLegacy,
    ) -> Result<SignedPrivate, WalletError> {
        if transaction.chain_id.is_some() {
            return Err(WalletError::ChainId);
        }
        let signature = self.sign(account, passphrase, transaction.signature_hash()).await?;
        Ok(SignedPrivate::new(transaction, signature, account))
    }

    async fn sign(
        &self,
        account: Address,
        passphrase: Option<&str>,
        hash: B256,
    ) -> Result<Signature, WalletError> {
        let by = plain(account);
        let signature = match passphrase {
            Some(passphrase) => {
                self.service.unlock_and_sign(by, hash.as_slice(), passphrase).await?
            }
            None => self.service.sign(by, hash.as_slice()).await?,
        };
        signature::checked(account, hash, signature)
    }
}

const fn plain(address: Address) -> account::Address {
    account::Address(address.0.0)
}
