//! What can be wrong, and which cases of the kit are to say so.

use std::sync::OnceLock;

/// One way to be wrong.
pub(crate) struct Wrong {
    pub(crate) name: &'static str,
    /// Names of cases, joined by commas. A strict check fails these and no other.
    pub(crate) fails: &'static str,
    pub(crate) about: &'static str,
}

static CHOSEN: OnceLock<&'static str> = OnceLock::new();

/// Chooses what is wrong; nothing for an empty name. False if there is no such
/// wrong.
pub(crate) fn choose(name: &str) -> bool {
    let known = WRONGS.iter().find(|wrong| wrong.name == name);
    let chosen = known.map_or("", |wrong| wrong.name);
    (known.is_some() || name.is_empty()) && CHOSEN.set(chosen).is_ok()
}

/// Whether this is what is wrong.
pub(crate) fn is(name: &str) -> bool {
    assert!(WRONGS.iter().any(|wrong| wrong.name == name), "`{name}` is not listed");
    CHOSEN.get().is_some_and(|chosen| *chosen == name)
}

macro_rules! wrongs {
    ($($name:literal $fails:literal $about:literal;)*) => {
        &[$(Wrong { name: $name, fails: $fails, about: $about },)*]
    };
}

#[rustfmt::skip]
pub(crate) const WRONGS: &[Wrong] = wrongs! {
    "cookie-ignored" "cookie-wrong,cookie-missing,cookie-compared-byte-for-byte,cookie-refusal-explained" "it never looks at the cookie";
    "cookie-in-any-case" "cookie-compared-byte-for-byte" "it compares the cookie without regard to case and space";
    "silent-refusal" "cookie-refusal-explained" "it refuses a wrong cookie without a word";

    "banner" "line-comes-first" "it prints a banner before its line";
    "crlf" "line-ends-with-lf" "its line ends with CR LF";
    "unended-line" "line-ends-with-lf" "its line has no end";
    "second-line" "line-comes-once,output-silent-after-line" "it prints its line again";
    "late-listener" "listens-by-the-line,failed-start-explained,socket-group-unknown,socket-path-fits" "it listens only after its line";
    "core-2" "line-core-version" "it prints core protocol version 2";
    "padded-version" "line-app-version" "it prints its version with a space before it";
    "network-in-capitals" "line-network" "it prints UNIX";
    "relative-address" "line-address" "it prints its socket's path from its working directory";
    "no-protocol" "line-protocol" "its field 5 is empty";
    "padded-certificate" "line-certificate" "it pads the base64 of its certificate";
    "certificate-unasked" "line-no-certificate" "it prints a certificate without AutoMTLS";
    "seventh-field" "line-no-seventh-field,line-no-seventh-field-if-empty" "it always prints field 7";

    "socket-elsewhere" "socket-in-directory,failed-start-explained" "its socket is in TMPDIR";
    "socket-of-one-name" "socket-names-differ,socket-replaces-no-file" "its socket has always the same name, and replaces what has it";
    "group-ignored" "socket-group-by-number,socket-group-by-name,socket-group-unknown" "it ignores the group for its main socket";
    "reads-stdin" "stdin-left-alone" "it reads its standard input";
    "orphan" "ends-with-host" "it outlives its host";

    "lowest-version" "highest-common-version" "it chooses the lowest common version";
    "highest-fallback" "lowest-version-if-none-matches,lowest-version-if-none-offered" "it chooses its highest version if none matches";
    "strict-versions" "strange-versions-skipped,padded-versions-borne" "it does not start if an item of the list is no number";

    "any-client" "other-client-refused" "it takes any client that has some certificate";
    "no-alpn" "alpn-h2" "it selects no protocol by ALPN";
    "other-certificate" "certificate-as-announced" "it presents another certificate than it announces";
    "no-name" "certificate-names-localhost" "its certificate has no alternative name";
    "server-only" "certificate-for-both-roles" "its certificate is for servers alone";
    "not-yet-valid" "certificate-valid-now,certificate-backdated" "its certificate is valid from tomorrow";
    "no-p521" "p521-host-served,p521-signatures-offered" "it cannot verify P-521";
    "authorities" "no-excluding-authorities" "it lists an authority that is nobody's";
    "one-handshake-at-a-time" "slow-peer-blocks-nobody" "it accepts nobody while it shakes hands";
    "tls-1-3-alone" "tls-1-2" "it does not speak TLS 1.2";

    "not-serving" "health-of-plugin,health-of-all" "its health is NOT_SERVING";
    "knows-every-service" "health-of-nothing" "its health is SERVING whatever it is asked for";
    "no-controller" "controller-served" "it serves no controller";
    "waits-for-streams" "shutdown-with-streams-open,shutdown-with-a-call-under-way" "it ends when its streams do";
    "status-1" "shutdown-status-0" "it ends with status 1";
    "leaves-its-socket" "socket-removed" "it leaves its main socket behind";
    "dies-of-sigint" "sigint-ignored" "SIGINT ends it";

    "large-pieces" "stdio-pieces" "it sends prints in one piece";
    "empty-pieces" "stdio-channels" "it sends empty pieces between prints";
    "one-reader" "stdio-opened-again" "it serves the stdio stream once";
    "blocks-unread" "prints-without-reader" "its prints wait for a reader";
    "milliseconds" "record-timestamp,record-keys-not-replaced" "its records have three digits of a second";
    "warning" "record-level,log-in-records" "its records have a level called warning";
    "fields-first" "record-keys-not-replaced" "fields replace a record's own";

    "one-id" "broker-ids-count-up,broker-ids-differ" "it uses one broker id again and again";
    "announces-first" "broker-listens-first" "it announces before it listens";
    "knocks-unasked" "broker-announcement" "its announcements hold a knock";
    "brokered-anyone" "brokered-client-checked" "its brokered connections take any client that has some certificate";
    "leaves-brokered-sockets" "brokered-sockets-removed" "it leaves its brokered sockets behind";
    "any-host" "dial-back-checks-host" "it dials whoever listens, whatever the certificate";
    "dials-unnamed" "dial-back-server-name" "it sends another server name";
    "dials-again" "announcement-used-once" "it dials an announcement as often as it is asked";
    "dials-anything" "strange-network-refused" "it takes any network for a Unix socket";
    "waits-for-ever" "unannounced-id-given-up,dial-ends-with-stream" "it waits without limit for an announcement";
    "impatient" "late-announcement-awaited" "it wants an announcement to be there when it dials";
};
