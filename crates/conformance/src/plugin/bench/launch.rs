//! One launch of the subject, with whatever a case changes about it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::transport::Channel;

use super::{Bench, Session};
use crate::identity::Identity;
use crate::plugin::line::Line;
use crate::plugin::outcome::{Outcome, Shortfall, While as _};
use crate::process::{Order, Process, Seen, inherited};
use crate::tls::{Client, Secured};
use crate::wire::{self, Address, BoxIo};

/// How long a line may come in pieces.
const PIECES: Duration = Duration::from_secs(1);

/// What is shown of standard error when nothing better is known.
const SHOWN: usize = 400;

/// What the launching host does.
#[derive(Debug, Clone)]
pub(crate) enum Security {
    AutoMtls(Identity),
    Plaintext,
}

/// A launch that is being put together.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    bench: &'a Bench,
    security: Security,
    /// What a case sets, or takes away.
    changes: Vec<(OsString, Option<OsString>)>,
    sockets: Option<PathBuf>,
    directory: Option<PathBuf>,
    stdin: Option<OwnedFd>,
    /// Where a host of its own notes the plugin's process id.
    host: Option<PathBuf>,
}

/// Starts its arguments as a host of its own, notes whom, and waits. The shell
/// gives what runs in the background `/dev/null`, as hosts do.
const HOST: &str = r#"note=$1; shift; "$@" & echo $! >"$note"; wait"#;

/// A plugin whose line came.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) line: Line,
    pub(crate) address: Address,
    /// What the host side presents; `None` without TLS.
    pub(crate) identity: Option<Identity>,
    /// The directory for sockets.
    pub(crate) sockets: PathBuf,
    /// The directory for whatever else.
    pub(crate) temporary: PathBuf,
}

impl<'a> Launch<'a> {
    pub(super) fn new(bench: &'a Bench, security: Security) -> Self {
        let (changes, sockets, directory, stdin, host) = (Vec::new(), None, None, None, None);
        Self { bench, security, changes, sockets, directory, stdin, host }
    }

    /// Sets a variable to something else than usual.
    pub(crate) fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.changes.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a variable out.
    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.changes.push((name.into(), None));
        self
    }

    /// Asks for sockets in this directory, rather than in a new one.
    pub(crate) fn sockets_in(mut self, directory: &Path) -> Self {
        self.sockets = Some(directory.to_owned());
        self
    }

    /// Starts it in this working directory.
    pub(crate) fn working_in(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Gives it a standard input.
    pub(crate) fn reading(mut self, stdin: OwnedFd) -> Self {
        self.stdin = Some(stdin);
        self
    }

    /// Has a process between start it, which writes the plugin's id to `note`.
    pub(crate) fn under_a_host(mut self, note: &Path) -> Self {
        self.host = Some(note.to_owned());
        self
    }

    /// Starts the process.
    pub(crate) fn spawn(self) -> Outcome<Process> {
        let order = self.order()?;
        Ok(Process::spawn(order)?)
    }

    /// Starts the process and waits for its line.
    pub(crate) async fn start(self) -> Outcome<Started> {
        let limit = self.bench.subject.start_timeout;
        let identity = match &self.security {
            Security::AutoMtls(identity) => Some(identity.clone()),
            Security::Plaintext => None,
        };
        let order = self.order()?;
        let directory = order.directory.clone();
        let path = |name: &str| order.environment.get(OsStr::new(name)).map(PathBuf::from);
        let sockets = path("PLUGIN_UNIX_SOCKET_DIR").unwrap_or_default();
        let temporary = path("TMPDIR").unwrap_or_default();
        let process = Process::spawn(order)?;
        let Some(line) = line(&process, limit).await else {
            let how = why_no_line(&process, limit).await;
            return Err(Shortfall::seen(how));
        };
        let Some(address) = line.address(&directory) else {
            return Err(Shortfall::seen(format!("no address can be read from {:?}", line.shown())));
        };
        Ok(Started { process, line, address, identity, sockets, temporary })
    }

    /// Starts the process and connects to it.
    pub(crate) async fn session(self) -> Outcome<Session> {
        let started = self.start().await?;
        let channel = started.connect().await?;
        let session = Session { started, channel };
        session.ping("after connecting").await?;
        Ok(session)
    }

    /// Starts the process and waits until its output has ended without a line,
    /// or none has come for a while. A line is objected to.
    pub(crate) async fn refused(self, patience: Duration) -> Outcome<Process> {
        let process = self.spawn()?;
        let printed = |seen: &Seen| Line::find(&seen.bytes, true);
        match process.stdout.wait_for(patience, printed).await {
            None => Ok(process),
            Some(line) => Err(Shortfall::seen(format!("it printed {:?}", line.shown()))),
        }
    }

    fn order(self) -> Outcome<Order> {
        let Self { bench, security, changes, sockets, directory, stdin, host } = self;
        let subject = &bench.subject;
        let sockets = match sockets {
            Some(sockets) => sockets,
            None => bench.new_directory("s")?,
        };
        let temporary = bench.new_directory("t")?;
        std::fs::set_permissions(&sockets, std::fs::Permissions::from_mode(0o700))?;
        let versions: Vec<String> = subject.versions.iter().map(u32::to_string).collect();
        let (cookie, value) = &subject.cookie;
        let mut environment: BTreeMap<OsString, OsString> = inherited();
        let mut set = |name: &str, value: OsString| environment.insert(name.into(), value);
        set(cookie, value.into());
        set("PLUGIN_PROTOCOL_VERSIONS", versions.join(",").into());
        set("PLUGIN_MIN_PORT", "10000".into());
        set("PLUGIN_MAX_PORT", "25000".into());
        set("PLUGIN_UNIX_SOCKET_DIR", sockets.into());
        set("TMPDIR", temporary.into());
        if let Security::AutoMtls(identity) = &security {
            set("PLUGIN_CLIENT_CERT", identity.pem().into());
        }
        for (name, value) in changes {
            match value {
                Some(value) => environment.insert(name, value),
                None => environment.remove(&name),
            };
        }
        let (mut program, mut arguments) = (subject.program.clone(), subject.arguments.clone());
        if let Some(note) = host {
            let plugin = std::mem::replace(&mut program, "/bin/sh".into());
            let host = ["-c".into(), HOST.into(), "sh".into(), note.into(), plugin.into()];
            arguments.splice(0..0, host);
        }
        Ok(Order {
            program,
            arguments,
            directory: directory.unwrap_or_else(|| subject.directory.clone()),
            environment,
            stdin,
        })
    }
}

impl Started {
    /// Connects to its socket.
    pub(crate) async fn dial(&self) -> Outcome<BoxIo> {
        wire::dial_patiently(&self.address).await.during(&format!("connecting to {}", self.address))
    }

    /// A client that presents what the host of this launch presents.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.identity.clone())
    }

    /// Connects, with TLS where this launch asked for it.
    pub(crate) async fn secured_io(&self) -> Outcome<BoxIo> {
        match &self.identity {
            None => self.dial().await,
            Some(_) => Ok(self.secured(&self.client()).await?.io),
        }
    }

    /// Connects, and speaks gRPC with the authority that go-plugin's hosts use.
    pub(crate) async fn connect(&self) -> Outcome<Channel> {
        let authority = if self.identity.is_some() { "localhost" } else { "unused" };
        wire::channel(self.secured_io().await?, authority).await.during("HTTP/2")
    }

    /// Shakes hands as `client`.
    pub(crate) async fn secured(&self, client: &Client) -> Outcome<Secured> {
        client.connect(self.dial().await?).await.during("the TLS handshake")
    }
}

/// The line, if it comes within `limit`.
async fn line(process: &Process, limit: Duration) -> Option<Line> {
    let begun = |seen: &Seen| Line::find(&seen.bytes, true);
    process.stdout.wait_for(limit, begun).await?;
    let whole = |seen: &Seen| Line::find(&seen.bytes, false);
    if let Some(line) = process.stdout.wait_for(PIECES, whole).await {
        return Some(line);
    }
    Line::find(&process.stdout.so_far(), true)
}

/// What is known about a process that printed no line.
async fn why_no_line(process: &Process, limit: Duration) -> String {
    let mut text = match process.ended(Duration::from_millis(200)).await {
        Some(ended) => format!("no handshake line: it {ended}"),
        None => format!("no handshake line within {limit:?}"),
    };
    for (name, output) in [("output", &process.stdout), ("error", &process.stderr)] {
        let bytes = output.so_far();
        let end = &bytes[bytes.len().saturating_sub(SHOWN)..];
        if !end.is_empty() {
            text.push_str(&format!("; standard {name}: {}", String::from_utf8_lossy(end)));
        }
    }
    text
}
