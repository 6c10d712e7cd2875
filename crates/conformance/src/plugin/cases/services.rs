//! Health, reflection and controller: what every plugin serves.

use outrigger_proto::health::health_check_response::ServingStatus;
use tonic::{Code, Status};
use tonic_reflection::pb::{v1, v1alpha};

use super::cases;
use crate::plugin::bench::{Bench, Session};
use crate::plugin::outcome::{Outcome, Shortfall, require, status_text};
use crate::plugin::survey::Need;
use crate::wire::{ANSWER, check_health};

cases! {
    "5.15" "health-of-plugin" Must [Calls]
        "`Health/Check` for `plugin` answers SERVING" => of_plugin;
    "5.16" "health-of-all" Should [Calls]
        "`Health/Check` for the empty name answers SERVING" => of_all;
    "5.16" "health-of-nothing" Should [Calls]
        "`Health/Check` for a name that it does not know answers NOT_FOUND" => of_nothing;
    "5.21" "reflection-in-both-versions" Should [Calls]
        "reflection, if it is there, is there in versions v1 and v1alpha" => reflection;
    "5.23" "controller-served" Should [Calls]
        "`plugin.GRPCController/Shutdown` is served" => controller;
    "6.1" "broker-served" Should [Calls]
        "`plugin.GRPCBroker/StartStream` is served" => broker;
    "8.1" "stdio-served" Should [Calls]
        "`plugin.GRPCStdio/StreamStdio` is served" => stdio;
}

async fn serving(bench: &Bench, service: &str) -> Outcome {
    let session = bench.session().await?;
    let status = check_health(&session.channel, service).await?;
    let name = ServingStatus::try_from(status).map_or("no status", |status| status.as_str_name());
    require!(status == ServingStatus::Serving as i32, "{name} ({status})");
    Ok(())
}

async fn of_plugin(bench: &Bench) -> Outcome {
    serving(bench, "plugin").await
}

async fn of_all(bench: &Bench) -> Outcome {
    serving(bench, "").await
}

async fn of_nothing(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    match check_health(&session.channel, "no.such.Service").await {
        Err(status) if status.code() == Code::NotFound => Ok(()),
        Err(status) => Err(Shortfall::seen(status_text(&status))),
        Ok(status) => Err(Shortfall::seen(format!("OK, with status {status}"))),
    }
}

async fn reflection(bench: &Bench) -> Outcome {
    let session = bench.session().await?;
    let (new, old) = (list_v1(&session).await, list_v1alpha(&session).await);
    match (&new, &old) {
        (Err(_), Err(_)) => return Err(Shortfall::not_applicable("it serves no reflection")),
        (Err(_), Ok(_)) => return Err(Shortfall::seen("v1alpha alone")),
        (Ok(_), Err(_)) => return Err(Shortfall::seen("v1 alone")),
        (Ok(_), Ok(_)) => {}
    }
    let names = new.unwrap_or_default();
    let controller = !bench.survey.has(Need::Controller)
        || names.iter().any(|name| name == "plugin.GRPCController");
    require!(controller, "the controller is served and not listed: {names:?}");
    Ok(())
}

/// The names of services by reflection v1, or that there is none.
async fn list_v1(session: &Session) -> Result<Vec<String>, Status> {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client =
        v1::server_reflection_client::ServerReflectionClient::new(session.channel.clone());
    let call = async {
        let mut answers =
            client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
        answers.message().await
    };
    match in_time(call).await?.and_then(|answer| answer.message_response) {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.into_iter().map(|service| service.name).collect())
        }
        _ => Err(Status::internal("no list of services")),
    }
}

/// As [`list_v1`], by the older version.
async fn list_v1alpha(session: &Session) -> Result<Vec<String>, Status> {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(session.channel.clone());
    let call = async {
        let mut answers =
            client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
        answers.message().await
    };
    match in_time(call).await?.and_then(|answer| answer.message_response) {
        Some(MessageResponse::ListServicesResponse(list)) => {
            Ok(list.service.into_iter().map(|service| service.name).collect())
        }
        _ => Err(Status::internal("no list of services")),
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = |_| Status::deadline_exceeded("no answer");
    tokio::time::timeout(ANSWER, call).await.map_err(late)?
}

async fn controller(bench: &Bench) -> Outcome {
    served(bench, Need::Controller)
}

async fn broker(bench: &Bench) -> Outcome {
    served(bench, Need::Broker)
}

async fn stdio(bench: &Bench) -> Outcome {
    served(bench, Need::Stdio)
}

fn served(bench: &Bench, need: Need) -> Outcome {
    require!(bench.survey.has(need), "UNIMPLEMENTED");
    Ok(())
}
