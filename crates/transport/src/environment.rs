//! The environment of a plugin process, as a pure function of the host's.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::spec::{Cookie, Environment};

/// A variable's name and value.
pub(crate) type Variable = (OsString, OsString);

/// What the protocol adds to a plugin's environment.
#[derive(Debug)]
pub(crate) struct ProtocolVariables<'a> {
    pub(crate) cookie: &'a Cookie,
    pub(crate) versions: &'a [u32],
    pub(crate) certificate_pem: &'a str,
    /// The private directory for sockets and temporary files.
    pub(crate) directory: &'a Path,
}

/// Composes the environment: what the profile lets through of the host's, then
/// what the definition adds, then the protocol's. A later value wins; go-plugin
/// lets the host's own variables win over the definition's, which helps nobody.
pub(crate) fn compose(
    environment: &Environment,
    host: impl Iterator<Item = Variable>,
    protocol: &ProtocolVariables<'_>,
) -> Vec<Variable> {
    let mut composed: Vec<Variable> = host.filter(|(name, _)| passes(environment, name)).collect();
    let mut set = |name: &OsStr, value: OsString| {
        composed.retain(|(known, _)| known != name);
        composed.push((name.to_owned(), value));
    };
    for (name, value) in &environment.add {
        set(OsStr::new(name), value.into());
    }
    let versions: Vec<String> = protocol.versions.iter().map(u32::to_string).collect();
    // go-plugin's own default range; it is what plugins on TCP listen within.
    for (name, value) in [("PLUGIN_MIN_PORT", "10000"), ("PLUGIN_MAX_PORT", "25000")] {
        set(OsStr::new(name), value.into());
    }
    set(OsStr::new("PLUGIN_PROTOCOL_VERSIONS"), versions.join(",").into());
    set(OsStr::new("PLUGIN_CLIENT_CERT"), protocol.certificate_pem.into());
    set(OsStr::new("PLUGIN_UNIX_SOCKET_DIR"), protocol.directory.into());
    // Plugins on go-plugin before 1.5 put their sockets into the temporary
    // directory and leave them there when they are killed.
    set(OsStr::new("TMPDIR"), protocol.directory.into());
    set(OsStr::new(&protocol.cookie.key), (&protocol.cookie.value).into());
    composed
}

fn passes(environment: &Environment, name: &OsStr) -> bool {
    match &environment.pass {
        Some(names) => names.iter().any(|allowed| name == OsStr::new(allowed)),
        None => {
            let bytes = name.as_encoded_bytes();
            // A host that is itself a plugin would hand its own identity on.
            !bytes.starts_with(b"PLUGIN_") && !bytes.starts_with(b"OUTRIGGER")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(environment: &Environment, host: &[(&str, &str)]) -> Vec<(String, String)> {
        let cookie = Cookie { key: "COOKIE".into(), value: "v".into() };
        let protocol = ProtocolVariables {
            cookie: &cookie,
            versions: &[1, 5],
            certificate_pem: "PEM",
            directory: Path::new("/run/x"),
        };
        let host = host.iter().map(|(name, value)| (name.into(), value.into()));
        let text = |text: OsString| text.into_string().unwrap();
        compose(environment, host, &protocol).into_iter().map(|(n, v)| (text(n), text(v))).collect()
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
        assert_eq!(value(&composed, "PLUGIN_PROTOCOL_VERSIONS"), Some("1,5"));
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
}
