//! Every form of the line that is known to exist, and what becomes of it.

use proptest::prelude::*;

use super::*;

fn unix(path: &str) -> Address {
    Address::Unix(path.into())
}

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp { host: host.into(), port }
}

fn parse(line: &str) -> Result<HandshakeLine, HandshakeError> {
    HandshakeLine::parse(line, &[1, 5])
}

#[test]
fn forms_that_plugins_print_are_read() {
    let rows: &[(&str, u32, Address, Option<bool>)] = &[
        ("1|1|unix|/tmp/plugin1234|grpc|", 1, unix("/tmp/plugin1234"), None),
        ("1|1|unix|/tmp/plugin1234|grpc||true", 1, unix("/tmp/plugin1234"), Some(true)),
        ("1|1|unix|/tmp/p|grpc||F|junk|more", 1, unix("/tmp/p"), Some(false)),
        ("1|5|tcp|127.0.0.1:1234|grpc", 5, tcp("127.0.0.1", 1234), None),
        ("1|+1|tcp|:1234|grpc", 1, tcp("127.0.0.1", 1234), None),
        ("1|1|tcp|localhost:1234|grpc", 1, tcp("localhost", 1234), None),
        ("1|1|tcp|[::1]:1234|grpc", 1, tcp("::1", 1234), None),
        ("  1|1|unix|/tmp/p|grpc|  \r\n", 1, unix("/tmp/p"), None),
        // 48 characters of something else, as plugins of 2017 sent.
        (&format!("1|1|unix|/p|grpc|{}", "e".repeat(48)), 1, unix("/p"), None),
    ];
    for (line, app_version, address, multiplex) in rows {
        let parsed = parse(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!(parsed.app_version, *app_version, "{line:?}");
        assert_eq!(parsed.address, *address, "{line:?}");
        assert_eq!(parsed.multiplex, *multiplex, "{line:?}");
        assert_eq!(parsed.certificate, None, "{line:?}");
    }
}

#[test]
fn certificates_are_read_with_and_without_padding() {
    let der = vec![0xfb; 100];
    for padding in ["", "=="] {
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&der);
        let parsed = parse(&format!("1|1|unix|/p|grpc|{text}{padding}")).unwrap();
        assert_eq!(parsed.certificate.as_deref(), Some(der.as_slice()));
    }
}

#[test]
fn url_safe_or_overlong_certificates_are_refused() {
    for field in ["-_".repeat(40), "!".repeat(60), "A".repeat(8 * 1024 + 4)] {
        let error = parse(&format!("1|1|unix|/p|grpc|{field}")).unwrap_err();
        assert!(matches!(error, HandshakeError::Certificate { .. }), "{error}");
    }
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_do() {
    let rows = [
        ("", "it printed ``"),
        ("1|1|unix", "it printed `1|1|unix`"),
        ("x|1|unix|/p|grpc", "it is no go-plugin plugin"),
        ("2|1|unix|/p|grpc", "it speaks core protocol version 2, this host speaks 1"),
        ("1|x|unix|/p|grpc", "its application protocol version is `x`, which is no number"),
        ("1|2|unix|/p|grpc", "it chose application protocol version 2, this host speaks 1, 5;"),
        ("1|-1|unix|/p|grpc", "it chose application protocol version -1"),
        ("1|1|udp|1.2.3.4:5|grpc", "it listens on network `udp`"),
        ("1|1|unix|@abstract|grpc", "abstract sockets have no owner"),
        ("1|1|unix|relative|grpc", "a Unix socket needs an absolute path"),
        ("1|1|unix||grpc", "a Unix socket needs an absolute path"),
        ("1|1|tcp|10.0.0.1:22|grpc", "only loopback addresses are dialled"),
        ("1|1|tcp|example.org:22|grpc", "only loopback addresses are dialled"),
        ("1|1|tcp|127.0.0.1|grpc", "`host:port` is expected"),
        ("1|1|tcp|127.0.0.1:0|grpc", "port 0 cannot be dialled"),
        ("1|1|tcp|127.0.0.1:99999|grpc", "the port is no number"),
        ("1|1|tcp|127.0.0.1:1234", "it speaks net/rpc"),
        ("1|1|tcp|127.0.0.1:1234|netrpc", "it speaks net/rpc"),
        ("1|1|unix|/p|", "it speaks protocol ``"),
        ("1|1|unix|/p|http", "it speaks protocol `http`"),
        ("1|1|unix|/p|grpc||maybe", "its multiplexing field `maybe` is no boolean"),
    ];
    for (line, text) in rows {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(text), "{line:?} gave {error:?}, expected {text:?}");
    }
}

#[test]
fn what_a_plugin_prints_cannot_forge_log_lines() {
    let error = parse("\u{1b}[31mred\nnext").unwrap_err().to_string();
    assert!(!error.contains(['\u{1b}', '\n']), "{error:?}");
    assert!(parse(&"x".repeat(100_000)).unwrap_err().to_string().len() < 600);
}

#[test]
fn banners_and_logs_do_not_look_like_a_handshake() {
    for line in ["", "Hello", "a|b|c|d", "1|1", "2026-11-21 | INFO | x | y", "[1|2|3|4]"] {
        assert!(!looks_like_handshake(line), "{line:?}");
    }
    for line in ["1|1|unix|/p", " 1|1|unix|/p|grpc|\n", "2|1|tcp|:1|grpc"] {
        assert!(looks_like_handshake(line), "{line:?}");
    }
}

proptest! {
    #[test]
    fn no_line_makes_the_parser_panic(line in ".*") {
        let _ = parse(&line);
        let _ = looks_like_handshake(&line);
    }

    #[test]
    fn no_fields_make_the_parser_panic(fields in proptest::collection::vec("[ -~]{0,60}", 0..9)) {
        let _ = parse(&fields.join("|"));
    }

    #[test]
    fn what_the_plugin_side_writes_is_what_the_host_reads(
        path in "/[a-z0-9/]{1,80}",
        certificate in proptest::option::of(proptest::collection::vec(any::<u8>(), 60..900)),
    ) {
        let address = unix(&path);
        let line = format_line(5, &address, certificate.as_deref());
        let parsed = parse(&line).unwrap();
        prop_assert_eq!(parsed, HandshakeLine { app_version: 5, address, certificate, multiplex: None });
    }
}
