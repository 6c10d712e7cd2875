//! Section 1: launch and environment.

use std::path::Path;
use std::time::Duration;

use crate::host::case::{HostCase, table};
use crate::host::plan::Start;
use crate::host::seen::{Outcome, Seen};
use crate::host::trial::{POISON, POISON_NUMBER, Poison, Program, Trial, line, with};
use crate::report::Verdict;

/// Longest path of a Unix socket on Linux, less a name in a directory.
const LONGEST_DIRECTORY: usize = 107 - 24;

/// Variables that a host sets only sometimes.
const OPTIONAL: [&str; 4] = [
    "PLUGIN_CLIENT_CERT",
    "PLUGIN_MULTIPLEX_GRPC",
    "PLUGIN_UNIX_SOCKET_DIR",
    "PLUGIN_UNIX_SOCKET_GROUP",
];

pub(super) const CASES: &[HostCase] = table! {
    "1.1" "cookie-is-set" Must Any,
    "the cookie's variable holds the cookie's value" => Trial::default(), cookie;

    "1.5" "versions-are-joined-by-commas" Must Any,
    "PLUGIN_PROTOCOL_VERSIONS holds decimal numbers, joined by single commas, without spaces"
        => Trial::default(), versions;

    "1.6" "ports-are-both-set" Should Any,
    "PLUGIN_MIN_PORT and PLUGIN_MAX_PORT are set, the first not above the second"
        => Trial::default(), ports;

    "1.7" "certificate-is-set-for-mutual-tls-alone" Must Any,
    "PLUGIN_CLIENT_CERT is set if the host does AutoMTLS, and only then"
        => Trial::default(), certificate;

    "1.8" "multiplexing-is-asked-for-by-true-alone" Must Any,
    "PLUGIN_MULTIPLEX_GRPC is `true` if the host multiplexes, and missing otherwise"
        => Trial::default(), multiplex;

    "1.9" "inherited-variables-are-not-handed-on" Must Any,
    "variables of the protocol that the host itself was started with do not reach the plugin"
        => Trial { poison: Poison::Optional, ..Trial::default() }, not_inherited;

    "1.10" "own-values-win-over-inherited-ones" Must Any,
    "cookie, versions and ports are the host's own, whatever it was started with"
        => Trial { poison: Poison::Always, ..Trial::default() }, own_values;

    "1.11" "socket-directory-can-be-used" Must Any,
    "PLUGIN_UNIX_SOCKET_DIR, where it is set, names an existing directory by a short absolute path"
        => Trial::default(), socket_directory;

    "1.12" "temporary-directory-is-the-socket-directory" Should Any,
    "TMPDIR is PLUGIN_UNIX_SOCKET_DIR, where that is set" => Trial::default(), temporary_directory;

    "1.22" "output-is-two-pipes" Must Any,
    "standard output and error are two pipes, and not the host's own" => Trial::default(), pipes;

    "1.22" "no-descriptor-is-handed-on" Must Any,
    "the plugin has no descriptor but the three standard ones" => Trial::default(), descriptors;

    "1.23" "silence-is-limited" Must Any,
    "a plugin that prints nothing is given up and ended, in the host's own start time"
        => Trial { patient: true, ..with(|plan| plan.start = Start::Silence) },
        |seen| { seen.refused()?; seen.no_plugin_left() };

    "1.24" "a-refused-plugin-is-ended" Must Any,
    "a plugin whose line is refused is ended, and what was made for it is removed"
        => line("no handshake"), ended_and_removed;

    "1.25" "a-failed-launch-names-the-program" Must Any,
    "a program that cannot be executed is an error that names its path"
        => Trial { program: Program::NoInterpreter, ..Trial::default() }, launch_failed;
};

fn cookie(seen: &Seen) -> Outcome {
    let (name, value) = &seen.cookie;
    match seen.variable(name)? {
        Some(found) if found == value => Ok(()),
        Some(found) => Err(Verdict::fail(format!("{name}={found}"))),
        None => Err(Verdict::fail(format!("{name} is not set"))),
    }
}

fn versions(seen: &Seen) -> Outcome {
    let name = "PLUGIN_PROTOCOL_VERSIONS";
    let Some(list) = seen.variable(name)? else {
        return Err(Verdict::fail(format!("{name} is not set")));
    };
    let number = |item: &str| !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_digit());
    if list.split(',').all(number) {
        return Ok(());
    }
    Err(Verdict::fail(format!("{name}={list}")))
}

fn ports(seen: &Seen) -> Outcome {
    let port = |name: &str| -> Result<u16, Verdict> {
        let value = seen.variable(name)?;
        let port = value.and_then(|value| value.parse().ok());
        port.ok_or_else(|| Verdict::fail(format!("{name}={}", value.unwrap_or("(not set)"))))
    };
    let (least, most) = (port("PLUGIN_MIN_PORT")?, port("PLUGIN_MAX_PORT")?);
    if least <= most {
        return Ok(());
    }
    Err(Verdict::fail(format!("from {least} to {most}")))
}

fn certificate(seen: &Seen) -> Outcome {
    let set = seen.variable("PLUGIN_CLIENT_CERT")?.is_some_and(|pem| !pem.is_empty());
    match (seen.plain, set) {
        (true, true) => Err(Verdict::fail("it is set, though the host does no TLS")),
        (false, false) => Err(Verdict::fail("it is not set; --plain checks a host without TLS")),
        _ => Ok(()),
    }
}

fn multiplex(seen: &Seen) -> Outcome {
    match (seen.multiplex, seen.variable("PLUGIN_MULTIPLEX_GRPC")?) {
        (true, Some("true")) | (false, None) => Ok(()),
        (_, None) => Err(Verdict::fail("it is not set; without --mux that is right")),
        (_, Some(value)) => Err(Verdict::fail(format!("PLUGIN_MULTIPLEX_GRPC={value}"))),
    }
}

fn not_inherited(seen: &Seen) -> Outcome {
    let environment = &seen.started()?.environment;
    let mut handed_on = environment
        .iter()
        .filter(|(name, value)| OPTIONAL.contains(&name.as_str()) && value == POISON);
    match handed_on.next() {
        None => Ok(()),
        Some((name, value)) => Err(Verdict::fail(format!("{name}={value} was handed on"))),
    }
}

fn own_values(seen: &Seen) -> Outcome {
    let environment = &seen.started()?.environment;
    let names = ["PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", &seen.cookie.0];
    let mut stale = environment.iter().filter(|(name, value)| {
        names.contains(&name.as_str()) && (value == POISON || value == POISON_NUMBER)
    });
    match stale.next() {
        None => Ok(()),
        Some((name, value)) => Err(Verdict::fail(format!("the inherited {name}={value} is there"))),
    }
}

fn socket_directory(seen: &Seen) -> Outcome {
    let Some(directory) = seen.variable("PLUGIN_UNIX_SOCKET_DIR")? else {
        return Err(Verdict::not_applicable("the host sets no PLUGIN_UNIX_SOCKET_DIR"));
    };
    let why = if !Path::new(directory).is_absolute() {
        "it is not absolute"
    } else if directory.len() > LONGEST_DIRECTORY {
        "it is too long for sockets in it"
    } else if !seen.socket_was_made_in(directory) {
        "no socket could be made in it"
    } else {
        return Ok(());
    };
    Err(Verdict::fail(format!("PLUGIN_UNIX_SOCKET_DIR={directory}: {why}")))
}

fn temporary_directory(seen: &Seen) -> Outcome {
    let Some(directory) = seen.variable("PLUGIN_UNIX_SOCKET_DIR")? else {
        return Err(Verdict::not_applicable("the host sets no PLUGIN_UNIX_SOCKET_DIR"));
    };
    match seen.variable("TMPDIR")? {
        Some(temporary) if temporary == directory => Ok(()),
        other => Err(Verdict::fail(format!("TMPDIR={}", other.unwrap_or("(not set)")))),
    }
}

fn pipes(seen: &Seen) -> Outcome {
    let descriptors = &seen.started()?.descriptors;
    let target = |wanted: i32| {
        let found = descriptors.iter().find(|(number, _)| *number == wanted);
        found.map_or("(closed)", |(_, target)| target.as_str())
    };
    let (output, error) = (target(1), target(2));
    let pipe = |target: &str| target.starts_with("pipe:") || target.starts_with("socket:");
    let own = |target: &str| seen.streams.iter().any(|stream| stream == target);
    if pipe(output) && pipe(error) && output != error && !own(output) && !own(error) {
        return Ok(());
    }
    let whose = if own(output) || own(error) { ", the host's own" } else { "" };
    Err(Verdict::fail(format!("1 is {output}, 2 is {error}{whose}")))
}

fn descriptors(seen: &Seen) -> Outcome {
    let script = seen.plugin_path.to_string_lossy();
    let more = seen.started()?.descriptors.iter().filter(|(number, target)| {
        // A host may execute the very file that it has opened and verified.
        *number > 2 && *target != script && !seen.inherited.contains(target)
    });
    let more: Vec<String> = more.map(|(number, target)| format!("{number} is {target}")).collect();
    if more.is_empty() {
        return Ok(());
    }
    Err(Verdict::fail(more.join(", ")))
}

fn ended_and_removed(seen: &Seen) -> Outcome {
    seen.refused()?;
    seen.no_plugin_left()?;
    seen.nothing_left()
}

fn launch_failed(seen: &Seen) -> Outcome {
    seen.ended_within(Duration::from_secs(10), Duration::ZERO, "its start")?;
    if seen.end.status.is_some_and(|status| status.success()) {
        return Err(seen.failed("it exited with 0"));
    }
    let path = seen.plugin_path.to_string_lossy();
    if seen.end.output.contains(&*path) {
        return Ok(());
    }
    Err(seen.failed("its output does not name the program's path"))
}
