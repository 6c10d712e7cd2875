//! The handshake line as it came, read with more patience than any host has: a
//! plugin with one fault is to fail the case of that fault, and not all others.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::wire::Address;

/// A shorter field 6 is no certificate.
const SHORTEST_CERTIFICATE: usize = 50;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    Lf,
    CrLf,
    /// Not at all, in the time that it was waited for.
    Missing,
}

/// A line that might be a handshake.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// What came on standard output before it.
    pub(crate) before: Vec<u8>,
    pub(crate) text: String,
    pub(crate) end: LineEnd,
    pub(crate) fields: Vec<String>,
}

impl Line {
    /// The first line of `output` with the bars of a handshake. One that has not
    /// ended is taken only if `unended` says so.
    pub(crate) fn find(output: &[u8], unended: bool) -> Option<Self> {
        let mut start = 0;
        while start < output.len() {
            let end = output[start..].iter().position(|byte| *byte == b'\n');
            let piece = &output[start..end.map_or(output.len(), |end| start + end)];
            let (piece, ended) = match (end, piece.strip_suffix(b"\r")) {
                (Some(_), Some(piece)) => (piece, LineEnd::CrLf),
                (Some(_), None) => (piece, LineEnd::Lf),
                (None, _) => (piece, LineEnd::Missing),
            };
            let text = String::from_utf8_lossy(piece).into_owned();
            let fields: Vec<String> = text.split('|').map(str::to_owned).collect();
            if fields.len() > 3 && (end.is_some() || unended) {
                return Some(Self { before: output[..start].to_owned(), text, end: ended, fields });
            }
            start += piece.len() + if ended == LineEnd::CrLf { 2 } else { 1 };
        }
        None
    }

    /// A field, counted from 1 as the book does; empty where there is none.
    pub(crate) fn field(&self, number: usize) -> &str {
        self.fields.get(number - 1).map_or("", String::as_str)
    }

    /// The line for people: long fields, as certificates are, cut.
    pub(crate) fn shown(&self) -> String {
        const LONGEST: usize = 100;
        let cut = |field: &String| match field.char_indices().nth(LONGEST) {
            None => field.clone(),
            Some((at, _)) => format!("{}…", &field[..at]),
        };
        self.fields.iter().map(cut).collect::<Vec<_>>().join("|")
    }

    /// Fields 3 and 4. A relative path is taken from `directory`.
    pub(crate) fn address(&self, directory: &Path) -> Option<Address> {
        let address = self.field(4).trim();
        if self.field(3).trim().to_ascii_lowercase().starts_with("tcp") {
            let (host, port) = address.rsplit_once(':')?;
            let host = match host.trim_matches(['[', ']']) {
                "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
                host => host.parse().ok()?,
            };
            return Some(Address::Tcp(SocketAddr::new(host, port.parse().ok()?)));
        }
        (!address.is_empty()).then(|| Address::Unix(directory.join(address)))
    }

    /// Field 2, if it is a number.
    pub(crate) fn version(&self) -> Option<u32> {
        self.field(2).trim().parse().ok()
    }

    /// The certificate of field 6 in DER, however it is written.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        let text: String = self.field(6).chars().filter(|c| !c.is_whitespace()).collect();
        if text.len() <= SHORTEST_CERTIFICATE {
            return None;
        }
        let padding = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true);
        [&alphabet::STANDARD, &alphabet::URL_SAFE]
            .into_iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, padding).decode(&text).ok())
    }

    /// Whether field 7 says that it multiplexes.
    pub(crate) fn multiplexes(&self) -> bool {
        matches!(self.field(7).trim(), "1" | "t" | "T" | "TRUE" | "true" | "True")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_beneath_a_banner_and_before_its_end() {
        let output = b"welcome\n1|1|unix|/run/p|grpc|";
        assert!(Line::find(output, false).is_none());
        let line = Line::find(output, true).unwrap();
        assert_eq!((line.end, line.before.as_slice()), (LineEnd::Missing, &b"welcome\n"[..]));
        assert_eq!(line.field(5), "grpc");
        assert_eq!(line.field(7), "");
    }

    #[test]
    fn its_end_is_told_apart() {
        assert_eq!(Line::find(b"1|1|tcp|:1|grpc\r\n", false).unwrap().end, LineEnd::CrLf);
        assert_eq!(Line::find(b"\n\n1|1|tcp|:1|grpc\nx", false).unwrap().end, LineEnd::Lf);
        assert!(Line::find(b"one\ntwo|three\n", true).is_none());
    }

    #[test]
    fn addresses_are_read_as_a_host_would_and_more() {
        let address =
            |text: &str| Line::find(text.as_bytes(), true).unwrap().address(Path::new("/d"));
        assert_eq!(address("1|1|unix|/a/b|grpc"), Some(Address::Unix("/a/b".into())));
        assert_eq!(address("1|1|unix|b|grpc"), Some(Address::Unix("/d/b".into())));
        let tcp = Some(Address::Tcp("127.0.0.1:80".parse().unwrap()));
        assert_eq!(address("1|1|tcp|:80|grpc"), tcp);
        assert_eq!(address("1|1|tcp|localhost:80|grpc"), tcp);
        assert_eq!(address("1|1|tcp|nowhere|grpc"), None);
    }

    #[test]
    fn a_certificate_is_read_in_every_alphabet() {
        let der: Vec<u8> = (0..=255).collect();
        for engine in [
            base64::engine::general_purpose::STANDARD,
            base64::engine::general_purpose::URL_SAFE_NO_PAD,
        ] {
            let text = format!("1|1|unix|/p|grpc|{}|true", engine.encode(&der));
            let line = Line::find(text.as_bytes(), true).unwrap();
            assert_eq!(line.certificate().as_ref(), Some(&der));
            assert!(line.multiplexes());
        }
    }
}
