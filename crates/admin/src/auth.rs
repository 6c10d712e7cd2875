//! Who may ask: on the Unix socket whoever can open it, on TCP whoever has a token.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::page;
use crate::tls::Peer;

/// The file in the run directory whose token may do everything.
pub const TOKEN: &str = "admin.token";

/// The file whose token may look.
pub const READ_ONLY_TOKEN: &str = "admin.read-only.token";

/// What whoever asks may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Look.
    ReadOnly,
    /// Act too.
    Full,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) scope: Scope,
    /// How it was let in, for the audit.
    pub(crate) by: &'static str,
    /// From where, on TCP.
    pub(crate) from: Option<SocketAddr>,
}

/// Who is let in where.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// The file system guards it.
    Socket,
    Tcp {
        tokens: Arc<Tokens>,
        tls: bool,
    },
}

/// The tokens of one run of a host.
#[derive(Debug)]
pub(crate) struct Tokens {
    full: String,
    read_only: String,
    /// They go with the tokens.
    files: [PathBuf; 2],
}

impl Drop for Tokens {
    fn drop(&mut self) {
        for file in &self.files {
            // Somebody may have removed it.
            let _gone = fs::remove_file(file);
        }
    }
}

impl Tokens {
    /// Makes new ones and writes them to files that only this user can read, beside
    /// the host's socket and named like it.
    pub(crate) fn make(socket: &Path) -> io::Result<Self> {
        let own = socket.file_stem().and_then(|stem| stem.to_str()).unwrap_or("admin");
        let named = |name: &str| socket.with_file_name(name.replacen("admin", own, 1));
        let files = [named(TOKEN), named(READ_ONLY_TOKEN)];
        let tokens = Self { full: random()?, read_only: random()?, files };
        write(&tokens.files[0], &tokens.full)?;
        write(&tokens.files[1], &tokens.read_only)?;
        Ok(tokens)
    }

    /// The file of the one that may do everything.
    pub(crate) fn file(&self) -> &Path {
        &self.files[0]
    }

    fn scope(&self, given: &str) -> Option<Scope> {
        // Both are always compared, and all of each.
        let (full, read_only) = (same(given, &self.full), same(given, &self.read_only));
        if full { Some(Scope::Full) } else { read_only.then_some(Scope::ReadOnly) }
    }
}

fn random() -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write(path: &Path, token: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(token.as_bytes())
}

/// Takes as long whether they differ early or late.
fn same(given: &str, known: &str) -> bool {
    let (given, known) = (given.as_bytes(), known.as_bytes());
    let differences = given.iter().zip(known).fold(0, |all, (one, two)| all | (one ^ two));
    given.len() == known.len() && differences == 0
}

/// How a page, which cannot send a header, gives its token to a WebSocket: as a
/// subprotocol that begins so, beside the one that it speaks.
pub(crate) const BY_PROTOCOL: &str = "outrigger.token.";

/// The token that a request has with it.
fn given(request: &Request) -> Option<&str> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| {
        let offered = text(header::SEC_WEBSOCKET_PROTOCOL)?;
        offered.split(',').find_map(|protocol| protocol.trim().strip_prefix(BY_PROTOCOL))
    })
}

/// Open to whoever reaches them.
const OPEN: [&str; 4] = ["/livez", "/readyz", "/startupz", "/metrics"];

/// The dashboard's own files are the same for everybody; what it shows needs a token.
fn is_open(request: &Request) -> bool {
    let path = request.uri().path();
    OPEN.contains(&path) || page::has(request.method(), path)
}

pub(crate) async fn guard(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|peer| peer.0);
    let from = peer.and_then(|peer| peer.address);
    let caller = |scope, by| Caller { scope, by, from };
    let caller = match &door {
        Door::Socket => caller(Scope::Full, "socket"),
        Door::Tcp { tokens, tls } => {
            if !is_local(request.headers(), *tls) {
                let text = "ask by the address itself, and not from a page of another origin";
                return (StatusCode::FORBIDDEN, text).into_response();
            }
            let token = || given(&request).and_then(|given| tokens.scope(given));
            match token() {
                _ if peer.is_some_and(|peer| peer.is_certified) => {
                    caller(Scope::Full, "certificate")
                }
                Some(Scope::Full) => caller(Scope::Full, "token"),
                Some(Scope::ReadOnly) => caller(Scope::ReadOnly, "read-only token"),
                None if is_open(&request) => caller(Scope::ReadOnly, "nothing"),
                None => {
                    let text =
                        format!("a token is needed: the one in {TOKEN} in the run directory");
                    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
                    return (StatusCode::UNAUTHORIZED, challenge, text).into_response();
                }
            }
        }
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Whether the request names this server by an address, which a name that an
/// attacker has point here does not, and comes from no page of another origin. With
/// TLS any name will do: of the attacker's there is no certificate.
fn is_local(headers: &HeaderMap, tls: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let by_address = tls || name == "localhost" || bare.parse::<std::net::IpAddr>().is_ok();
    let same_origin = match headers.get(header::ORIGIN) {
        None => true,
        Some(_) => text(header::ORIGIN).is_some_and(|origin| {
            let scheme = if tls { "https" } else { "http" };
            origin == format!("{scheme}://{host}")
        }),
    };
    by_address && same_origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_addresses_and_pages_of_this_server_s_own_are_let_through() {
        let host = |host| headers(&[(header::HOST, host)]);
        for good in ["127.0.0.1:7000", "[::1]:7000", "localhost:7000", "192.0.2.1", "localhost"] {
            assert!(is_local(&host(good), false), "{good}");
        }
        for bad in ["evil.example:7000", "evil.example", "127.0.0.1.evil.example", ""] {
            assert!(!is_local(&host(bad), false), "{bad}");
        }
        assert!(!is_local(&HeaderMap::new(), false));
        let from = |origin| headers(&[(header::HOST, "127.0.0.1:7000"), (header::ORIGIN, origin)]);
        assert!(is_local(&from("http://127.0.0.1:7000"), false));
        assert!(is_local(&from("https://127.0.0.1:7000"), true));
        assert!(!is_local(&from("http://127.0.0.1:7000"), true));
        assert!(!is_local(&HeaderMap::new(), true));
        let named = [(header::HOST, "node.example"), (header::ORIGIN, "https://node.example")];
        assert!(is_local(&headers(&named), true));
        let other = [(header::HOST, "node.example"), (header::ORIGIN, "https://evil.example")];
        assert!(!is_local(&headers(&other), true));
        for bad in
            ["http://evil.example", "null", "http://127.0.0.1:7001", "https://127.0.0.1:7000"]
        {
            assert!(!is_local(&from(bad), false), "{bad}");
        }
    }

    #[test]
    fn tokens_are_this_user_s_and_say_what_they_allow() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("admin.sock");
        let first = Tokens::make(&socket).unwrap();
        let tokens = Tokens::make(&socket).unwrap();
        let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(tokens.scope(&read(TOKEN)), Some(Scope::Full));
        assert_eq!(tokens.scope(&read(READ_ONLY_TOKEN)), Some(Scope::ReadOnly));
        assert_eq!(tokens.scope(&first.full), None, "that of another run is none");
        assert_eq!(tokens.scope(""), None);
        let mode = directory.path().join(TOKEN).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Tokens::make(&directory.path().join("admin-7.sock")).unwrap();
        assert_eq!(second.file(), directory.path().join("admin-7.token"));
        drop((first, tokens, second));
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}
