//! When a token says that it ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

/// Padding and trailing bits do not matter, as nothing is verified.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The claim `exp` of a JWT, which may stand after a scheme and a space. The
/// payload is base64, URL-safe as the standard for JWTs has it, or not, as
/// GoQuorum reads it.
pub(super) fn end(token: &str) -> Option<SystemTime> {
    let jwt = token.split_once(' ').map_or(token, |(_, jwt)| jwt);
    let payload = jwt.split('.').nth(1)?;
    let payload = payload.replace('+', "-").replace('/', "_");
    let claims: Claims = serde_json::from_slice(&LENIENT.decode(payload).ok()?).ok()?;
    let since = Duration::try_from_secs_f64(claims.exp).ok()?;
    UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_jwt_is_read_in_both_forms_of_base64() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        for (token, expected) in [
            // {"exp":4000000000}
            ("bearer e30.eyJleHAiOjQwMDAwMDAwMDB9.x", at(4_000_000_000)),
            ("e30.eyJleHAiOjQwMDAwMDAwMDB9.x", at(4_000_000_000)),
            ("bearer e30.eyJleHAiOjQwMDAwMDAwMDB9", at(4_000_000_000)),
            // {"s":"???>>>","exp":7}, with padding and without
            ("bearer e30.eyJzIjoiPz8_Pj4-IiwiZXhwIjo3fQ==.x", at(7)),
            ("bearer e30.eyJzIjoiPz8_Pj4-IiwiZXhwIjo3fQ.x", at(7)),
            ("bearer e30.eyJzIjoiPz8/Pj4+IiwiZXhwIjo3fQ.x", at(7)),
            // {"exp":-1}, {"exp":"7"}, {"exp":1e400}, {}
            ("bearer e30.eyJleHAiOi0xfQ.x", None),
            ("bearer e30.eyJleHAiOiI3In0.x", None),
            ("bearer e30.eyJleHAiOjFlNDAwfQ.x", None),
            ("bearer e30.e30.x", None),
            ("", None),
            ("bearer", None),
            ("bearer opaque", None),
            ("bearer a.b.c", None),
            ("bearer ..", None),
        ] {
            assert_eq!(end(token), expected, "{token}");
        }
    }
}
