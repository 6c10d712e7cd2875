//! An authorisation server for tests: keys, the web tokens that they sign, and
//! their key set on loopback.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::loopback::{Answer, Loopback};

/// Who issues tokens, where a security plugin is told of nobody else.
pub const ISSUER: &str = "http://goquorum.com/oauth";

/// A key that signs tokens.
#[derive(Debug)]
pub struct Signer {
    id: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl Signer {
    /// A new P-256 key, for ES256.
    ///
    /// # Panics
    ///
    /// When the system gives no random numbers, as everything here does.
    #[must_use]
    pub fn es256(id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { id: id.to_owned(), key: Key::Es256(key) }
    }

    /// A new RSA key of 2,048 bits, for RS256.
    #[must_use]
    pub fn rs256(id: &str) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self { id: id.to_owned(), key: Key::Rs256(key) }
    }

    /// A token with these claims, signed.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let algorithm = match self.key {
            Key::Es256(_) => "ES256",
            Key::Rs256(_) => "RS256",
        };
        let header = json!({ "alg": algorithm, "kid": self.id, "typ": "JWT" });
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Es256(key) => {
                key.sign(&random, signed.as_bytes()).expect("a signature").as_ref().to_vec()
            }
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
        };
        format!("{signed}.{}", encoded(signature))
    }

    /// The `Authorization` header of a token with these claims.
    #[must_use]
    pub fn bearer(&self, claims: &Value) -> String {
        format!("Bearer {}", self.sign(claims))
    }

    /// The public key, as a key set has it.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match &self.key {
            Key::Es256(key) => {
                // A byte that says that both coordinates follow, and they.
                let point = key.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
                    "x": encoded(&point[1..33]), "y": encoded(&point[33..]),
                })
            }
            Key::Rs256(key) => {
                let (modulus, exponent) = rsa_numbers(key.public_key().as_ref());
                json!({
                    "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id,
                    "n": encoded(modulus), "e": encoded(exponent),
                })
            }
        }
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Modulus and exponent of `SEQUENCE { INTEGER, INTEGER }`.
fn rsa_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (_sequence, content) = element(der);
    let (rest, modulus) = element(content);
    let (_end, exponent) = element(rest);
    // A number whose first bit is set has a zero before it.
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent)
}

/// What follows an element, and its content.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match usize::from(der[1]) {
        short @ 0..0x80 => (short, 2),
        long => {
            let bytes = &der[2..2 + (long & 0x7f)];
            let length = bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            (length, 2 + bytes.len())
        }
    };
    (&der[start + length..], &der[start..start + length])
}

/// The claims of a token for a node by this identity, with scopes as in
/// `rpc://eth_*`, that is good for this long.
#[must_use]
pub fn claims(audience: &str, scope: &str, good_for: Duration) -> Value {
    let now = seconds();
    json!({
        "iss": ISSUER, "aud": [audience], "scope": scope, "sub": "somebody",
        "iat": now, "exp": now + good_for.as_secs(),
    })
}

/// The same claims, of a token that ended two hours ago.
#[must_use]
pub fn expired(mut claims: Value) -> Value {
    claims["iat"] = json!(seconds() - 3 * 3600);
    claims["exp"] = json!(seconds() - 2 * 3600);
    claims
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Serves a key set.
#[derive(Debug)]
pub struct KeySet {
    server: Loopback,
    keys: Arc<Mutex<Value>>,
}

impl KeySet {
    /// Serves the public keys of these signers.
    pub async fn start(signers: &[&Signer]) -> Self {
        let keys = Arc::new(Mutex::new(set(signers)));
        let served = keys.clone();
        let server = Loopback::start(move |_request| {
            let body = served.lock().unwrap_or_else(PoisonError::into_inner).to_string();
            Answer { status: 200, body }
        });
        Self { server: server.await, keys }
    }

    /// Where it is, for `jws.endpoint` of a security plugin.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("/.well-known/jwks.json")
    }

    /// Serves other keys from now on.
    pub fn rotate(&self, signers: &[&Signer]) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = set(signers);
    }

    /// How often it was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.server.requests().len()
    }
}

fn set(signers: &[&Signer]) -> Value {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    };

    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn number(jwk: &Value, name: &str) -> Vec<u8> {
        decoded(jwk[name].as_str().unwrap())
    }

    #[test]
    fn tokens_are_good_under_the_keys_that_are_served_for_them() {
        for signer in [Signer::es256("first"), Signer::rs256("second")] {
            let token = signer.sign(&claims("node", "rpc://eth_*", Duration::from_secs(60)));
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let (jwk, signature) = (signer.jwk(), decoded(signature));
            let verified = if jwk["kty"] == "EC" {
                let point = [vec![4], number(&jwk, "x"), number(&jwk, "y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed.as_bytes(), &signature)
            } else {
                RsaPublicKeyComponents { n: number(&jwk, "n"), e: number(&jwk, "e") }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    signed.as_bytes(),
                    &signature,
                )
            };
            verified.unwrap();
            let payload = signed.split_once('.').unwrap().1;
            let payload: Value = serde_json::from_slice(&decoded(payload)).unwrap();
            assert_eq!(payload["aud"], json!(["node"]));
        }
    }
}
