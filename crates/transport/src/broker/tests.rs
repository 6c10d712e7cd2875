//! Two brokers of one process over real sockets, TLS and yamux; where only time
//! passes, one broker and messages.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;

use outrigger_proto::plugin::conn_info::Knock;
use outrigger_proto::probe::Payload;
use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{Answer, AnswerServer};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use super::*;
use crate::handshake::Address;
use crate::identity::Identity;
use crate::mux::Session;
use crate::sockets::bind_in;
use crate::tls::PeerTls;

mod any_order;
mod limits;
mod pairs;

/// For what happens without waiting.
const SOON: Duration = Duration::from_secs(5);

/// Every way that two sides connect: multiplexed or not, with TLS or not.
const WAYS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// A host and a plugin, connected.
struct Pair {
    host: Link,
    plugin: Broker,
    plugin_session: Arc<OnceLock<Session>>,
    serving: AbortOnDropHandle<()>,
    directory: TempDir,
    host_certificate: CertificateDer<'static>,
}

/// What a side does with the id that it is told.
struct Prefix(&'static str);

#[tonic::async_trait]
impl Answer for Prefix {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let data = [self.0.as_bytes(), &request.into_inner().data].concat();
        Ok(Response::new(Payload { data: data.into() }))
    }
}

fn prefix(prefix: &'static str) -> AnswerServer<Prefix> {
    AnswerServer::new(Prefix(prefix))
}

async fn ask(rpc: &Rpc) -> Result<String, Status> {
    let payload = Payload { data: b"question".as_slice().into() };
    let mut client = AnswerClient::new(rpc.clone());
    let answer = timeout(SOON, client.ask(payload)).await.expect("an answer or an error, soon")?;
    Ok(String::from_utf8(answer.into_inner().data.to_vec()).unwrap())
}

fn der(identity: &Identity) -> CertificateDer<'static> {
    CertificateDer::from(identity.der().to_vec())
}

fn sockets(directory: &Path, confine: Option<&Path>) -> Sockets {
    let confine = confine.map(Path::to_owned);
    Sockets { directory: directory.to_owned(), group: None, confine, translate: None }
}

/// A plugin that serves its broker if `served`, and its host.
async fn pair_with(multiplex: bool, tls: bool, served: bool) -> Pair {
    let directory = tempfile::tempdir().unwrap();
    let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let host_tls = tls.then(|| PeerTls::pinned(&host, vec![der(&plugin)]).unwrap());
    let plugin_tls = tls.then(|| PeerTls::pinned(&plugin, vec![der(&host)]).unwrap());
    let host_certificate = der(&host);
    let (listener, socket) = bind_in(directory.path(), None).unwrap();
    let address = Address::Unix(socket.path().to_owned());
    let (plugin, session) = (Broker::new(), Arc::new(OnceLock::new()));
    let acceptor = plugin_tls.as_ref().map(|tls| TlsAcceptor::from(tls.server.clone()));
    let route = if multiplex {
        Route::Streams(session.clone())
    } else {
        Route::Sockets(sockets(directory.path(), None))
    };
    plugin.set_up(Setup {
        side: Side::Plugin,
        tls: plugin_tls,
        version: 1,
        largest_message: 1024,
        route,
    });
    let listener = Listener::Unix(listener);
    let incoming = if multiplex {
        Incoming::multiplexed(listener, acceptor, Some(socket), plugin.clone(), session.clone())
    } else {
        Incoming::new(listener, acceptor, Some(socket), "")
    };
    let service = plugin.service();
    let serving = tokio::spawn(async move {
        let _connections = incoming.guard();
        let server = Server::builder();
        let served = if served {
            server.serve_with_incoming(service, incoming).await
        } else {
            server.serve_with_incoming(prefix("main:"), incoming).await
        };
        served.unwrap();
    });
    let setup = LinkSetup {
        address: &address,
        tls: host_tls,
        multiplex,
        sockets: sockets(directory.path(), Some(directory.path())),
        version: 1,
        largest_message: 1024,
    };
    let host = link(setup, SOON).await.unwrap();
    let serving = AbortOnDropHandle::new(serving);
    Pair { host, plugin, plugin_session: session, serving, directory, host_certificate }
}

async fn pair(multiplex: bool, tls: bool) -> Pair {
    pair_with(multiplex, tls, true).await
}

/// Waits until it is so.
async fn eventually(what: &str, so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// The error of what must end soon.
async fn fails<T: fmt::Debug>(doing: impl Future<Output = Result<T, BrokerError>>) -> BrokerError {
    timeout(SOON, doing).await.expect("an error, soon").unwrap_err()
}
