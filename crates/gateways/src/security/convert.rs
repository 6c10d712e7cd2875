//! From messages to values: what a plugin answers is checked, never trusted.

use std::time::SystemTime;

use outrigger_proto::quorum as proto;
use prost_types::Timestamp;

use super::{AuthenticationToken, GrantedAuthority, TlsConfiguration};

/// Most authorities of one token.
const MOST_AUTHORITIES: usize = 4_096;
/// Most cipher suites of one configuration.
const MOST_SUITES: usize = 1_024;
/// Largest certificate chain or key, in bytes.
const LARGEST_PEM: usize = 1 << 20;

pub(super) fn tls(
    data: Option<proto::tls_configuration::Data>,
) -> Result<Option<TlsConfiguration>, String> {
    let Some(data) = data else { return Ok(None) };
    for (what, pem) in [("certificate", &data.cert_pem), ("key", &data.key_pem)] {
        if pem.is_empty() {
            return Err(format!("a TLS configuration without a {what}"));
        }
        if pem.len() > LARGEST_PEM {
            return Err(format!(
                "a {what} of {} bytes, where {LARGEST_PEM} are allowed",
                pem.len()
            ));
        }
    }
    if data.cipher_suites.len() > MOST_SUITES {
        return Err(format!("{} cipher suites", data.cipher_suites.len()));
    }
    let suites = data.cipher_suites.iter().map(|suite| u16::try_from(*suite));
    let suites = suites.collect::<Result<Vec<u16>, _>>();
    let cipher_suites = suites.map_err(|_| "cipher suite value overflow".to_owned())?;
    Ok(Some(TlsConfiguration::new(data.cert_pem, data.key_pem, cipher_suites)))
}

pub(super) fn token(
    token: proto::PreAuthenticatedAuthenticationToken,
) -> Result<AuthenticationToken, String> {
    if token.authorities.len() > MOST_AUTHORITIES {
        return Err(format!("a token with {} authorities", token.authorities.len()));
    }
    let authority = |it: proto::GrantedAuthority| GrantedAuthority {
        service: it.service,
        method: it.method,
        raw: it.raw,
    };
    let authorities = token.authorities.into_iter().map(authority).collect();
    let expires_at = token.expired_at.as_ref().and_then(time);
    Ok(AuthenticationToken::new(token.raw_token, expires_at, authorities))
}

/// A moment of the years 1 to 9999; everything else is no timestamp.
fn time(at: &Timestamp) -> Option<SystemTime> {
    const YEAR_1: i64 = -62_135_596_800;
    const YEAR_10000: i64 = 253_402_300_800;
    let valid =
        (YEAR_1..YEAR_10000).contains(&at.seconds) && (0..1_000_000_000).contains(&at.nanos);
    valid.then(|| SystemTime::try_from(*at).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::{Duration, UNIX_EPOCH};

    fn data(suites: &[u32]) -> proto::tls_configuration::Data {
        proto::tls_configuration::Data {
            key_pem: Bytes::from_static(b"key"),
            cert_pem: Bytes::from_static(b"certificate"),
            cipher_suites: suites.to_vec(),
        }
    }

    #[test]
    fn a_tls_configuration_keeps_its_suites_and_an_overflow_is_refused() {
        assert_eq!(tls(None), Ok(None));
        let kept = tls(Some(data(&[0xc030, 0xffff]))).unwrap().unwrap();
        assert_eq!(kept.cipher_suites, [0xc030, 0xffff]);
        assert_eq!(tls(Some(data(&[0x1_0000]))), Err("cipher suite value overflow".to_owned()));
        let without = |change: fn(&mut proto::tls_configuration::Data)| {
            let mut data = data(&[]);
            change(&mut data);
            tls(Some(data)).unwrap_err()
        };
        assert!(without(|data| data.key_pem = Bytes::new()).contains("without a key"));
        assert!(without(|data| data.cert_pem = Bytes::new()).contains("without a certificate"));
        let large = |data: &mut proto::tls_configuration::Data| {
            data.key_pem = Bytes::from(vec![b'x'; LARGEST_PEM + 1]);
        };
        assert!(without(large).contains("bytes"));
        assert!(without(|data| data.cipher_suites = vec![1; 2_000]).contains("2000"));
    }

    #[test]
    fn only_a_moment_that_exists_is_a_token_s_end() {
        let of = |seconds, nanos| {
            let expired_at = Some(Timestamp { seconds, nanos });
            let wire =
                proto::PreAuthenticatedAuthenticationToken { expired_at, ..Default::default() };
            token(wire).unwrap().expires_at
        };
        assert_eq!(of(1, 5), Some(UNIX_EPOCH + Duration::new(1, 5)));
        assert_eq!(of(-1, 0), Some(UNIX_EPOCH - Duration::from_secs(1)));
        for (seconds, nanos) in [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)] {
            assert_eq!(of(seconds, nanos), None, "{seconds} {nanos}");
        }
        let without = proto::PreAuthenticatedAuthenticationToken::default();
        assert_eq!(token(without).unwrap().expires_at, None);
    }

    #[test]
    fn a_token_with_authorities_without_end_is_refused() {
        let authorities = vec![proto::GrantedAuthority::default(); MOST_AUTHORITIES + 1];
        let wire = proto::PreAuthenticatedAuthenticationToken { authorities, ..Default::default() };
        assert!(token(wire).unwrap_err().contains("4097"));
    }
}
