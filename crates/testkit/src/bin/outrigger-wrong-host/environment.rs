//! What the plugin is started with.

use std::path::Path;

use outrigger_sdk::quorum;

use crate::Wrong;
use crate::identity::Identity;

/// What a host sets or keeps out.
const PROTOCOL: [&str; 7] = [
    "PLUGIN_PROTOCOL_VERSIONS",
    "PLUGIN_MIN_PORT",
    "PLUGIN_MAX_PORT",
    "PLUGIN_CLIENT_CERT",
    "PLUGIN_MULTIPLEX_GRPC",
    "PLUGIN_UNIX_SOCKET_DIR",
    "PLUGIN_UNIX_SOCKET_GROUP",
];

/// What a host always sets.
const ALWAYS: [&str; 4] = [PROTOCOL[0], PROTOCOL[1], PROTOCOL[2], quorum::COOKIE_KEY];

/// The versions that this host speaks.
pub(crate) const VERSIONS: [u32; 2] = [1, 3];

/// Names to remove, and names and values to set.
pub(crate) fn compose(
    wrong: &Wrong,
    identity: &Identity,
    directory: &Path,
) -> (Vec<&'static str>, Vec<(String, String)>) {
    let versions = if wrong.is("padded-versions") { "1, 3" } else { "1,3" };
    let pem = identity.pem();
    let pem = if wrong.is("crlf-pem") { pem.replace('\n', "\r\n") } else { pem.to_owned() };
    let mut set = vec![
        (PROTOCOL[0], versions.to_owned()),
        (PROTOCOL[1], "10000".to_owned()),
        (PROTOCOL[2], "25000".to_owned()),
        (PROTOCOL[3], pem),
    ];
    if wrong.is("mux-false") {
        set.push((PROTOCOL[4], "false".to_owned()));
    }
    let sockets = if wrong.is("no-socket-directory") {
        "/nonexistent/directory".to_owned()
    } else {
        directory.display().to_string()
    };
    set.push((PROTOCOL[5], sockets.clone()));
    set.push(("TMPDIR", directory.display().to_string()));
    if wrong.is("no-socket-directory") {
        set.retain(|(name, _)| *name != "TMPDIR");
    }
    if !wrong.is("no-cookie") {
        set.push((quorum::COOKIE_KEY, quorum::COOKIE_VALUE.to_owned()));
    }
    let always = |name: &str| ALWAYS.contains(&name);
    let mut removed = if wrong.is("hands-on") { Vec::new() } else { PROTOCOL.to_vec() };
    removed.push(quorum::COOKIE_KEY);
    if wrong.is("inherited-wins") {
        removed.retain(|name| !always(name));
        set.retain(|(name, _)| !always(name) || std::env::var_os(name).is_none());
    }
    let set = set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (removed, set)
}
