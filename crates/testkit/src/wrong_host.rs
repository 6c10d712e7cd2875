//! What the host that is wrong on purpose can be told to do wrong, and which
//! cases of `outrigger check --host` find that out.

/// One thing to do wrong.
#[derive(Debug, Clone, Copy)]
pub struct Wrong {
    /// The name behind `--wrong`.
    pub name: &'static str,
    /// The cases that fail, and no others.
    pub fails: &'static [&'static str],
}

macro_rules! wrongs {
    ($($name:literal => $($case:literal)+;)*) => {
        &[$(Wrong { name: $name, fails: &[$($case),+] }),*]
    };
}

/// All of them.
pub const WRONGS: &[Wrong] = wrongs! {
    "no-cookie" => "cookie-is-set";
    "padded-versions" => "versions-are-joined-by-commas";
    "mux-false" => "multiplexing-is-asked-for-by-true-alone";
    "hands-on" => "inherited-variables-are-not-handed-on";
    "inherited-wins" => "own-values-win-over-inherited-ones";
    "no-socket-directory" => "socket-directory-can-be-used";
    "one-pipe" => "output-is-two-pipes";
    "leaks-descriptor" => "no-descriptor-is-handed-on";
    "keeps-refused" => "a-refused-plugin-is-ended" "silence-is-limited" "line-is-limited"
        "connecting-is-limited";
    "names-no-program" => "a-failed-launch-names-the-program";
    "keeps-cr" => "line-may-end-with-crlf";
    "needs-line-feed" => "last-line-needs-no-line-feed";
    "any-core-version" => "other-core-version-is-refused" "both-core-versions-are-named";
    "udp-is-unix" => "other-network-is-refused" "other-network-is-named";
    "no-tcp" => "tcp-is-taken" "tcp-without-host-is-local";
    "no-bare-port" => "tcp-without-host-is-local";
    "seven-fields" => "seventh-field-is-not-looked-at-unasked"
        "fields-after-the-seventh-are-ignored";
    "patient" => "exit-without-a-line-fails-at-once" "end-of-output-without-a-line-fails-at-once";
    "leaves-stdout" => "standard-output-is-read-to-its-end" "standard-output-is-read-as-bytes";
    "certificate-optional" => "missing-certificate-is-refused";
    "any-version" => "version-that-was-not-offered-is-refused" "refused-version-is-explained";
    "any-certificate" => "another-certificate-is-refused";
    "any-signature" => "certificate-without-its-key-is-refused";
    "no-alpn" => "h2-is-offered";
    "other-name" => "server-name-is-localhost";
    "common-name" => "certificate-names-localhost";
    "client-only" => "certificate-serves-both-roles";
    "not-yet-valid" => "certificate-is-valid-now";
    "other-identity" => "exchanged-certificate-is-presented";
    "no-p521" => "p-521-is-verified";
    "crlf-pem" => "certificate-is-one-pem-block";
    "pings" => "no-pings-are-sent";
    "waits-for-headers" => "headers-of-streams-are-not-waited-for";
    "minds-health" => "not-serving-is-alive";
    "waits-for-health" => "health-checks-have-a-deadline";
    "half-closes" => "request-side-of-the-broker-stays-open";
    "two-brokers" => "broker-stream-is-opened-once";
    "needs-broker" => "missing-broker-is-borne" "missing-services-are-borne"
        "failed-broker-is-borne" "headers-of-streams-are-not-waited-for";
    "no-stdio" => "stdio-stream-is-opened-once";
    "leaves-stdio" => "stdio-stream-is-read";
    "minds-pieces" => "odd-pieces-are-ignored";
    "leaves-stderr" => "standard-error-is-read-to-its-end" "long-lines-of-the-log-are-borne";
    "trusts-records" => "records-that-are-none-are-borne";
    "impatient" => "plugin-is-given-time";
    "shutdown-must-be-answered" => "broken-answer-to-shutdown-is-good";
    "no-kill" => "plugin-that-ignores-shutdown-is-ended" "shutdown-has-a-deadline"
        "stopped-plugin-is-ended" "plugin-without-a-controller-is-ended";
    "waits-for-pipes" => "held-pipes-do-not-delay-the-host";
    "net-rpc-is-unknown" => "net-rpc-is-named";
};
