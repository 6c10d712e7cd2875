//! The plugin's side: a store in memory, in either version or in both.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_sdk::{Broker, Plugin, Rpc};
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use crate::generated::observer_client::ObserverClient;
use crate::generated::store_server::{self, StoreServer};
use crate::generated::watched_store_server::{self, WatchedStoreServer};
use crate::generated::{
    ChangedRequest, GetRequest, GetResponse, PutRequest, PutResponse, WatchRequest, WatchResponse,
};
use crate::store::{COOKIE_KEY, COOKIE_VALUE, PLAIN, WATCHED};

/// What a message may hold, in bytes; the host takes as much.
const LARGEST: usize = 16 << 20;

/// Observers at a time; what more there are is refused.
const OBSERVERS: usize = 16;

/// How long an observer may take.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// Keys, values, and who is told of changes.
#[derive(Clone)]
struct Memory {
    broker: Broker,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    values: HashMap<String, Vec<u8>>,
    /// By the ids that they were dialled by.
    observers: BTreeMap<u32, ObserverClient<Rpc>>,
}

impl Memory {
    async fn put(&self, request: PutRequest) -> Result<Response<PutResponse>, Status> {
        let PutRequest { key, value } = request;
        let observers = {
            let mut kept = self.kept();
            kept.values.insert(key.clone(), value);
            kept.observers.clone()
        };
        for (id, mut observer) in observers {
            let change = ChangedRequest { key: key.clone() };
            let told = timeout(TOLD_WITHIN, observer.changed(change)).await;
            // One that is gone is not told again.
            if !matches!(told, Ok(Ok(_))) {
                self.kept().observers.remove(&id);
            }
        }
        Ok(Response::new(PutResponse {}))
    }

    fn get(&self, request: &GetRequest) -> Result<Response<GetResponse>, Status> {
        let value = self.kept().values.get(&request.key).cloned();
        let value = value.ok_or_else(|| Status::not_found("no such key"))?;
        Ok(Response::new(GetResponse { value }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl store_server::Store for Memory {
    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        self.put(request.into_inner()).await
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.get(request.get_ref())
    }
}

#[tonic::async_trait]
impl watched_store_server::WatchedStore for Memory {
    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        self.put(request.into_inner()).await
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.get(request.get_ref())
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<WatchResponse>, Status> {
        let id = request.get_ref().observer;
        let observer = self.broker.dial(id).await;
        let observer = observer.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut kept = self.kept();
        if kept.observers.len() == OBSERVERS {
            return Err(Status::resource_exhausted("there are too many observers"));
        }
        kept.observers.insert(id, ObserverClient::new(observer));
        Ok(Response::new(WatchResponse {}))
    }
}

/// Serves these versions until the host wants the plugin to end, or is dead.
pub(crate) fn run(versions: &[u32]) -> ExitCode {
    let mut plugin = Plugin::new(COOKIE_KEY, COOKIE_VALUE).made_for("the example node");
    let memory = Memory { broker: plugin.broker(), kept: Arc::default() };
    if versions.contains(&PLAIN) {
        let store = StoreServer::new(memory.clone()).max_decoding_message_size(LARGEST);
        plugin = plugin.version_with(PLAIN, |set| set.service(store));
    }
    if versions.contains(&WATCHED) {
        let store = WatchedStoreServer::new(memory).max_decoding_message_size(LARGEST);
        plugin = plugin.version_with(WATCHED, |set| set.service(store));
    }
    plugin.run()
}
