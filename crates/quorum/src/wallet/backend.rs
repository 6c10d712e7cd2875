//! The account plugin as a node's account backend: one wallet, and what is not a
//! wallet's.

use std::convert::Infallible;
use std::time::Duration;

use alloy_primitives::Address;
use futures_util::stream::{self, Pending};
use outrigger::account::{Account, AccountService};

use super::{Wallet, WalletError, plain};

/// Events of wallets that come and go: a plugin's wallet is there for good, so
/// that none ever comes.
pub type Events = Pending<Infallible>;

/// A backend with the one wallet of an account plugin.
#[derive(Debug, Clone)]
pub struct Backend<S> {
    wallet: Wallet<S>,
}

impl<S: AccountService> Backend<S> {
    /// A backend on an account service.
    pub const fn new(service: S) -> Self {
        Self { wallet: Wallet::new(service) }
    }

    /// The wallet.
    pub const fn wallet(&self) -> &Wallet<S> {
        &self.wallet
    }

    /// The wallets: a list of the caller's own, which may change it.
    pub fn wallets(&self) -> Vec<Wallet<S>>
    where
        S: Clone,
    {
        vec![self.wallet.clone()]
    }

    /// A stream on which nothing comes, and which does not end.
    pub fn subscribe(&self) -> Events {
        stream::pending()
    }

    /// Unlocks an account for a while.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn timed_unlock(
        &self,
        account: Address,
        password: &str,
        duration: Duration,
    ) -> Result<(), WalletError> {
        Ok(self.wallet.service.timed_unlock(plain(account), password, duration).await?)
    }

    /// Locks an account.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn lock(&self, account: Address) -> Result<(), WalletError> {
        Ok(self.wallet.service.lock(plain(account)).await?)
    }

    /// Makes an account. `config` is JSON of the plugin's own.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn new_account(&self, config: &[u8]) -> Result<Account, WalletError> {
        Ok(self.wallet.service.new_account(config).await?)
    }

    /// Makes an account of a private key: 64 hexadecimal digits without `0x`.
    ///
    /// # Errors
    ///
    /// [`WalletError::Gateway`].
    pub async fn import_raw_key(
        &self,
        raw_key: &str,
        config: &[u8],
    ) -> Result<Account, WalletError> {
        Ok(self.wallet.service.import_raw_key(raw_key, config).await?)
    }
}
