//! GoQuorum's account interface: a wallet that keeps its keys elsewhere.

use std::future::Future;
use std::time::Duration;

use crate::fault::GatewayError;

mod values;

pub use values::{Account, AccountUrl, Address, AddressError, Signature};

/// The interface's name, the key in the settings.
pub const INTERFACE: &str = "account";

/// What a node's code asks of a wallet. Passphrases may be ignored by the
/// plugin behind it, and are never logged.
pub trait AccountService: Send + Sync {
    /// A text about the accounts, for people.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn status(&self) -> impl Future<Output = Result<String, GatewayError>> + Send;

    /// Opens the wallet.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn open(&self, passphrase: &str) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Closes the wallet.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn close(&self) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// The accounts, in the plugin's order. One that is malformed is left out
    /// and logged.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn accounts(&self) -> impl Future<Output = Result<Vec<Account>, GatewayError>> + Send;

    /// Whether the wallet has an account.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn contains(&self, address: Address)
    -> impl Future<Output = Result<bool, GatewayError>> + Send;

    /// Signs, as a rule a hash of 32 bytes, with an account that is unlocked.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; [`GatewayError::BadAnswer`] for anything but 65 bytes
    /// that `address` can have signed.
    fn sign(
        &self,
        address: Address,
        to_sign: &[u8],
    ) -> impl Future<Output = Result<Signature, GatewayError>> + Send;

    /// Unlocks an account for this one signature.
    ///
    /// # Errors
    ///
    /// As [`AccountService::sign`].
    fn unlock_and_sign(
        &self,
        address: Address,
        to_sign: &[u8],
        passphrase: &str,
    ) -> impl Future<Output = Result<Signature, GatewayError>> + Send;

    /// Unlocks an account for a while, in nanoseconds on the wire.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn timed_unlock(
        &self,
        address: Address,
        password: &str,
        duration: Duration,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Locks an account.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn lock(&self, address: Address) -> impl Future<Output = Result<(), GatewayError>> + Send;

    /// Makes an account. `config` is JSON of the plugin's own, as it is sent.
    ///
    /// # Errors
    ///
    /// [`GatewayError`].
    fn new_account(
        &self,
        config: &[u8],
    ) -> impl Future<Output = Result<Account, GatewayError>> + Send;

    /// Makes an account of a private key: 64 hexadecimal digits without `0x`.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]; [`GatewayError::Invalid`] for a text that is no key,
    /// and then nothing is sent.
    fn import_raw_key(
        &self,
        raw_key: &str,
        config: &[u8],
    ) -> impl Future<Output = Result<Account, GatewayError>> + Send;
}
