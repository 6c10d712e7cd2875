//! The environment of a plugin process, as a pure function of the host's.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::Path;

use crate::spec::{Cookie, Environment};

/// A variable's name and value.
pub(crate) type Variable = (OsString, OsString);

/// What the protocol adds to a plugin's environment.
#[derive(Debug)]
pub(crate) struct ProtocolVariables<'a> {
    pub(crate) cookie: &'a Cookie,
    pub(crate) versions: &'a [u32],
    /// The host's certificate, under AutoMTLS.
    pub(crate) certificate_pem: Option<&'a str>,
    pub(crate) multiplex: bool,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) socket_group: Option<&'a str>,
    /// The private directory for sockets and temporary files.
    pub(crate) directory: &'a Path,
}

/// What a service manager tells the host alone: a plugin that took these for its own
/// would answer in the host's name.
const SERVICE_MANAGER: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
];

/// Composes the environment: what the profile lets through of the host's, then
/// what the definition adds, then the protocol's. A later value wins; go-plugin
/// lets the host's own variables win over the definition's, which helps nobody.
pub(crate) fn compose(
    environment: &Environment,
    host: impl Iterator<Item = Variable>,
    protocol: &ProtocolVariables<'_>,
) -> Vec<Variable> {
    let mut composed: Vec<Variable> = host.filter(|(name, _)| passes(environment, name)).collect();
    for (name, value) in &environment.add {
        set(&mut composed, name, Some(value.as_ref()));
    }
    let versions: Vec<String> = protocol.versions.iter().map(u32::to_string).collect();
    let (versions, first, last) =
        (versions.join(","), protocol.ports.start().to_string(), protocol.ports.end().to_string());
    // What is not asked for must not be there, whoever would add it.
    let protocol_s_own: [(&str, Option<&OsStr>); 9] = [
        ("PLUGIN_MIN_PORT", Some(first.as_ref())),
        ("PLUGIN_MAX_PORT", Some(last.as_ref())),
        ("PLUGIN_PROTOCOL_VERSIONS", Some(versions.as_ref())),
        ("PLUGIN_CLIENT_CERT", protocol.certificate_pem.map(OsStr::new)),
        ("PLUGIN_MULTIPLEX_GRPC", protocol.multiplex.then_some(OsStr::new("true"))),
        ("PLUGIN_UNIX_SOCKET_GROUP", protocol.socket_group.map(OsStr::new)),
        ("PLUGIN_UNIX_SOCKET_DIR", Some(protocol.directory.as_os_str())),
        // Plugins on go-plugin before 1.5 put their sockets into the temporary
        // directory and leave them there when they are killed.
        ("TMPDIR", Some(protocol.directory.as_os_str())),
        (&protocol.cookie.key, Some(protocol.cookie.value.as_ref())),
    ];
    for (name, value) in protocol_s_own {
        set(&mut composed, name, value);
    }
    composed
}

/// Makes a variable stand once, or not at all.
fn set(composed: &mut Vec<Variable>, name: &str, value: Option<&OsStr>) {
    composed.retain(|(known, _)| known != name);
    composed.extend(value.map(|value| (name.into(), value.to_owned())));
}

fn passes(environment: &Environment, name: &OsStr) -> bool {
    match &environment.pass {
        Some(names) => names.iter().any(|allowed| name == OsStr::new(allowed)),
        None => {
            let bytes = name.as_encoded_bytes();
            // A host that is itself a plugin would hand its own identity on; and its
            // name in traces is not its plugins'.
            name != "OTEL_SERVICE_NAME"
                && !bytes.starts_with(b"PLUGIN_")
                && !bytes.starts_with(b"OUTRIGGER")
                && !SERVICE_MANAGER.iter().any(|name| bytes == name.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose_for(
        environment: &Environment,
        host: &[(&str, &str)],
        change: impl FnOnce(&mut ProtocolVariables<'_>),
    ) -> Vec<(String, String)> {
        let cookie = Cookie { key: "COOKIE".into(), value: "v".into() };
        let mut protocol = ProtocolVariables {
            cookie: &cookie,
            versions: &[0, 2, 11],
            certificate_pem: Some("PEM"),
            multiplex: false,
            ports: 10_000..=25_000,
            socket_group: None,
            directory: Path::new("/run/x"),
        };
        change(&mut protocol);
        let host = host.iter().map(|(name, value)| (name.into(), value.into()));
        let text = |text: OsString| text.into_string().unwrap();
        compose(environment, host, &protocol).into_iter().map(|(n, v)| (text(n), text(v))).collect()
    }

    fn composed(environment: &Environment, host: &[(&str, &str)]) -> Vec<(String, String)> {
        compose_for(environment, host, |_| {})
    }

    fn value<'a>(composed: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = composed.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert_eq!(found.next(), None, "{name} stands twice");
        value
    }

    #[test]
    fn compat_passes_the_host_s_variables_but_none_of_the_protocol_s() {
        let host = [
            ("HOME", "/home/x"),
            ("PLUGIN_CLIENT_CERT", "inherited"),
            ("PLUGIN_MULTIPLEX_GRPC", "true"),
            ("OUTRIGGER__BASE_DIR", "/x"),
            ("COOKIE", "inherited"),
            ("TMPDIR", "/tmp"),
        ];
        let composed = composed(&Environment::default(), &host);
        assert_eq!(value(&composed, "HOME"), Some("/home/x"));
        assert_eq!(value(&composed, "PLUGIN_CLIENT_CERT"), Some("PEM"));
        assert_eq!(value(&composed, "PLUGIN_MULTIPLEX_GRPC"), None);
        assert_eq!(value(&composed, "OUTRIGGER__BASE_DIR"), None);
        assert_eq!(value(&composed, "COOKIE"), Some("v"));
        assert_eq!(value(&composed, "TMPDIR"), Some("/run/x"));
        assert_eq!(value(&composed, "PLUGIN_PROTOCOL_VERSIONS"), Some("0,2,11"));
    }

    #[test]
    fn compat_keeps_what_a_service_manager_tells_the_host_alone() {
        let host = SERVICE_MANAGER.map(|name| (name, "inherited"));
        let composed = composed(&Environment::default(), &host);
        for name in SERVICE_MANAGER {
            assert_eq!(value(&composed, name), None, "{name}");
        }
    }

    #[test]
    fn strict_passes_what_is_listed_and_nothing_else() {
        let environment =
            Environment { pass: Some(vec!["PATH".into()]), add: vec![("A".into(), "1".into())] };
        let composed = composed(&environment, &[("PATH", "/bin"), ("HOME", "/root"), ("A", "0")]);
        assert_eq!(value(&composed, "PATH"), Some("/bin"));
        assert_eq!(value(&composed, "HOME"), None);
        assert_eq!(value(&composed, "A"), Some("1"));
    }

    #[test]
    fn what_was_not_asked_for_is_not_there_whoever_adds_it() {
        let names = ["PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC", "PLUGIN_UNIX_SOCKET_GROUP"];
        let environment = Environment {
            pass: Some(names.map(str::to_owned).to_vec()),
            add: names.map(|name| (name.to_owned(), "added".to_owned())).to_vec(),
        };
        let host = names.map(|name| (name, "inherited"));
        let composed = compose_for(&environment, &host, |protocol| protocol.certificate_pem = None);
        for name in names {
            assert_eq!(value(&composed, name), None);
        }
    }

    #[test]
    fn what_was_asked_for_is_said_as_go_plugin_says_it() {
        let composed = compose_for(&Environment::default(), &[], |protocol| {
            protocol.multiplex = true;
            protocol.socket_group = Some("staff");
            protocol.ports = 40_000..=40_010;
        });
        let rows = [
            ("PLUGIN_CLIENT_CERT", "PEM"),
            ("PLUGIN_MULTIPLEX_GRPC", "true"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "staff"),
            ("PLUGIN_UNIX_SOCKET_DIR", "/run/x"),
            ("PLUGIN_MIN_PORT", "40000"),
            ("PLUGIN_MAX_PORT", "40010"),
        ];
        for (name, expected) in rows {
            assert_eq!(value(&composed, name), Some(expected), "{name}");
        }
    }
}
