//! Fetches distributions, signatures and keys from a plugin central.
