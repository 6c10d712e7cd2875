//! Private state identifiers, as requests carry them.

use http::{HeaderMap, Uri};

/// The private state of whoever names none.
pub const DEFAULT: &str = "private";

/// The header that names one.
pub const HEADER: &str = "Quorum-PSI";

/// The query parameter that names one, where no header does.
pub const PARAMETER: &str = "PSI";

/// Longest identifier that is looked at, in bytes.
const LONGEST: usize = 256;

/// The private state that an HTTP request names, by its header or else by its
/// URL. One that is empty or longer than 256 bytes is none.
#[must_use]
pub fn of_request(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let named = |psi: &String| !psi.is_empty() && psi.len() <= LONGEST;
    header.filter(named).or_else(|| of_query(uri.query()?).filter(named))
}

fn of_query(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == PARAMETER).then_some(value)
    })?;
    let mut bytes = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                // Two hexadecimal digits always fit into one byte.
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The id of a request over a transport without headers, such as IPC:
/// `"PS1/7"`.
#[must_use]
pub fn encode_id(psi: &str, id: u64) -> String {
    format!("\"{psi}/{id}\"")
}

/// The private state in a request's id; [`DEFAULT`] where it holds none.
#[must_use]
pub fn decode_id(id: &str) -> &str {
    let id = id.trim_matches('"');
    id.split_once('/').map_or(DEFAULT, |(psi, _)| psi)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: Option<&str>, uri: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(HEADER, header.parse().unwrap());
        }
        of_request(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn a_private_state_comes_from_the_header_or_else_from_the_url() {
        assert_eq!(of(None, "/"), None);
        assert_eq!(of(None, "/?PSI=PS1").as_deref(), Some("PS1"));
        assert_eq!(of(None, "/x?a=b&PSI=PS%201+x").as_deref(), Some("PS 1 x"));
        assert_eq!(of(Some("PS2"), "/?PSI=PS1").as_deref(), Some("PS2"));
        assert_eq!(of(Some(""), "/?PSI=PS1").as_deref(), Some("PS1"));
        for uri in ["/?psi=PS1", "/?PSI", "/?PSI=", "/?PSI=%zz", "/?PSI=%f"] {
            assert_eq!(of(None, uri), None, "{uri}");
        }
        assert_eq!(of(Some(&"x".repeat(300)), "/"), None);
    }

    #[test]
    fn a_request_s_id_carries_a_private_state_and_a_malformed_one_the_default() {
        assert_eq!(encode_id("PS1", 7), r#""PS1/7""#);
        assert_eq!(decode_id(&encode_id("PS1", 7)), "PS1");
        for id in ["7", r#""7""#, "", "\""] {
            assert_eq!(decode_id(id), DEFAULT, "{id}");
        }
    }
}
