//! GoQuorum's account interface: a wallet that keeps its keys elsewhere.

use std::future::Future;
use std::time::Duration;

use outrigger_core::InterfaceSpec;
use outrigger_core::settings::ReloadMode;
use outrigger_types::InterfaceName;

use crate::fault::GatewayError;
use crate::initialiser::{QuorumInitialiser, quorum_cookie};

mod actor;
mod convert;
mod handle;
mod raw_key;
mod values;

pub use actor::{
    AccountActor, Accounts, Close, Contains, ImportRawKey, Lock, NewAccount, Open, Sign, Status,
    TimedUnlock, UnlockAndSign,
};
pub use handle::Handle;
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
    /// with a V of 0 or 1. Whether it is the account's signature is for the
    /// caller to see.
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

/// The interface as the host knows it: protocol version 1, GoQuorum's cookie
/// and initialiser. It reloads exclusively, because a wallet's state, such as
/// which account is unlocked and a store that takes one writer, lives in its
/// process: two at a time would disagree about it.
///
/// # Panics
///
/// Never: the name is a constant of the right form.
#[must_use]
pub fn interface() -> InterfaceSpec {
    let name = InterfaceName::parse(INTERFACE).expect("invariant: a constant of the right form");
    InterfaceSpec::new(name, quorum_cookie())
        .with_initialiser(QuorumInitialiser)
        .with_reload(ReloadMode::Exclusive)
        .with_idempotent(&[
            "/proto.AccountService/Status",
            "/proto.AccountService/Accounts",
            "/proto.AccountService/Contains",
        ])
}
