//! A private key as text, checked before it leaves the node. The order of the
//! checks and their texts are GoQuorum's.

use std::cmp::Ordering;

/// The order of secp256k1's group, from its definition in SEC 2.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Checks that a text is 64 hexadecimal digits of a key in the curve's range.
pub(super) fn check(text: &str) -> Result<(), String> {
    let digits = text.as_bytes();
    if let Some(at) = digits.iter().position(|digit| !digit.is_ascii_hexdigit()) {
        // The one wrong character tells nobody the key.
        let wrong = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\u{fffd}');
        return Err(format!("invalid hex character {wrong:?} in private key"));
    }
    if !digits.len().is_multiple_of(2) {
        return Err("invalid hex data for private key".to_owned());
    }
    if digits.len() != 64 {
        return Err("invalid length, need 256 bits".to_owned());
    }
    if digits.iter().all(|digit| *digit == b'0') {
        return Err("invalid private key, zero or negative".to_owned());
    }
    let order = ORDER.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let key = digits.iter().map(|digit| match digit {
        b'0'..=b'9' => digit - b'0',
        other => (other | 0x20) - b'a' + 10,
    });
    if key.cmp(order) == Ordering::Less {
        return Ok(());
    }
    Err("invalid private key, >=N".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_is_refused_in_goquorum_s_words() {
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let zeros = "0".repeat(64);
        let length = "invalid length, need 256 bits";
        for (text, expected) in [
            ("aaaaaa", length),
            ("", length),
            ("aaa", "invalid hex data for private key"),
            ("0xaa", "invalid hex character 'x' in private key"),
            ("zz", "invalid hex character 'z' in private key"),
            ("aé", "invalid hex character 'é' in private key"),
            (&zeros, "invalid private key, zero or negative"),
            (order, "invalid private key, >=N"),
            (&"f".repeat(64), "invalid private key, >=N"),
            (&"a".repeat(66), length),
        ] {
            assert_eq!(check(text).unwrap_err(), expected, "{text:?}");
        }
        let largest = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364140";
        check(largest).unwrap();
        check(&format!("{}1", "0".repeat(63))).unwrap();
    }
}
