//! A wallet with real keys in memory, all of them locked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, hex};
use k256::ecdsa::SigningKey;
use outrigger_proto::quorum::account_service_server::AccountService;
use outrigger_proto::quorum::{self as proto, Account};
use serde_json::json;
use tonic::{Request, Response, Status, async_trait};

use crate::config::{Config, Shared};

/// The wallet.
pub(crate) struct Wallet {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    imported: Vec<SigningKey>,
    unlocked: BTreeSet<Address>,
}

fn key(text: &str) -> Result<SigningKey, Status> {
    let bytes = hex::decode(text).map_err(|error| Status::invalid_argument(error.to_string()))?;
    SigningKey::from_slice(&bytes).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn address(bytes: &[u8]) -> Result<Address, Status> {
    Address::try_from(bytes).map_err(|_| Status::invalid_argument("an address has 20 bytes"))
}

fn account(key: &SigningKey) -> Account {
    let address = Address::from_private_key(key);
    Account { address: address.to_vec().into(), url: format!("memory://{address}") }
}

impl Wallet {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self, config: &Config) -> Result<Vec<SigningKey>, Status> {
        let mut keys = config.keys.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
        keys.extend(self.state().imported.iter().cloned());
        Ok(keys)
    }

    fn sign(&self, config: &Config, by: &[u8], hash: &[u8]) -> Result<proto::SignResponse, Status> {
        let address = address(by)?;
        let keys = self.keys(config)?;
        let found = keys.iter().find(|key| Address::from_private_key(key) == address);
        let key = found.ok_or_else(|| Status::internal("no such account"))?;
        let signed = key.sign_prehash_recoverable(hash);
        let (signature, recovery) = signed.map_err(|error| Status::internal(error.to_string()))?;
        let mut sig = signature.to_bytes().to_vec();
        sig.push(recovery.to_byte());
        match config.answer.as_deref() {
            Some("signature-64") => sig.truncate(64),
            Some("signature-v27") => sig[64] += 27,
            Some("signature-foreign") => sig[0] ^= 1,
            Some("signature-empty") => sig.clear(),
            _ => {}
        }
        Ok(proto::SignResponse { sig: sig.into() })
    }

    fn made(config: &Config, account: Account) -> Option<Account> {
        if config.is_wrong("account-missing") {
            return None;
        }
        let mut account = account;
        if config.is_wrong("address-19") {
            account.address.truncate(19);
        }
        if config.is_wrong("url-without-scheme") {
            account.url = "noscheme".to_owned();
        }
        Some(account)
    }
}

#[async_trait]
impl AccountService for Wallet {
    async fn status(
        &self,
        _: Request<proto::StatusRequest>,
    ) -> Result<Response<proto::StatusResponse>, Status> {
        self.shared.called("Status", json!({}))?;
        let unlocked: Vec<String> = self.state().unlocked.iter().map(Address::to_string).collect();
        let status = format!("{} unlocked account(s): [{}]", unlocked.len(), unlocked.join(" "));
        Ok(Response::new(proto::StatusResponse { status }))
    }

    async fn open(
        &self,
        request: Request<proto::OpenRequest>,
    ) -> Result<Response<proto::OpenResponse>, Status> {
        self.shared.called("Open", json!({ "passphrase": request.into_inner().passphrase }))?;
        Ok(Response::new(proto::OpenResponse {}))
    }

    async fn close(
        &self,
        _: Request<proto::CloseRequest>,
    ) -> Result<Response<proto::CloseResponse>, Status> {
        self.shared.called("Close", json!({}))?;
        Ok(Response::new(proto::CloseResponse {}))
    }

    async fn accounts(
        &self,
        _: Request<proto::AccountsRequest>,
    ) -> Result<Response<proto::AccountsResponse>, Status> {
        let config = self.shared.called("Accounts", json!({}))?;
        let mut accounts: Vec<Account> = self.keys(&config)?.iter().map(account).collect();
        if config.is_wrong("address-19") {
            accounts[0].address.truncate(19);
        }
        Ok(Response::new(proto::AccountsResponse { accounts }))
    }

    async fn contains(
        &self,
        request: Request<proto::ContainsRequest>,
    ) -> Result<Response<proto::ContainsResponse>, Status> {
        let wanted = request.into_inner().address;
        let config = self.shared.called("Contains", json!({ "address": hex::encode(&wanted) }))?;
        let is_contained = self.keys(&config)?.iter().any(|key| account(key).address == wanted);
        Ok(Response::new(proto::ContainsResponse { is_contained }))
    }

    async fn sign(
        &self,
        request: Request<proto::SignRequest>,
    ) -> Result<Response<proto::SignResponse>, Status> {
        let request = request.into_inner();
        let with = json!({
            "address": hex::encode(&request.address), "toSign": hex::encode(&request.to_sign),
        });
        let config = self.shared.called("Sign", with)?;
        if !self.state().unlocked.contains(&address(&request.address)?) {
            return Err(Status::internal("account locked"));
        }
        Self::sign(self, &config, &request.address, &request.to_sign).map(Response::new)
    }

    async fn unlock_and_sign(
        &self,
        request: Request<proto::UnlockAndSignRequest>,
    ) -> Result<Response<proto::SignResponse>, Status> {
        let request = request.into_inner();
        let with = json!({
            "address": hex::encode(&request.address), "toSign": hex::encode(&request.to_sign),
            "passphrase": request.passphrase,
        });
        let config = self.shared.called("UnlockAndSign", with)?;
        Self::sign(self, &config, &request.address, &request.to_sign).map(Response::new)
    }

    async fn timed_unlock(
        &self,
        request: Request<proto::TimedUnlockRequest>,
    ) -> Result<Response<proto::TimedUnlockResponse>, Status> {
        let request = request.into_inner();
        let with = json!({
            "address": hex::encode(&request.address), "password": request.password,
            "duration": request.duration,
        });
        self.shared.called("TimedUnlock", with)?;
        self.state().unlocked.insert(address(&request.address)?);
        Ok(Response::new(proto::TimedUnlockResponse {}))
    }

    async fn lock(
        &self,
        request: Request<proto::LockRequest>,
    ) -> Result<Response<proto::LockResponse>, Status> {
        let request = request.into_inner();
        self.shared.called("Lock", json!({ "address": hex::encode(&request.address) }))?;
        self.state().unlocked.remove(&address(&request.address)?);
        Ok(Response::new(proto::LockResponse {}))
    }

    async fn new_account(
        &self,
        request: Request<proto::NewAccountRequest>,
    ) -> Result<Response<proto::NewAccountResponse>, Status> {
        let config = request.into_inner().new_account_config;
        let with = json!({ "config": String::from_utf8_lossy(&config) });
        let config = self.shared.called("NewAccount", with)?;
        // Keys of a fixture need not be secret, but each is another one.
        let mut state = self.state();
        let mut bytes = [0x42; 32];
        bytes[31] = u8::try_from(state.imported.len()).unwrap_or(u8::MAX);
        let key = SigningKey::from_slice(&bytes).map_err(|_| Status::internal("no key"))?;
        let made = Self::made(&config, account(&key));
        state.imported.push(key);
        Ok(Response::new(proto::NewAccountResponse { account: made }))
    }

    async fn import_raw_key(
        &self,
        request: Request<proto::ImportRawKeyRequest>,
    ) -> Result<Response<proto::ImportRawKeyResponse>, Status> {
        let request = request.into_inner();
        let with = json!({ "config": String::from_utf8_lossy(&request.new_account_config) });
        let config = self.shared.called("ImportRawKey", with)?;
        let key = key(&request.raw_key)?;
        let made = Self::made(&config, account(&key));
        self.state().imported.push(key);
        Ok(Response::new(proto::ImportRawKeyResponse { account: made }))
    }
}
