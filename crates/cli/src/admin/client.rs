//! The way to a host's API.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use outrigger::settings::{ProcessEnv, default_run_dir};
use outrigger_admin::{SOCKET, TlsClient};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Target;
use crate::failure::{Failure, chain};

/// For a host to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Between two pieces of what is streamed: the host says every 15 s that it is there.
const SILENCE: Duration = Duration::from_secs(60);

/// Of an answer, and of one line of what is streamed, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// The API's code for an instance that is not there.
const UNKNOWN: i64 = -32_001;

/// The API's code for what a token, or the host's flags, do not allow.
const FORBIDDEN: i64 = -32_003;

/// The host does not allow chaos.
const NO_CHAOS: i64 = -32_005;

/// A request.
#[derive(Serialize)]
struct Body<'a, P> {
    jsonrpc: &'static str,
    id: u32,
    method: &'a str,
    params: &'a P,
}

/// A line of what is streamed: an event's name and its data.
pub(crate) type Streamed = (String, Value);

/// A client of one host.
pub(crate) struct Client {
    at: At,
    token: Option<String>,
    /// For an answer.
    patience: Duration,
}

enum At {
    Socket(PathBuf),
    /// `127.0.0.1:7000`.
    Address(String),
    /// The same, with TLS.
    Tls(String, TlsClient),
}

impl Client {
    pub(crate) fn new(target: &Target) -> Result<Self, Failure> {
        if let Some(url) = &target.url {
            return Self::at_url(url, target);
        }
        let default = || default_run_dir(&ProcessEnv).join(SOCKET);
        let socket = target.socket.clone().unwrap_or_else(default);
        Ok(Self { at: At::Socket(socket), token: None, patience: target.timeout })
    }

    fn at_url(url: &str, target: &Target) -> Result<Self, Failure> {
        let token = target.token.as_ref().map(|file| {
            let read = fs::read_to_string(file).map(|token| token.trim().to_owned());
            read.map_err(|error| {
                let file = file.display();
                Failure::Failed(format!("the token cannot be read from {file}: {error}"))
            })
        });
        let token = token.transpose()?;
        let (scheme, address) = url.split_once("://").unwrap_or_default();
        let address = address.trim_end_matches('/').to_owned();
        if address.is_empty() || address.contains('/') || !["http", "https"].contains(&scheme) {
            return Err(Failure::Usage(format!(
                "`{url}` is no address; give one such as http://127.0.0.1:7000"
            )));
        }
        if scheme == "http" {
            if token.is_none() {
                return Err(Failure::Usage("without TLS a token is needed; give --token".into()));
            }
            return Ok(Self { at: At::Address(address), token, patience: target.timeout });
        }
        let Some(ca) = &target.ca else {
            let text = "give the authority that vouches for the host, with --ca";
            return Err(Failure::Usage(text.into()));
        };
        let own = target.cert.as_deref().zip(target.key.as_deref());
        let tls = TlsClient::new(ca, own).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self { at: At::Tls(address, tls), token, patience: target.timeout })
    }

    /// What errors call the host.
    fn shown(&self) -> String {
        match &self.at {
            At::Socket(path) => path.display().to_string(),
            At::Address(address) | At::Tls(address, _) => address.clone(),
        }
    }

    /// Calls a method; `params` is an object.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, Failure> {
        self.call_with(method, &params).await
    }

    /// As [`call`](Self::call), with whatever is an object in JSON.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<Value, Failure> {
        let body = serde_json::to_string(&Body { jsonrpc: "2.0", id: 1, method, params })?;
        let asking = async {
            let response = self.send(Method::POST, "/", body).await?;
            Ok::<_, Failure>((response.status(), text(response).await?))
        };
        let answered = tokio::time::timeout(self.patience, asking).await;
        let (status, text) = answered.map_err(|_| self.late(self.patience))??;
        let Ok(mut answer) = serde_json::from_str::<Value>(&text) else {
            return Err(self.refused(status, &text));
        };
        if let Some(message) = answer["error"]["message"].as_str() {
            let message = message.to_owned();
            return Err(match answer["error"]["code"].as_i64() {
                Some(UNKNOWN) => Failure::NoInstance(message),
                Some(FORBIDDEN | NO_CHAOS) => Failure::Refused(message),
                _ => Failure::Failed(message),
            });
        }
        Ok(answer["result"].take())
    }

    /// Follows a stream until it ends; `each` says whether to go on.
    pub(crate) async fn follow(
        &self,
        path: &str,
        mut each: impl FnMut(Streamed) -> bool,
    ) -> Result<(), Failure> {
        let asking = self.send(Method::GET, path, String::new());
        let answered = tokio::time::timeout(self.patience, asking).await;
        let mut response = answered.map_err(|_| self.late(self.patience))??;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let said = tokio::time::timeout(self.patience, text(response)).await;
            let said = said.map_err(|_| self.late(self.patience))??;
            return Err(self.refused(status, &said));
        }
        let (mut text, mut name) = (Vec::new(), String::new());
        loop {
            let frame = tokio::time::timeout(SILENCE, response.frame()).await;
            let Some(frame) = frame.map_err(|_| self.late(SILENCE))? else { return Ok(()) };
            let Ok(piece) = frame?.into_data() else { continue };
            text.extend_from_slice(&piece);
            if text.len() > LARGEST {
                let shown = self.shown();
                return Err(Failure::Failed(format!(
                    "the host at {shown} sent a line of more than {LARGEST} bytes"
                )));
            }
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if let Some(event) = line.trim_end().strip_prefix("event: ") {
                    event.clone_into(&mut name);
                } else if let Some(data) = line.trim_end().strip_prefix("data: ") {
                    let data = serde_json::from_str(data).unwrap_or_default();
                    if !each((std::mem::take(&mut name), data)) {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn late(&self, waited: Duration) -> Failure {
        let (shown, waited) = (self.shown(), humantime::format_duration(waited));
        Failure::NoHost(format!(
            "the host at {shown} has not answered within {waited}; what was asked for may go on: \
             look at `outrigger status`, and wait longer with --timeout"
        ))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Response<Incoming>, Failure> {
        let absent = |said: String| {
            let shown = self.shown();
            Failure::NoHost(format!(
                "no host answers at {shown}: {said}; start one with `outrigger run`, or say \
                 which with --socket"
            ))
        };
        let mut request = Request::builder().method(method).uri(path);
        let host = match &self.at {
            At::Socket(_) => "localhost",
            At::Address(address) | At::Tls(address, _) => address,
        };
        request = request.header(header::HOST, host);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let connecting = async {
            Ok::<Box<dyn Stream>, std::io::Error>(match &self.at {
                At::Socket(path) => Box::new(UnixStream::connect(path).await?),
                At::Address(address) => Box::new(TcpStream::connect(address).await?),
                At::Tls(address, tls) => {
                    let host = address.rsplit_once(':').map_or(&**address, |(host, _)| host);
                    let host = host.trim_start_matches('[').trim_end_matches(']');
                    Box::new(tls.connect(host, TcpStream::connect(address).await?).await?)
                }
            })
        };
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        let stream = connected
            .map_err(|_| absent(format!("it did not within {CONNECT:?}")))?
            .map_err(|error| absent(error.to_string()))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the sender, and its errors are the request's.
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(|error| absent(chain(&error)))
    }

    fn refused(&self, status: StatusCode, text: &str) -> Failure {
        let message = format!("the host at {} answered {status}: {}", self.shown(), text.trim());
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Refused(message),
            StatusCode::NOT_FOUND => Failure::NoInstance(message),
            _ => Failure::Failed(message),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn text(response: Response<Incoming>) -> Result<String, Failure> {
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    let body = body.map_err(|error| Failure::failed("the answer cannot be read", &*error))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}
