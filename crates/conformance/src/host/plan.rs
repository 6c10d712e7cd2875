//! What a fixture plugin is to do in one case. All that a plan does not say is
//! done as the rules ask, and everything that the host does is forgiven: a
//! fault of the host shows in the case that is about it, and in no other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::fact::Output;

/// A fixture plugin's part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    /// What it does before its line.
    pub(crate) start: Start,
    /// The line.
    pub(crate) line: Line,
    /// Where it listens.
    pub(crate) listen: Listen,
    /// Its side of TLS, where the host asks for it.
    pub(crate) tls: Tls,
    /// Services that it has not, by full name.
    pub(crate) missing: Vec<String>,
    /// What it writes once its line is out. The first call is not answered
    /// before all of that was taken.
    pub(crate) writes: Vec<Written>,
    /// Whether what it writes to the stdio stream comes with pieces that no host
    /// knows.
    pub(crate) odd_pieces: bool,
    /// How it answers calls.
    pub(crate) calls: Calls,
    /// How it treats `StartStream`.
    pub(crate) broker_stream: Stream,
    /// How it treats `StreamStdio`.
    pub(crate) stdio_stream: Stream,
    /// How its broker behaves.
    pub(crate) broker: Broker,
    /// How it ends.
    pub(crate) end: End,
    /// Whether a process that holds its output outlives it.
    pub(crate) grandchild: bool,
}

/// What comes before the line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Start {
    /// The line, at once.
    #[default]
    Serve,
    /// A word on standard error and the end, with this status.
    Exit(u8, String),
    /// Nothing, for ever.
    Silence,
    /// Standard output is closed, and nothing more happens.
    CloseStdout,
    /// Bytes without end and without a line.
    Flood,
}

/// The handshake line, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Line {
    /// Fields that are replaced, counted from 1.
    pub(crate) fields: Vec<(usize, String)>,
    /// How many fields there are at most.
    pub(crate) keep: Option<usize>,
    /// Another text in its place.
    pub(crate) instead: Option<String>,
    /// What ends it; a line feed.
    pub(crate) end: Option<String>,
    /// Whether standard output is closed after it.
    pub(crate) close: bool,
    /// The lowest of the versions offered is chosen, rather than the highest.
    pub(crate) lowest: bool,
}

/// Where it listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listen {
    /// On a Unix socket where the host wants it.
    #[default]
    Unix,
    /// On 127.0.0.1.
    Tcp,
    /// On 127.0.0.1, announced as `:port`.
    TcpWithoutHost,
    /// On an abstract socket.
    Abstract,
    /// On a Unix socket, and never accepts.
    Deaf,
}

/// Its side of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// What it presents.
    pub(crate) presents: Presents,
    /// The one version that it speaks, 12 or 13; both otherwise.
    pub(crate) only: Option<u8>,
    /// It announces no certificate though it was asked for one.
    pub(crate) silent: bool,
    /// It announces a certificate though it was asked for none.
    pub(crate) unasked: bool,
}

/// The certificate and key behind the announced certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Presents {
    /// The announced certificate, on P-256.
    #[default]
    Announced,
    /// One like go-plugin's, on P-521 and a CA; announced, too.
    LikeGo,
    /// Another certificate than the announced one.
    Another,
    /// The announced certificate, with a key that is not its own.
    Replayed,
    /// A certificate that the announced one's key signed.
    Signed,
}

/// Something to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Where to.
    pub(crate) to: Output,
    /// What, how often.
    pub(crate) text: String,
    /// How often.
    pub(crate) times: usize,
}

/// How calls are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Calls {
    /// How long the first is kept waiting, in milliseconds.
    pub(crate) first_ms: u64,
    /// The health service's answer.
    pub(crate) health: Health,
    /// How large a greeting is, in bytes.
    pub(crate) greeting: usize,
    /// The first call ends the process with this status.
    pub(crate) die: Option<u8>,
}

/// What health checks find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Health {
    /// SERVING.
    #[default]
    Serving,
    /// NOT_SERVING.
    NotServing,
    /// No answer.
    Hangs,
}

/// What a permanent stream does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stream {
    /// Headers at once.
    #[default]
    Open,
    /// No headers until there is something to say, as in Go.
    Silent,
    /// UNAVAILABLE at once.
    Fail,
}

/// What its broker does when the host asks for `Probe/Offer`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Broker {
    /// Listens, announces, serves.
    #[default]
    Serves,
    /// Names an id that is never announced.
    Silent,
    /// Announces half a second after it has named the id.
    Late,
    /// Announces an address of the network `udp`.
    Udp,
}

/// How it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// After `Shutdown` and on SIGTERM, at once, with status 0.
    #[default]
    Asked,
    /// A second after `Shutdown`; SIGTERM is only noted.
    Slowly,
    /// Without an answer to `Shutdown`: the connection breaks.
    Breaking,
    /// Not at all: `Shutdown` is answered, SIGTERM is noted.
    Never,
    /// Not at all, and `Shutdown` is never answered.
    Mute,
    /// It stops itself (SIGSTOP) when `Shutdown` comes.
    Stopped,
}

/// What the script of one case holds: the plan and the way back to the kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The kit's Unix socket.
    pub(crate) control: PathBuf,
    /// What to do.
    pub(crate) plan: Plan,
}
