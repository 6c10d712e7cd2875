//! What a plugin says of its services, over gRPC's reflection in either version.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream;
use http::uri::PathAndQuery;
use outrigger::Rpc;
use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use super::codec::Raw;
use super::error::CallError;
use super::schema::Schema;
use super::{LARGEST, LARGEST_DESCRIPTOR};

/// The messages are the same in both.
const PATHS: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Files that a plugin's services are described in.
const MOST_FILES: usize = 500;

/// The names of a plugin's services.
pub(super) async fn services(rpc: &Rpc, instance: &str) -> Result<Vec<String>, CallError> {
    match ask(rpc, instance, MessageRequest::ListServices(String::new())).await? {
        MessageResponse::ListServicesResponse(list) => {
            Ok(list.service.into_iter().map(|service| service.name).collect())
        }
        other => Err(unexpected(instance, &other)),
    }
}

/// These services, with all that their messages are made of.
pub(super) async fn schema(
    rpc: &Rpc,
    instance: &str,
    services: &[String],
) -> Result<Schema, CallError> {
    let unusable = |detail: String| CallError::Reflection { instance: instance.to_owned(), detail };
    let mut files = BTreeMap::<String, FileDescriptorProto>::new();
    let symbols = services.iter().cloned().map(MessageRequest::FileContainingSymbol);
    let mut pending: Vec<MessageRequest> = symbols.collect();
    let mut bytes = 0;
    while let Some(wanted) = pending.pop() {
        let name = match &wanted {
            MessageRequest::FileByFilename(name) if files.contains_key(name) => continue,
            MessageRequest::FileByFilename(name) => Some(name.clone()),
            _ => None,
        };
        let described = match ask(rpc, instance, wanted).await? {
            MessageResponse::FileDescriptorResponse(found) => found.file_descriptor_proto,
            // What is everybody's is not always served.
            MessageResponse::ErrorResponse(_) if name.as_deref().and_then(well_known).is_some() => {
                let file = name.as_deref().and_then(well_known).unwrap_or_default();
                vec![file.encode_to_vec()]
            }
            other => return Err(unexpected(instance, &other)),
        };
        for file in described {
            bytes += file.len();
            if bytes > LARGEST_DESCRIPTOR || files.len() == MOST_FILES {
                return Err(unusable("there is too much of it".to_owned()));
            }
            let file = FileDescriptorProto::decode(file.as_slice())
                .map_err(|error| unusable(error.to_string()))?;
            pending.extend(file.dependency.iter().cloned().map(MessageRequest::FileByFilename));
            files.insert(file.name().to_owned(), file);
        }
    }
    let set = FileDescriptorSet { file: files.into_values().collect() };
    Schema::of(set, services).map_err(unusable)
}

/// Protobuf's own files.
fn well_known(name: &str) -> Option<FileDescriptorProto> {
    let file = DescriptorPool::global().get_file_by_name(name)?;
    Some(file.file_descriptor_proto().clone())
}

fn unexpected(instance: &str, answer: &MessageResponse) -> CallError {
    let detail = match answer {
        MessageResponse::ErrorResponse(error) => error.error_message.escape_debug().to_string(),
        _ => "it answers another question".to_owned(),
    };
    CallError::Reflection { instance: instance.to_owned(), detail }
}

/// One question, in the version that the plugin has.
async fn ask(
    rpc: &Rpc,
    instance: &str,
    question: MessageRequest,
) -> Result<MessageResponse, CallError> {
    let request = ServerReflectionRequest { message_request: Some(question), host: String::new() };
    let request = Bytes::from(request.encode_to_vec());
    for path in PATHS {
        match once(rpc, path, request.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(status) if status.code() == Code::Unimplemented => {}
            Err(status) => {
                let detail = status.message().escape_debug().to_string();
                return Err(CallError::Reflection { instance: instance.to_owned(), detail });
            }
        }
    }
    Err(CallError::NoReflection { instance: instance.to_owned() })
}

async fn once(rpc: &Rpc, path: &'static str, request: Bytes) -> Result<MessageResponse, Status> {
    let mut grpc = Grpc::new(rpc.clone()).max_decoding_message_size(LARGEST);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = Request::new(stream::once(async { request }));
    let answers = grpc.streaming(request, PathAndQuery::from_static(path), Raw).await?;
    let answer = answers.into_inner().message().await?;
    let answer = answer.ok_or_else(|| Status::internal("no answer"))?;
    let answer = ServerReflectionResponse::decode(answer)
        .map_err(|error| Status::internal(error.to_string()))?;
    answer.message_response.ok_or_else(|| Status::internal("an empty answer"))
}
