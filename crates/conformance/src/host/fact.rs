//! What a fixture plugin tells the kit, one JSON object a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Something that a fixture plugin saw or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fact {
    /// It runs.
    Started(Started),
    /// It listens, and is about to print.
    Listening {
        /// The socket's file, if it made one.
        socket: Option<PathBuf>,
    },
    /// Its line, or what stands for one, is written.
    Printed,
    /// A raw connection came.
    Connected {
        /// Counted from 1.
        connection: u32,
        /// The first bytes, as far as they tell the protocol.
        speaks: Speaks,
    },
    /// A TLS handshake went as told.
    Tls(Tls),
    /// So did one on a brokered connection.
    BrokerTls(Tls),
    /// A TLS handshake failed, or the host broke it off.
    TlsFailed {
        /// What rustls says.
        error: String,
    },
    /// The host called a method.
    Call {
        /// `/package.Service/Method`.
        path: String,
        /// The header `grpc-encoding`.
        encoding: Option<String>,
    },
    /// A call was answered.
    Answered {
        /// `/package.Service/Method`.
        path: String,
    },
    /// The host sent HTTP/2 pings, so many so far.
    Pings {
        /// Answers to the server's own are not counted.
        count: u32,
    },
    /// An announcement came on `StartStream`.
    Announced {
        /// The id.
        id: u32,
        /// Its network.
        network: String,
        /// Its address.
        address: String,
        /// Whether it is a knock.
        knock: bool,
    },
    /// The request side of `StartStream` ended.
    BrokerEnded {
        /// Whether the host ended it in order; else the stream was broken off.
        half_closed: bool,
    },
    /// The fixture dialled what the host announced.
    Dialled(Dialled),
    /// All of the output that the plan asks for was taken.
    Drained {
        /// `stdout`, `stderr` or `stdio`.
        what: Output,
    },
    /// A signal came.
    Signal {
        /// Its name without `SIG`.
        name: String,
    },
    /// A process was started that outlives the fixture.
    Grandchild {
        /// Its id.
        pid: u32,
    },
    /// It is about to end by itself.
    Ending {
        /// Why.
        why: String,
    },
    /// It could not do what the plan says: a fault of the kit or the machine.
    Broken {
        /// Which.
        why: String,
    },
}

/// How a fixture plugin was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    /// Names and values, in order, a name that stands twice included.
    pub(crate) environment: Vec<(String, String)>,
    /// Open descriptors and what the kernel calls them.
    pub(crate) descriptors: Vec<(i32, String)>,
}

impl Started {
    /// The value of a variable; of several, the last.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let mut all = self.environment.iter().rev();
        all.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the first bytes of a connection tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Speaks {
    /// A TLS record.
    Tls,
    /// HTTP/2's preface.
    Http2,
    /// A frame of yamux.
    Yamux,
    /// Nothing came, or nothing that is known.
    Else,
}

/// One TLS handshake, seen from the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tls {
    /// Such as `TLSv1_3`; empty while the handshake is under way.
    pub(crate) version: String,
    /// The protocols that the host offered.
    pub(crate) alpn: Vec<String>,
    /// The server name that it sent.
    pub(crate) server_name: Option<String>,
    /// Whether it takes signatures of P-521 with SHA-512.
    pub(crate) verifies_p521: bool,
    /// What it presented, in DER, each in base64.
    pub(crate) certificates: Vec<String>,
}

/// One dial of a service that the host announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialled {
    /// The id.
    pub(crate) id: u32,
    /// Why it failed; `None` if the service answered.
    pub(crate) error: Option<String>,
    /// Whether the server asked for a client certificate.
    pub(crate) asked_for_certificate: bool,
    /// Whether it named no authorities, or the fixture's own among them.
    pub(crate) takes_authority: bool,
    /// Whether it takes signatures of P-521 with SHA-512.
    pub(crate) verifies_p521: bool,
    /// Whether it presented the host's exchanged certificate, alone.
    pub(crate) presents_exchanged: bool,
    /// Whether it selected `h2`.
    pub(crate) selected_h2: bool,
    /// Whether the service answered on a second connection, too.
    pub(crate) again: bool,
    /// Whether, under TLS, it answered somebody without a certificate.
    pub(crate) open_to_strangers: bool,
}

/// A way out of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Output {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
    /// The stdio stream.
    Stdio,
}
