//! From messages to values: what a plugin answers is checked, never trusted.

use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::quorum as proto;

use super::{Account, Address, Signature};

/// Reasons that one list of accounts is logged with at most.
const REASONS: usize = 8;

pub(super) fn bytes(address: Address) -> Bytes {
    Bytes::copy_from_slice(&address.0)
}

/// A duration as the wire has it; one that is too long is the longest.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn account(account: &proto::Account) -> Result<Account, String> {
    let address = Address::try_from(&account.address[..]).map_err(|error| error.to_string())?;
    let url = account.url.parse().map_err(|problem| {
        format!("the account URL `{}`: {problem}", account.url.escape_debug())
    })?;
    Ok(Account { address, url })
}

/// The account that was made; the message is the plugin's to leave out.
pub(super) fn made(made: Option<proto::Account>) -> Result<Account, String> {
    let made = made.ok_or_else(|| "empty response from plugin: no account".to_owned())?;
    account(&made)
}

/// The accounts that are well formed, and what is wrong with some others.
pub(super) fn accounts(list: Vec<proto::Account>) -> (Vec<Account>, Vec<String>) {
    let mut malformed = Vec::new();
    let mut left_out = 0_usize;
    let mut accounts = Vec::with_capacity(list.len());
    for item in list {
        match account(&item) {
            Ok(account) => accounts.push(account),
            Err(what) if malformed.len() < REASONS => malformed.push(what),
            Err(_) => left_out += 1,
        }
    }
    if left_out > 0 {
        malformed.push(format!("{left_out} more are malformed"));
    }
    (accounts, malformed)
}

pub(super) fn signature(bytes: &[u8]) -> Result<Signature, String> {
    let Ok(signature) = <[u8; 65]>::try_from(bytes) else {
        return Err(format!("a signature of {} bytes, where 65 are due", bytes.len()));
    };
    match signature[64] {
        0 | 1 => Ok(Signature(signature)),
        other => Err(format!("a signature whose V is {other}, where 0 or 1 is due")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(address: &[u8], url: &str) -> proto::Account {
        proto::Account { address: Bytes::copy_from_slice(address), url: url.to_owned() }
    }

    #[test]
    fn account_urls_have_a_scheme_and_a_path_or_nothing() {
        let of = |url: &str| account(&wire(&[7; 20], url)).map(|account| account.url);
        let url = of("http://myurl:8000").unwrap();
        assert_eq!((url.scheme.as_str(), url.path.as_str()), ("http", "myurl:8000"));
        assert_eq!(url.to_string(), "http://myurl:8000");
        assert_eq!(of("").unwrap().to_string(), "");
        for bad in ["://noscheme:8000", "noscheme", "http:/x"] {
            let error = of(bad).unwrap_err();
            assert!(error.contains("protocol scheme missing"), "{bad}: {error}");
        }
    }

    #[test]
    fn what_is_no_account_is_refused_with_the_reason() {
        for length in [0, 19, 21, 32] {
            let error = account(&wire(&vec![0xab; length], "x://y")).unwrap_err();
            assert!(error.starts_with("invalid hex address: "), "{length}: {error}");
        }
        assert!(made(None).unwrap_err().starts_with("empty response from plugin"));
    }

    #[test]
    fn accounts_keep_their_order_and_the_malformed_are_left_out() {
        let mut list = vec![wire(&[2; 20], "x://2"), wire(&[9; 19], ""), wire(&[1; 20], "")];
        list.extend((0..20).map(|_| wire(&[], "")));
        let (accounts, malformed) = accounts(list);
        let firsts: Vec<u8> = accounts.iter().map(|account| account.address.0[0]).collect();
        assert_eq!(firsts, [2, 1]);
        assert_eq!(malformed.len(), REASONS + 1);
        assert_eq!(malformed[REASONS], "13 more are malformed");
    }

    #[test]
    fn a_signature_has_65_bytes_and_a_v_of_0_or_1() {
        assert_eq!(signature(&[1; 65]).unwrap(), Signature([1; 65]));
        for length in [0, 64, 66] {
            let error = signature(&vec![0; length]).unwrap_err();
            assert!(error.contains(&format!("{length} bytes")), "{error}");
        }
        for v in [2, 27, 28, 255] {
            let mut bytes = [0; 65];
            bytes[64] = v;
            assert!(signature(&bytes).unwrap_err().contains(&format!("V is {v}")));
        }
    }

    #[test]
    fn durations_are_nanoseconds() {
        assert_eq!(nanoseconds(Duration::from_nanos(1)), 1);
        assert_eq!(nanoseconds(Duration::MAX), i64::MAX);
    }
}
