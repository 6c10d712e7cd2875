//! The handle: an account service by gRPC calls.

use std::sync::Arc;
use std::time::Duration;

use outrigger_core::Link;
use outrigger_proto::quorum as proto;
use outrigger_proto::quorum::account_service_client::AccountServiceClient;
use outrigger_transport::Rpc;

use super::{Account, AccountService, Address, INTERFACE, Signature, convert, raw_key};
use crate::call::{CallOptions, Caller, Method};
use crate::fault::GatewayError;
use crate::gateway::Gateway;

/// A handle on an instance: a cheap clone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) caller: Caller,
    options: CallOptions,
    methods: Arc<Methods>,
}

#[derive(Debug)]
struct Methods {
    status: Method,
    open: Method,
    close: Method,
    accounts: Method,
    contains: Method,
    sign: Method,
    unlock_and_sign: Method,
    timed_unlock: Method,
    lock: Method,
    new_account: Method,
    import_raw_key: Method,
}

impl Gateway for Handle {
    const INTERFACE: &'static str = INTERFACE;

    fn from_link(link: Link) -> Self {
        let methods = Methods {
            status: Method::new("Status"),
            open: Method::new("Open"),
            close: Method::new("Close"),
            accounts: Method::new("Accounts"),
            contains: Method::new("Contains"),
            sign: Method::new("Sign"),
            unlock_and_sign: Method::new("UnlockAndSign"),
            timed_unlock: Method::new("TimedUnlock"),
            lock: Method::new("Lock"),
            new_account: Method::new("NewAccount"),
            import_raw_key: Method::new("ImportRawKey"),
        };
        let options = CallOptions::default();
        Self { caller: Caller::new(link), options, methods: Arc::new(methods) }
    }
}

impl Handle {
    /// The same handle, whose calls have these options.
    #[must_use]
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    fn check<T>(&self, method: &Method, converted: Result<T, String>) -> Result<T, GatewayError> {
        converted.map_err(|what| self.caller.bad_answer(method, what))
    }
}

fn client(rpc: Rpc) -> AccountServiceClient<Rpc> {
    let largest = rpc.largest_message();
    AccountServiceClient::new(rpc)
        .max_decoding_message_size(largest)
        .max_encoding_message_size(largest)
}

/// One call of the generated client's method of that name.
macro_rules! call {
    ($self:ident.$method:ident($request:expr)) => {
        $self
            .caller
            .unary(&$self.methods.$method, $self.options, |rpc, outgoing| async move {
                client(rpc).$method(outgoing.request($request)).await
            })
            .await
    };
}

/// The same, of a method that may be declared idempotent.
macro_rules! repeatable {
    ($self:ident.$method:ident($request:expr)) => {
        $self
            .caller
            .repeatable(&$self.methods.$method, $self.options, |rpc, outgoing| {
                let request = outgoing.request($request);
                async move { client(rpc).$method(request).await }
            })
            .await
    };
}

impl AccountService for Handle {
    async fn status(&self) -> Result<String, GatewayError> {
        Ok(repeatable!(self.status(proto::StatusRequest {}))?.status)
    }

    async fn open(&self, passphrase: &str) -> Result<(), GatewayError> {
        let passphrase = passphrase.to_owned();
        call!(self.open(proto::OpenRequest { passphrase })).map(drop)
    }

    async fn close(&self) -> Result<(), GatewayError> {
        call!(self.close(proto::CloseRequest {})).map(drop)
    }

    async fn accounts(&self) -> Result<Vec<Account>, GatewayError> {
        let answer = repeatable!(self.accounts(proto::AccountsRequest {}))?;
        let (accounts, malformed) = convert::accounts(answer.accounts);
        for what in malformed {
            let plugin = self.caller.link().instance();
            tracing::error!(%plugin, "an account was left out: {what}");
        }
        Ok(accounts)
    }

    async fn contains(&self, address: Address) -> Result<bool, GatewayError> {
        let request = || proto::ContainsRequest { address: convert::bytes(address) };
        Ok(repeatable!(self.contains(request()))?.is_contained)
    }

    async fn sign(&self, address: Address, to_sign: &[u8]) -> Result<Signature, GatewayError> {
        let to_sign = to_sign.to_vec().into();
        let request = proto::SignRequest { address: convert::bytes(address), to_sign };
        let answer = call!(self.sign(request))?;
        self.check(&self.methods.sign, convert::signature(&answer.sig))
    }

    async fn unlock_and_sign(
        &self,
        address: Address,
        to_sign: &[u8],
        passphrase: &str,
    ) -> Result<Signature, GatewayError> {
        let request = proto::UnlockAndSignRequest {
            address: convert::bytes(address),
            to_sign: to_sign.to_vec().into(),
            passphrase: passphrase.to_owned(),
        };
        let answer = call!(self.unlock_and_sign(request))?;
        self.check(&self.methods.unlock_and_sign, convert::signature(&answer.sig))
    }

    async fn timed_unlock(
        &self,
        address: Address,
        password: &str,
        duration: Duration,
    ) -> Result<(), GatewayError> {
        let request = proto::TimedUnlockRequest {
            address: convert::bytes(address),
            password: password.to_owned(),
            duration: convert::nanoseconds(duration),
        };
        call!(self.timed_unlock(request)).map(drop)
    }

    async fn lock(&self, address: Address) -> Result<(), GatewayError> {
        let address = convert::bytes(address);
        call!(self.lock(proto::LockRequest { address })).map(drop)
    }

    async fn new_account(&self, config: &[u8]) -> Result<Account, GatewayError> {
        let new_account_config = config.to_vec().into();
        let answer = call!(self.new_account(proto::NewAccountRequest { new_account_config }))?;
        self.check(&self.methods.new_account, convert::made(answer.account))
    }

    async fn import_raw_key(&self, key: &str, config: &[u8]) -> Result<Account, GatewayError> {
        raw_key::check(key).map_err(|what| GatewayError::Invalid { what })?;
        let request = proto::ImportRawKeyRequest {
            raw_key: key.to_owned(),
            new_account_config: config.to_vec().into(),
        };
        let answer = call!(self.import_raw_key(request))?;
        self.check(&self.methods.import_raw_key, convert::made(answer.account))
    }
}
