//! A small HTTP server on loopback: what plugins ask, and what tests answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// For one request and its answer.
const LIMIT: Duration = Duration::from_secs(10);

/// What a request may have, with its body.
const LARGEST: usize = 1 << 20;

/// A request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The lines of the head after the first.
    pub headers: String,
    /// The body.
    pub body: String,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The body, which is said to be JSON.
    pub body: String,
}

type Answerer = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server, until it is dropped.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    accepting: JoinHandle<()>,
}

impl Loopback {
    /// Serves on a port that the system chooses.
    ///
    /// # Panics
    ///
    /// When loopback cannot be listened on.
    pub async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("a bound address");
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let accepting = tokio::spawn(accept(listener, requests.clone(), Arc::new(answer)));
        Self { address, requests, accepting }
    }

    /// The address of what is served under a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests until now.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, requests: Arc<Mutex<Vec<Request>>>, answer: Arc<Answerer>) {
    let mut serving = tokio::task::JoinSet::new();
    while let Ok((stream, _peer)) = listener.accept().await {
        let (requests, answer) = (requests.clone(), answer.clone());
        serving.spawn(async move {
            let _late = tokio::time::timeout(LIMIT, serve(stream, &requests, &*answer)).await;
        });
        while serving.try_join_next().is_some() {}
    }
}

/// One request a connection; what is no request gets no answer.
async fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Request>>, answer: &Answerer) {
    let Some(request) = read(&mut stream).await else { return };
    let answer = answer(&request);
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let Answer { status, body } = answer;
    let text = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len(),
    );
    let _gone = stream.write_all(text.as_bytes()).await;
    let _gone = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let (head, start) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..end].to_vec()).ok()?, end + 4);
        }
        more(stream, &mut bytes).await?;
    };
    let (first, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let length = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Some(0), |(_, value)| value.trim().parse::<usize>().ok())?;
    while bytes.len() < start + length {
        more(stream, &mut bytes).await?;
    }
    let mut words = first.split(' ');
    Some(Request {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        headers: headers.to_owned(),
        body: String::from_utf8_lossy(&bytes[start..start + length]).into_owned(),
    })
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4096];
    let length = stream.read(&mut piece).await.ok()?;
    bytes.extend_from_slice(&piece[..length]);
    (length > 0 && bytes.len() <= LARGEST).then_some(())
}
