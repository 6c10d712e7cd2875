//! A plugin central on loopback that does what a test says: a small HTTP server
//! over TCP, or over TLS, with a thread for each connection.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The path, with its query.
    pub path: String,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, headers and a body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Status 200, a length, and fewer bytes than that.
    Half(Vec<(&'static str, String)>, usize, Vec<u8>),
    /// Status 200, and this again and again.
    Forever(Vec<u8>),
    /// Nothing at all.
    Silence,
}

impl Answer {
    /// Status 200 with a body.
    #[must_use]
    pub fn body(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, Vec::new(), bytes.into())
    }

    /// A status, with its number as the body.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Whole(code, Vec::new(), code.to_string().into_bytes())
    }

    /// A redirection.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        Self::Whole(302, vec![("location", to.to_owned())], Vec::new())
    }
}

type Script = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
    ended: AtomicBool,
    tls: Option<Arc<ServerConfig>>,
}

/// The server. It ends when it is dropped.
pub struct FakeCentral {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for FakeCentral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeCentral").field("address", &self.address).finish_non_exhaustive()
    }
}

impl FakeCentral {
    /// Over plain HTTP.
    ///
    /// # Panics
    ///
    /// When there is no port, as everything here does: these are tests.
    #[must_use]
    pub fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve(None, script)
    }

    /// Over TLS.
    #[must_use]
    pub fn over_tls(
        tls: Arc<ServerConfig>,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(tls), script)
    }

    fn serve(
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (asked, ended) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { script: Box::new(script), asked, ended, tls });
        let serving = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let serving = serving.clone();
                std::thread::spawn(move || connection(stream, &serving));
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// Its URL, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}/", self.address.port())
    }

    /// What was asked for so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for FakeCentral {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn connection(stream: TcpStream, shared: &Shared) {
    let _limit = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let _limit = stream.set_write_timeout(Some(Duration::from_secs(30)));
    match &shared.tls {
        None => exchange(stream, shared),
        Some(config) => {
            let Ok(session) = ServerConnection::new(config.clone()) else { return };
            exchange(StreamOwned::new(session, stream), shared);
        }
    }
}

/// One request and its answer; the connection closes then. What cannot be
/// written, nobody reads.
fn exchange(stream: impl Read + Write, shared: &Shared) {
    let mut stream = BufReader::new(stream);
    let Some(asked) = request(&mut stream) else { return };
    shared.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let answer = (shared.script)(&asked);
    let stream = stream.get_mut();
    let _unread = respond(stream, answer, &shared.ended);
    let _unread = stream.flush();
}

fn request(stream: &mut BufReader<impl Read>) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    Some(Asked { path, headers })
}

fn respond(stream: &mut impl Write, answer: Answer, ended: &AtomicBool) -> std::io::Result<()> {
    let head = |code: u16, headers: &[(&str, String)], length: Option<usize>| {
        let mut head = format!("HTTP/1.1 {code} Status {code}\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = length {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        head + "\r\n"
    };
    match answer {
        Answer::Whole(code, headers, body) => {
            stream.write_all(head(code, &headers, Some(body.len())).as_bytes())?;
            stream.write_all(&body)
        }
        Answer::Half(headers, length, body) => {
            stream.write_all(head(200, &headers, Some(length)).as_bytes())?;
            stream.write_all(&body)
        }
        Answer::Forever(bytes) => {
            stream.write_all(head(200, &[], None).as_bytes())?;
            while !ended.load(Ordering::SeqCst) {
                stream.write_all(&bytes)?;
            }
            Ok(())
        }
        Answer::Silence => {
            let pause = rustix::event::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
            while !ended.load(Ordering::SeqCst) {
                // A poll without descriptors is the wait.
                let _elapsed = rustix::event::poll(&mut [], Some(&pause));
            }
            Ok(())
        }
    }
}
