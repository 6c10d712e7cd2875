//! The version, and the line that says it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::wrong::is;
use crate::{VERSIONS, print};

/// The version to speak; an error where the list is taken too strictly.
pub(crate) fn version() -> Result<u32, String> {
    let list = std::env::var("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
    let items = list.split(',').filter(|item| !item.is_empty()).map(str::parse::<u32>);
    if is("strict-versions") && items.clone().any(|item| item.is_err()) {
        return Err(format!("`{list}` is no list of versions"));
    }
    let offered: Vec<u32> = items.filter_map(Result::ok).collect();
    let mut common = VERSIONS.iter().copied().filter(|version| offered.contains(version));
    let [lowest, highest] = VERSIONS;
    let chosen = if is("lowest-version") { common.next() } else { common.next_back() };
    Ok(chosen.unwrap_or(if is("highest-fallback") { highest } else { lowest }))
}

/// Prints the line.
pub(crate) fn announce(version: u32, socket: &Path, certificate: Option<&[u8]>) {
    let core = if is("core-2") { "2" } else { "1" };
    let space = if is("padded-version") { " " } else { "" };
    let network = if is("network-in-capitals") { "UNIX" } else { "unix" };
    let path = if is("relative-address") { relative(socket) } else { socket.to_owned() };
    let path = path.display();
    let protocol = if is("no-protocol") { "" } else { "grpc" };
    let unasked = is("certificate-unasked").then_some([0x30; 64].as_slice());
    let certificate = certificate.or(unasked).unwrap_or_default();
    let base64 = if is("padded-certificate") { STANDARD } else { STANDARD_NO_PAD };
    let certificate = base64.encode(certificate);
    let mut line = format!("{core}|{space}{version}|{network}|{path}|{protocol}|{certificate}");
    if is("seventh-field") {
        line.push_str("|false");
    }
    let end = match () {
        () if is("crlf") => "\r\n",
        () if is("unended-line") => "",
        () => "\n",
    };
    let line = format!("{line}{end}");
    print(&line);
    if is("second-line") {
        print(&line);
    }
}

/// A path as seen from the working directory.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    up.join(path.strip_prefix("/").unwrap_or(path))
}
