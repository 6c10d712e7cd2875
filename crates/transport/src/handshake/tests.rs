//! Every form of the line that is known to exist, and what becomes of it.

use proptest::prelude::*;

use super::*;

fn unix(path: &str) -> Address {
    Address::Unix(path.into())
}

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp { host: host.into(), port }
}

const OFFER: Offer<'_> = Offer { versions: &[1, 5], multiplex: false, translated: false };

fn parse(line: &str) -> Result<HandshakeLine, HandshakeError> {
    HandshakeLine::parse(line, OFFER)
}

/// As a host that asked for a multiplexed broker.
fn parse_multiplexed(line: &str) -> Result<HandshakeLine, HandshakeError> {
    HandshakeLine::parse(line, Offer { multiplex: true, ..OFFER })
}

/// A certificate's DER and its text in a line.
fn certificate_and_field() -> (Vec<u8>, String) {
    let der = crate::identity::Identity::generate().unwrap().der().to_vec();
    let field = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&der);
    (der, field)
}

#[test]
fn forms_that_plugins_print_are_read() {
    let rows: &[(&str, u32, Address)] = &[
        ("1|1|unix|/tmp/plugin1234|grpc|", 1, unix("/tmp/plugin1234")),
        ("1|1|unix|/tmp/plugin1234|grpc||true", 1, unix("/tmp/plugin1234")),
        ("1|1|unix|/tmp/p|grpc||F|junk|more", 1, unix("/tmp/p")),
        ("1|5|tcp|127.0.0.1:1234|grpc", 5, tcp("127.0.0.1", 1234)),
        ("1|+1|tcp|:1234|grpc", 1, tcp("127.0.0.1", 1234)),
        ("1|1|tcp|localhost:1234|grpc", 1, tcp("localhost", 1234)),
        ("1|1|tcp|[::1]:1234|grpc", 1, tcp("::1", 1234)),
        ("  1|1|unix|/tmp/p|grpc|  \r\n", 1, unix("/tmp/p")),
        // 48 characters of something else, as plugins of 2017 sent.
        (&format!("1|1|unix|/p|grpc|{}", "e".repeat(48)), 1, unix("/p")),
    ];
    for (line, app_version, address) in rows {
        let parsed = parse(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        assert_eq!(parsed.app_version, *app_version, "{line:?}");
        assert_eq!(parsed.address, *address, "{line:?}");
        assert_eq!(parsed.certificate, None, "{line:?}");
    }
}

#[test]
fn certificates_are_read_with_and_without_padding() {
    let (der, field) = certificate_and_field();
    let padded = base64::engine::general_purpose::STANDARD.encode(&der);
    for field in [field, padded] {
        let parsed = parse(&format!("1|1|unix|/p|grpc|{field}")).unwrap();
        assert_eq!(parsed.certificate.as_deref(), Some(der.as_slice()));
    }
}

#[test]
fn versions_are_any_numbers_and_errors_name_both_sides_versions() {
    for version in [0, 2, 5, 11, 2_147_483_647] {
        let offer = Offer { versions: &[0, 2, 5, 11, 2_147_483_647], ..OFFER };
        let parsed = HandshakeLine::parse(&format!("1|{version}|unix|/p|grpc"), offer).unwrap();
        assert_eq!(parsed.app_version, version);
    }
    let offer = Offer { versions: &[0, 11], ..OFFER };
    let error = HandshakeLine::parse("1|2|unix|/p|grpc", offer).unwrap_err();
    let expected = "it speaks application protocol version 2, this host speaks 0, 11; \
                    install a version of the plugin made for this host, or a newer host";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_seventh_field_counts_when_it_was_asked_for_and_is_not_looked_at_otherwise() {
    let (_, certificate) = certificate_and_field();
    for yes in ["1", "t", "T", "TRUE", "true", "True"] {
        assert!(parse_multiplexed(&format!("1|1|unix|/p|grpc||{yes}")).is_ok(), "{yes}");
        assert!(parse_multiplexed(&format!("1|1|unix|/p|grpc|{certificate}|{yes}|x")).is_ok());
    }
    for no in ["0", "f", "F", "FALSE", "false", "False"] {
        let error = parse_multiplexed(&format!("1|1|unix|/p|grpc||{no}")).unwrap_err();
        assert_eq!(error, HandshakeError::NotMultiplexed { missing: false }, "{no}");
    }
    for missing in ["1|1|unix|/p|grpc", "1|1|unix|/p|grpc|"] {
        let error = parse_multiplexed(missing).unwrap_err();
        assert_eq!(error, HandshakeError::NotMultiplexed { missing: true });
        assert!(error.to_string().contains("go-plugin 1.6 or newer"), "{error}");
    }
    for strange in ["", "maybe", "tRue", "2", "true "] {
        let line = format!("1|1|unix|/p|grpc||{strange}|");
        let error = parse_multiplexed(&line).unwrap_err();
        assert!(matches!(error, HandshakeError::Multiplex { .. }), "{strange:?}: {error}");
        assert!(parse(&line).is_ok(), "{strange:?}");
    }
}

#[test]
fn only_a_translated_address_may_be_of_another_machine() {
    let line = "1|1|tcp|172.17.0.2:1234|grpc";
    assert!(parse(line).is_err());
    let translated = HandshakeLine::parse(line, Offer { translated: true, ..OFFER }).unwrap();
    assert_eq!(translated.address, tcp("172.17.0.2", 1234));
}

#[test]
fn url_safe_or_overlong_certificates_are_refused() {
    let (_, certificate) = certificate_and_field();
    let url_safe = certificate.replace(['+', '/'], "-") + "_-";
    // Base64, and no certificate.
    let none = "A".repeat(400);
    for field in [url_safe, none, "!".repeat(60), "A".repeat(8 * 1024 + 4)] {
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
        ("1|2|unix|/p|grpc", "it speaks application protocol version 2, this host speaks 1, 5;"),
        ("1|-1|unix|/p|grpc", "it speaks application protocol version -1"),
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
    fn no_bytes_make_the_scanner_or_the_parser_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..80,
    ) {
        let mut scanner = LineScanner::default();
        let lines = bytes.chunks(size).find_map(|piece| match scanner.push(piece, |_| {}) {
            Scanned::Line(line) => Some(line),
            _ => None,
        });
        let _ = parse_multiplexed(&lines.unwrap_or_default());
        let _ = parse_multiplexed(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn what_the_plugin_side_writes_is_what_the_host_reads(
        path in "/[ -{}-~]{1,80}[!-{}-~]",
        tcp_port in prop::option::of(1u16..),
        app_version in prop::sample::select(vec![0u32, 2, 5, 11, i32::MAX as u32]),
        certified in any::<bool>(),
        multiplex in prop::option::of(any::<bool>()),
    ) {
        let address = match tcp_port {
            Some(port) => tcp(["127.0.0.1", "::1"][usize::from(port) % 2], port),
            None => unix(&path),
        };
        let certificate = certified.then(|| certificate_and_field().0);
        let line = format_line(app_version, &address, certificate.as_deref(), multiplex);
        let offer = Offer { versions: &[app_version], multiplex: multiplex == Some(true), ..OFFER };
        prop_assert!(looks_like_handshake(&line));
        let parsed = HandshakeLine::parse(&line, offer).unwrap();
        prop_assert_eq!(parsed, HandshakeLine { app_version, address, certificate });
    }
}
