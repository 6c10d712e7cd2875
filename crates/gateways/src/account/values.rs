//! Addresses, accounts and signatures, checked when they are made.

use std::fmt;
use std::str::FromStr;

/// An account's address: 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

/// A text or bytes that are no address. The text is GoQuorum's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid hex address: {0}")]
pub struct AddressError(pub String);

/// Where an account's key is kept: `scheme://path`, or empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AccountUrl {
    /// The scheme; empty where the whole is.
    pub scheme: String,
    /// What follows `://`.
    pub path: String,
}

/// An account of a wallet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// Its address.
    pub address: Address,
    /// Where its key is kept.
    pub url: AccountUrl,
}

/// A recoverable signature: R, S, and V, which is 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 65]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TryFrom<&[u8]> for Address {
    type Error = AddressError;

    fn try_from(bytes: &[u8]) -> Result<Self, AddressError> {
        let hex = || bytes.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
        bytes.try_into().map(Self).map_err(|_| AddressError(hex()))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads 40 hexadecimal digits, with or without `0x`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.chars().take(64).collect());
        let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
        if digits.len() != 40 {
            return Err(wrong());
        }
        let mut address = [0; 20];
        for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or_else(wrong);
            // Two hexadecimal digits always fit into one byte.
            *byte = (digit(0)? * 16 + digit(1)?) as u8;
        }
        Ok(Self(address))
    }
}

impl FromStr for AccountUrl {
    type Err = &'static str;

    /// Reads nothing at all, or `scheme://path`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        match text.split_once("://") {
            Some((scheme, path)) if !scheme.is_empty() => {
                Ok(Self { scheme: scheme.to_owned(), path: path.to_owned() })
            }
            _ => Err("protocol scheme missing"),
        }
    }
}

impl fmt::Display for AccountUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme.is_empty() {
            return f.write_str(&self.path);
        }
        write!(f, "{}://{}", self.scheme, self.path)
    }
}
