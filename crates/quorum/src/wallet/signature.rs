//! A plugin's signature, believed only when it is the account's.

use alloy_primitives::{Address, B256, Signature, U256, uint};
use outrigger::account;

use super::WalletError;

/// The order of secp256k1's group, from its definition in SEC 2.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// Checks a signature's form, and that an account made it of a hash.
pub(super) fn checked(
    account: Address,
    hash: B256,
    given: account::Signature,
) -> Result<Signature, WalletError> {
    let bad = |what| WalletError::BadSignature { account, what };
    let [bytes @ .., v] = given.0;
    let y_parity = match v {
        0 => false,
        1 => true,
        _ => return Err(bad("V is neither 0 nor 1")),
    };
    let signature = Signature::from_bytes_and_parity(&bytes, y_parity);
    for (what, value) in [
        ("R is not within the curve's order", signature.r()),
        ("S is not within the curve's order", signature.s()),
    ] {
        if value.is_zero() || value >= ORDER {
            return Err(bad(what));
        }
    }
    // Since Homestead no node takes the other of the two.
    if signature.s() > ORDER >> 1 {
        return Err(bad("S is not in the lower half of the curve's order"));
    }
    let by = signature.recover_address_from_prehash(&hash).map_err(|_| bad("no key gives it"))?;
    if by != account {
        return Err(WalletError::ForeignSignature { account, by });
    }
    Ok(signature)
}
