//! The same calls as messages, for code that is itself made of actors.

use std::time::Duration;

use super::{Account, AccountService as _, Address, Handle, Signature};
use crate::actor::gateway_actor;
use crate::fault::GatewayError;

gateway_actor! {
    /// The gateway as an actor. Start it on the arbiter of whoever calls it: a
    /// mailbox on another thread costs more than the call itself.
    AccountActor(Handle);

    /// Asks for a text about the accounts. May be repeated.
    Status {} -> String, |handle, Status {}| handle.status();

    /// Opens the wallet. May be repeated.
    Open {
        /// The wallet's passphrase.
        passphrase: String,
    } -> (), |handle, Open { passphrase }| handle.open(&passphrase);

    /// Closes the wallet. May be repeated.
    Close {} -> (), |handle, Close {}| handle.close();

    /// Lists the accounts. May be repeated.
    Accounts {} -> Vec<Account>, |handle, Accounts {}| handle.accounts();

    /// Asks whether the wallet has an account. May be repeated.
    Contains {
        /// The account.
        address: Address,
    } -> bool, |handle, Contains { address }| handle.contains(address);

    /// Signs with an account that is unlocked. Signs again where it is repeated.
    Sign {
        /// The account.
        address: Address,
        /// What to sign, as a rule a hash of 32 bytes.
        to_sign: Vec<u8>,
    } -> Signature, |handle, Sign { address, to_sign }| handle.sign(address, &to_sign);

    /// Unlocks an account for one signature. Signs again where it is repeated.
    UnlockAndSign {
        /// The account.
        address: Address,
        /// What to sign, as a rule a hash of 32 bytes.
        to_sign: Vec<u8>,
        /// The account's passphrase.
        passphrase: String,
    } -> Signature, |handle, UnlockAndSign { address, to_sign, passphrase }| {
        handle.unlock_and_sign(address, &to_sign, &passphrase)
    };

    /// Unlocks an account for a while. May be repeated.
    TimedUnlock {
        /// The account.
        address: Address,
        /// The account's password.
        password: String,
        /// For how long.
        duration: Duration,
    } -> (), |handle, TimedUnlock { address, password, duration }| {
        handle.timed_unlock(address, &password, duration)
    };

    /// Locks an account. May be repeated.
    Lock {
        /// The account.
        address: Address,
    } -> (), |handle, Lock { address }| handle.lock(address);

    /// Makes an account, and another one where it is repeated.
    NewAccount {
        /// JSON of the plugin's own.
        config: Vec<u8>,
    } -> Account, |handle, NewAccount { config }| handle.new_account(&config);

    /// Makes an account of a private key.
    ImportRawKey {
        /// 64 hexadecimal digits without `0x`.
        raw_key: String,
        /// JSON of the plugin's own.
        config: Vec<u8>,
    } -> Account, |handle, ImportRawKey { raw_key, config }| {
        handle.import_raw_key(&raw_key, &config)
    };
}
