//! Why a handshake line cannot be used.

use super::CORE_VERSION;

/// Why a handshake line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The line has fewer than four fields or no numbers in front.
    #[error(
        "it printed `{line}` where a handshake line was expected; it is no go-plugin plugin, or something prints to its standard output first"
    )]
    NotAHandshake {
        /// The line, escaped and cut.
        line: String,
    },
    /// The handshake is of another generation of go-plugin.
    #[error(
        "it speaks core protocol version {theirs}, this host speaks {CORE_VERSION}; rebuild the plugin with a current go-plugin"
    )]
    CoreVersion {
        /// What the plugin printed.
        theirs: String,
    },
    /// The application protocol version is no number.
    #[error(
        "its application protocol version is `{theirs}`, which is no number; rebuild the plugin"
    )]
    AppVersionSyntax {
        /// What the plugin printed.
        theirs: String,
    },
    /// The host does not speak the plugin's application protocol version.
    #[error("it speaks application protocol version {theirs}, this host speaks {}; install a version of the plugin made for this host, or a newer host", list(.ours))]
    AppVersion {
        /// What the plugin chose.
        theirs: i64,
        /// What the host offered.
        ours: Vec<u32>,
    },
    /// The network is neither `unix` nor `tcp`.
    #[error("it listens on network `{network}`; only `unix` and `tcp` are known")]
    Network {
        /// What the plugin printed.
        network: String,
    },
    /// The address is malformed or not local.
    #[error("its address `{address}` is refused: {reason}")]
    Address {
        /// What the plugin printed.
        address: String,
        /// Why.
        reason: &'static str,
    },
    /// The plugin speaks go-plugin's old protocol on Go's net/rpc.
    #[error(
        "it speaks net/rpc, which only Go programs can; rebuild the plugin with gRPC (go-plugin's `GRPCServer`)"
    )]
    NetRpc,
    /// The protocol is not gRPC.
    #[error("it speaks protocol `{protocol}`; this host speaks `grpc`")]
    Protocol {
        /// What the plugin printed.
        protocol: String,
    },
    /// The certificate field is malformed.
    #[error(
        "its certificate is malformed: {reason}; it must be unpadded standard base64 of one X.509 certificate in DER"
    )]
    Certificate {
        /// Why.
        reason: &'static str,
    },
    /// The plugin does not multiplex, and the host asked for it.
    #[error(
        "it does not multiplex its broker ({}), which this host asked for; rebuild the plugin with go-plugin 1.6 or newer, or let the host not ask", if *.missing { "its line has no seventh field" } else { "its seventh field is false" }
    )]
    NotMultiplexed {
        /// Whether it says nothing about it, as plugins before go-plugin 1.6.
        missing: bool,
    },
    /// The multiplex field is no boolean.
    #[error("its multiplexing field `{field}` is no boolean; it must be `true`, as the host asked")]
    Multiplex {
        /// What the plugin printed.
        field: String,
    },
}

fn list(versions: &[u32]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}
