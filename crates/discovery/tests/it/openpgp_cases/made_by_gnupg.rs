//! Keys and signatures made by GnuPG; `fixtures/pgp/README.md` says how.

use super::Case;
use crate::gpgv::fixture;

/// Case, key ring, signature.
const FIXTURES: [(&str, &str, &str); 29] = [
    ("GnuPG: RSA with 3072 bits", "rsa", "rsa"),
    ("GnuPG: RSA, digits and newline", "rsa", "rsa-newline"),
    ("GnuPG: RSA, digits with CR and LF", "rsa", "rsa-crlf"),
    ("GnuPG: RSA, digits in upper case", "rsa", "rsa-upper"),
    ("GnuPG: RSA with SHA-512", "rsa", "sha512"),
    ("GnuPG: Ed25519", "ed25519", "ed25519"),
    ("GnuPG: P-256", "p256", "p256"),
    ("GnuPG: DSA with 2048 bits", "dsa2048", "dsa2048"),
    ("GnuPG: a subkey that signs", "subkey", "subkey"),
    ("GnuPG: a ring with two keys", "two-keys", "p256"),
    ("GnuPG: a ring in two blocks", "two-blocks", "p256"),
    ("GnuPG: another digest", "rsa", "other-digest"),
    ("GnuPG: SHA-1", "rsa", "sha1"),
    ("GnuPG: MD5", "rsa", "md5"),
    ("GnuPG: RIPEMD-160", "rsa", "ripemd"),
    ("GnuPG: SHA-224", "rsa", "sha224"),
    ("GnuPG: a self-signature with SHA-1", "sha1-self", "sha1-self"),
    ("GnuPG: a text", "rsa", "text"),
    ("GnuPG: a critical notation", "rsa", "notation"),
    ("GnuPG: an expired signature", "rsa", "expired-signature"),
    ("GnuPG: made in 2099", "rsa", "future"),
    ("GnuPG: made before its key", "rsa", "before-key"),
    ("GnuPG: two signatures in one block", "rsa", "two"),
    ("GnuPG: RSA with 1024 bits", "rsa1024", "rsa1024"),
    ("GnuPG: DSA with 1024 bits", "dsa1024", "dsa1024"),
    ("GnuPG: secp256k1", "k256", "k256"),
    ("GnuPG: an expired key", "expired-key", "expired-key"),
    ("GnuPG: a revoked key", "revoked-key", "revoked-key"),
    ("GnuPG: a key that is not in the ring", "p256", "rsa"),
];

/// The same for subkeys, and what is no detached signature at all.
const OTHERS: [(&str, &str, &str); 4] = [
    ("GnuPG: a revoked subkey", "revoked-subkey", "revoked-subkey"),
    ("GnuPG: an expired subkey", "expired-subkey", "expired-subkey"),
    ("GnuPG: a signed text in clear", "rsa", "cleartext"),
    ("GnuPG: a signed message", "rsa", "message"),
];

pub(super) fn all() -> Vec<Case> {
    let read = |&(name, ring, signature): &(&'static str, &str, &str)| Case {
        name,
        ring: fixture(&format!("{ring}.key.asc")),
        signature: fixture(&format!("{signature}.sig.asc")),
    };
    FIXTURES.iter().chain(&OTHERS).map(read).collect()
}
