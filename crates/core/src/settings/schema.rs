//! The keys that settings have, once, for every source.

/// What a key's value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text: a path, a duration, a size, a name.
    Text,
    /// A truth value.
    Flag,
    /// A whole number, not negative.
    Count,
    /// A list of texts.
    Texts,
    /// A table of texts whose keys are names of variables.
    Variables,
    /// A plugin's configuration, which nobody here looks into.
    Config,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table of tables with these keys, one for each instance.
    Instances(&'static [Key]),
}

/// One key, spelled as in JSON.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

impl Key {
    /// The name in TOML, which is a Go field's.
    pub(super) fn toml_name(&self) -> String {
        let (first, rest) = self.name.split_at(1);
        first.to_ascii_uppercase() + rest
    }
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind }
}

/// The whole of settings.
pub(super) const SETTINGS: &[Key] = &[
    key("baseDir", Kind::Text),
    key("central", Kind::Table(CENTRAL)),
    key("verification", Kind::Table(VERIFICATION)),
    key("providers", Kind::Instances(PROVIDER)),
    key("runDir", Kind::Text),
    key("launcher", Kind::Text),
    key("timeouts", Kind::Table(TIMEOUTS)),
    key("restart", Kind::Table(RESTART)),
    key("calls", Kind::Table(CALLS)),
    key("unpack", Kind::Table(UNPACK)),
];

const VERIFICATION: &[Key] =
    &[key("fingerprints", Kind::Texts), key("identity", Kind::Text), key("downgrade", Kind::Text)];

const PROVIDER: &[Key] = &[
    key("name", Kind::Text),
    key("version", Kind::Text),
    key("config", Kind::Config),
    key("configForm", Kind::Text),
    key("interface", Kind::Text),
    key("reload", Kind::Text),
    key("required", Kind::Flag),
    key("sandbox", Kind::Table(&[key("env", Kind::Texts)])),
    key("timeouts", Kind::Table(TIMEOUTS)),
    key("restart", Kind::Table(RESTART)),
    key("calls", Kind::Table(CALLS)),
    key("after", Kind::Texts),
    key("spare", Kind::Count),
    key("largestMessage", Kind::Text),
    key("socketGroup", Kind::Text),
    key("ports", Kind::Text),
    key("checksum", Kind::Text),
    key("tls", Kind::Table(TLS)),
    key("multiplex", Kind::Flag),
    key("variables", Kind::Variables),
];

const TLS: &[Key] = &[
    key("mode", Kind::Text),
    key("certificate", Kind::Text),
    key("key", Kind::Text),
    key("roots", Kind::Text),
    key("serverName", Kind::Text),
];

const CENTRAL: &[Key] = &[
    key("baseURL", Kind::Text),
    key("certFingerprint", Kind::Text),
    key("publicKeyURI", Kind::Text),
    key("insecureSkipTLSVerify", Kind::Flag),
    key("pluginDistPathTemplate", Kind::Text),
    key("pluginSigPathTemplate", Kind::Text),
    key("mirrors", Kind::Texts),
    key("header", Kind::Text),
    key("netrc", Kind::Text),
    key("clientCertificate", Kind::Text),
    key("clientKey", Kind::Text),
    key("proxy", Kind::Text),
];

const TIMEOUTS: &[Key] = &[
    key("start", Kind::Text),
    key("initialise", Kind::Text),
    key("healthInterval", Kind::Text),
    key("healthTimeout", Kind::Text),
    key("healthMisses", Kind::Count),
    key("drain", Kind::Text),
    key("shutdown", Kind::Text),
    key("terminate", Kind::Text),
    key("kill", Kind::Text),
    key("probation", Kind::Text),
    key("call", Kind::Text),
    key("reloadQueue", Kind::Text),
];

const RESTART: &[Key] = &[
    key("failures", Kind::Count),
    key("window", Kind::Text),
    key("failuresPerHour", Kind::Count),
    key("backoff", Kind::Text),
    key("backoffLimit", Kind::Text),
    key("probe", Kind::Text),
    key("probeLimit", Kind::Text),
    key("circuit", Kind::Flag),
    key("strategy", Kind::Text),
];

const CALLS: &[Key] = &[
    key("inFlight", Kind::Count),
    key("queue", Kind::Count),
    key("wait", Kind::Text),
    key("retries", Kind::Count),
    key("outlier", Kind::Table(OUTLIER)),
];

const OUTLIER: &[Key] =
    &[key("failures", Kind::Count), key("close", Kind::Text), key("closeLimit", Kind::Text)];

const UNPACK: &[Key] = &[
    key("archiveSize", Kind::Text),
    key("totalSize", Kind::Text),
    key("fileSize", Kind::Text),
    key("metadataSize", Kind::Text),
    key("entries", Kind::Count),
    key("depth", Kind::Count),
    key("ratio", Kind::Count),
];

/// The name that looks most like `text`, if any looks like it at all.
pub(super) fn nearest(text: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let text: Vec<char> = text.chars().take(64).flat_map(char::to_lowercase).collect();
    names
        .map(|name| {
            let other: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
            (distance(&text, &other), other.len(), name)
        })
        .filter(|(distance, len, _)| *distance <= len.div_ceil(3))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., name)| name)
}

/// Edits between two texts: inserted, deleted and replaced characters.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_names_are_the_go_fields() {
        let names: Vec<String> = CENTRAL.iter().map(Key::toml_name).collect();
        assert_eq!(
            names,
            [
                "BaseURL",
                "CertFingerprint",
                "PublicKeyURI",
                "InsecureSkipTLSVerify",
                "PluginDistPathTemplate",
                "PluginSigPathTemplate",
                "Mirrors",
                "Header",
                "Netrc",
                "ClientCertificate",
                "ClientKey",
                "Proxy"
            ]
        );
    }

    #[test]
    fn the_nearest_name_is_near() {
        for (text, expect) in [
            ("provider", Some("providers")),
            ("bsaedir", Some("baseDir")),
            ("timeout", Some("timeouts")),
            ("comment", None),
            ("", None),
            ("\u{1f980}", None),
        ] {
            let names = SETTINGS.iter().map(|key| key.name.to_owned());
            assert_eq!(nearest(text, names).as_deref(), expect, "{text}");
        }
    }
}
