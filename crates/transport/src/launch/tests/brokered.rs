//! The broker of a launched plugin, as callers find it, and its end.

use outrigger_proto::probe::Payload;
use outrigger_proto::probe::answer_client::AnswerClient;
use outrigger_proto::probe::answer_server::{Answer, AnswerServer};
use tonic::{Request, Response, Status};

use super::*;
use crate::{BrokerError, Rpc};

/// Answers with a prefix.
struct Prefix(&'static str);

#[async_trait::async_trait]
impl Answer for Prefix {
    async fn ask(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        let data = [self.0.as_bytes(), &request.into_inner().data].concat();
        Ok(Response::new(Payload { data: data.into() }))
    }
}

async fn ask(rpc: Rpc) -> Result<String, Status> {
    let payload = Payload { data: b"question".as_slice().into() };
    let mut client = AnswerClient::new(rpc);
    let asking = tokio::time::timeout(PATIENCE, client.ask(payload));
    let answer = asking.await.expect("an answer or an error")?.into_inner().data;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn every_launched_plugin_has_a_broker_that_works_both_ways_and_ends_with_it() {
    for security in [Security::AutoMtls, Security::Plaintext] {
        let script = Scripted::default();
        let started = start(&script, |spec| spec.security = security).await;
        let (connection, directory) = started.unwrap();
        let main = rpc(&*connection);
        let host = main.broker().unwrap();
        let plugin = script.broker.lock().unwrap().clone();

        let by_host = host.serve(AnswerServer::new(Prefix("host:"))).await.unwrap();
        let to_host = plugin.dial(by_host.id()).await.unwrap();
        assert_eq!(ask(to_host.clone()).await.unwrap(), "host:question");
        let by_plugin = plugin.serve(AnswerServer::new(Prefix("plugin:"))).await.unwrap();
        let to_plugin = host.dial(by_plugin.id()).await.unwrap();
        assert_eq!(ask(to_plugin.clone()).await.unwrap(), "plugin:question");
        assert!(to_plugin.broker().is_none());
        // All sockets are the generation's own: the main one and one a side.
        let own = directory.path().read_dir().unwrap().next().unwrap().unwrap().path();
        assert_eq!(own.read_dir().unwrap().count(), 3);

        script.die(ExitStatus::Code(0));
        connection.died().await;
        let late = host.serve(AnswerServer::new(Prefix("late:")));
        let late = tokio::time::timeout(PATIENCE, late).await.expect("an error, soon");
        assert!(matches!(late.unwrap_err(), BrokerError::Closed));
        assert!(matches!(host.dial(7).await.unwrap_err(), BrokerError::Closed));
        assert!(ask(to_host).await.is_err(), "what the host served has ended");
        connection.stop(StopLadder::default()).await;
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_plugin_that_ends_when_its_streams_do_is_stopped_gracefully() {
    let script = Scripted { serves: Serves::UntilStreamsEnd, ..Scripted::default() };
    let (connection, _directory) = start(&script, |_| {}).await.unwrap();
    let asked = Instant::now();
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    assert!(asked.elapsed() < Duration::from_millis(1_500), "{:?}", asked.elapsed());
}
