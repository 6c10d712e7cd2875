//! An account service with a real key, and everything that it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address as EthAddress, hex};
use k256::ecdsa::SigningKey;
use outrigger::GatewayError;
use outrigger::account::{Account, AccountService, AccountUrl, Address, Signature};

/// Changes a signature before it is given.
pub(super) type Spoil = fn(&mut [u8; 65]);

#[derive(Clone)]
pub(super) struct Signer(Arc<State>);

struct State {
    key: SigningKey,
    asked: Mutex<Vec<String>>,
    spoil: Mutex<Spoil>,
}

impl Signer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        let key = SigningKey::from_slice(&key).unwrap();
        Self(Arc::new(State { key, asked: Mutex::default(), spoil: Mutex::new(|_| ()) }))
    }

    pub(super) fn address(&self) -> EthAddress {
        EthAddress::from_private_key(&self.0.key)
    }

    pub(super) fn spoil(&self, spoil: Spoil) {
        *self.0.spoil.lock().unwrap() = spoil;
    }

    /// What it was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.asked.lock().unwrap())
    }

    fn note(&self, asked: String) {
        self.0.asked.lock().unwrap().push(asked);
    }

    fn account(&self) -> Account {
        let url = AccountUrl { scheme: "memory".into(), path: "1".into() };
        Account { address: Address(self.address().0.0), url }
    }

    fn signature(&self, hash: &[u8]) -> Signature {
        let (signature, recovery) = self.0.key.sign_prehash_recoverable(hash).unwrap();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = recovery.to_byte();
        (self.0.spoil.lock().unwrap())(&mut bytes);
        Signature(bytes)
    }
}

impl AccountService for Signer {
    async fn status(&self) -> Result<String, GatewayError> {
        self.note("status".into());
        Ok("1 account".into())
    }

    async fn open(&self, passphrase: &str) -> Result<(), GatewayError> {
        self.note(format!("open {passphrase}"));
        Ok(())
    }

    async fn close(&self) -> Result<(), GatewayError> {
        self.note("close".into());
        Ok(())
    }

    async fn accounts(&self) -> Result<Vec<Account>, GatewayError> {
        self.note("accounts".into());
        Ok(vec![self.account()])
    }

    async fn contains(&self, address: Address) -> Result<bool, GatewayError> {
        self.note(format!("contains {address}"));
        Ok(address == self.account().address)
    }

    async fn sign(&self, address: Address, to_sign: &[u8]) -> Result<Signature, GatewayError> {
        self.note(format!("sign {address} {}", hex::encode(to_sign)));
        Ok(self.signature(to_sign))
    }

    async fn unlock_and_sign(
        &self,
        address: Address,
        to_sign: &[u8],
        passphrase: &str,
    ) -> Result<Signature, GatewayError> {
        self.note(format!("unlock {address} {} {passphrase}", hex::encode(to_sign)));
        Ok(self.signature(to_sign))
    }

    async fn timed_unlock(
        &self,
        address: Address,
        password: &str,
        duration: Duration,
    ) -> Result<(), GatewayError> {
        self.note(format!("timed unlock {address} {password} {duration:?}"));
        Ok(())
    }

    async fn lock(&self, address: Address) -> Result<(), GatewayError> {
        self.note(format!("lock {address}"));
        Ok(())
    }

    async fn new_account(&self, config: &[u8]) -> Result<Account, GatewayError> {
        self.note(format!("new {}", String::from_utf8_lossy(config)));
        Ok(self.account())
    }

    async fn import_raw_key(&self, key: &str, config: &[u8]) -> Result<Account, GatewayError> {
        self.note(format!("import {key} {}", String::from_utf8_lossy(config)));
        Ok(self.account())
    }
}
