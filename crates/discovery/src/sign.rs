//! The publisher's side: signing keys and signatures.

mod error;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use outrigger_types::Sha256Digest;
use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, KeyType, SecretKeyParamsBuilder,
    SignedSecretKey,
};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::types::{KeyDetails, Password, SecretParams};
use rand::rngs::OsRng;

use crate::archive::Distribution;
use crate::atomic::{self, IfExists};
use crate::limits::Limits;
use crate::verify::{
    KeyRing, MAX_KEY_RING, Signer, Verdict, guarded, read_limited, signature_path, verify,
};

pub use error::SignError;

/// Kinds of key that [`SigningKey::generate`] makes. GoQuorum's OpenPGP library
/// reads both, unlike Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on the curve P-256, generated in milliseconds.
    #[default]
    EcdsaP256,
    /// RSA with 3072 bits, generated in seconds.
    Rsa3072,
}

/// A signature that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// The signature's file.
    pub path: PathBuf,
    /// What was signed: the zip's SHA-256.
    pub digest: Sha256Digest,
    /// The key that signed.
    pub signer: Signer,
}

/// An OpenPGP secret key. `Debug` shows its fingerprint only.
pub struct SigningKey {
    key: SignedSecretKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.fingerprint()).finish()
    }
}

impl SigningKey {
    /// Makes a key that never expires. `user_id` conventionally is a name with
    /// an address, `Acme plugins <plugins@acme.example>`; `password`, where
    /// given, locks the secret half.
    ///
    /// # Errors
    ///
    /// [`SignError::Generate`].
    pub fn generate(
        user_id: &str,
        algorithm: KeyAlgorithm,
        password: Option<&str>,
    ) -> Result<Self, SignError> {
        let refused = |detail: String| SignError::Generate { detail };
        let key_type = match algorithm {
            KeyAlgorithm::EcdsaP256 => KeyType::ECDSA(ECCCurve::P256),
            KeyAlgorithm::Rsa3072 => KeyType::Rsa(3072),
        };
        let params = SecretKeyParamsBuilder::default()
            .key_type(key_type)
            .can_sign(true)
            .can_certify(true)
            .primary_user_id(user_id.to_owned())
            .passphrase(password.map(str::to_owned))
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let key = params.generate(OsRng).map_err(|error| refused(error.to_string()))?;
        Ok(Self { key })
    }

    /// Reads a file with one ASCII-armoured secret key, at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`SignError::Read`], [`SignError::Malformed`], [`SignError::Panicked`].
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let text = read_limited(path, MAX_KEY_RING)
            .map_err(|source| SignError::Read { path: path.to_owned(), source })?;
        Self::from_armored(&text)
    }

    /// Reads one ASCII-armoured secret key.
    ///
    /// # Errors
    ///
    /// [`SignError::Malformed`], [`SignError::Panicked`].
    pub fn from_armored(text: &[u8]) -> Result<Self, SignError> {
        guarded(|| SignedSecretKey::from_armor_single(text))
            .ok_or(SignError::Panicked)?
            .map(|(key, _)| Self { key })
            .map_err(|error| SignError::Malformed { detail: error.to_string() })
    }

    /// Fingerprint of the primary key, in upper-case hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.key.primary_key.fingerprint())
    }

    /// The public half, ASCII-armoured: what goes into a host's key ring.
    ///
    /// # Errors
    ///
    /// [`SignError::Malformed`] where the key cannot be written down.
    pub fn public_armored(&self) -> Result<String, SignError> {
        self.key.to_public_key().to_armored_string(ArmorOptions::default()).map_err(malformed)
    }

    /// Writes the secret key, ASCII-armoured, with mode 0600.
    ///
    /// # Errors
    ///
    /// [`SignError::Write`], also where the file exists and `if_exists` does not
    /// let it be replaced.
    pub fn write_secret(&self, path: &Path, if_exists: IfExists) -> Result<(), SignError> {
        let text = self.key.to_armored_string(ArmorOptions::default()).map_err(malformed)?;
        write(path, text.as_bytes(), 0o600, if_exists)
    }

    /// Writes the public key, ASCII-armoured, with mode 0644.
    ///
    /// # Errors
    ///
    /// As [`Self::write_secret`].
    pub fn write_public(&self, path: &Path, if_exists: IfExists) -> Result<(), SignError> {
        write(path, self.public_armored()?.as_bytes(), 0o644, if_exists)
    }

    /// Signs a digest's 64 hexadecimal digits, without a newline, and returns
    /// the ASCII-armoured detached signature and who made it. A subkey for
    /// signing goes before the primary key. A signature that our own policy
    /// would refuse is never handed out.
    ///
    /// # Errors
    ///
    /// [`SignError`], all but `Archive`, `Read`, `Generate` and `Write`.
    pub fn sign_digest(
        &self,
        digest: &Sha256Digest,
        password: Option<&str>,
    ) -> Result<(String, Signer), SignError> {
        guarded(|| self.try_sign(digest, password)).ok_or(SignError::Panicked)?
    }

    fn try_sign(
        &self,
        digest: &Sha256Digest,
        password: Option<&str>,
    ) -> Result<(String, Signer), SignError> {
        let ring = KeyRing::of(self.key.to_public_key());
        let mut failure = None;
        for component in self.components() {
            if component.locked() && password.is_none() {
                failure.get_or_insert(SignError::Locked);
                continue;
            }
            let judged = component.sign(digest, password).and_then(|signature| {
                let signer = verify(&ring, &signature.signature, digest, SystemTime::now())
                    .map_err(|verdict| match verdict {
                        Verdict::Policy(violation) => SignError::Policy { violation },
                        other => SignError::Unusable { detail: format!("{other:?}") },
                    })?;
                let text =
                    signature.to_armored_string(ArmorOptions::default()).map_err(malformed)?;
                Ok((text, signer))
            });
            match judged {
                Ok(signed) => return Ok(signed),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.expect("invariant: the primary key was tried, and failed"))
    }

    fn components(&self) -> impl Iterator<Item = SecretComponent<'_>> {
        let subkeys = self.key.secret_subkeys.iter();
        let signing = subkeys
            .filter(|subkey| subkey.signatures.iter().any(|binding| binding.key_flags().sign()))
            .map(|subkey| SecretComponent::Subkey(&subkey.key));
        signing.chain(std::iter::once(SecretComponent::Primary(&self.key.primary_key)))
    }
}

/// Signs a zip: writes `<zip>.sha256sum.asc` beside it with mode 0644, in place
/// of an older signature. The archive is not judged.
///
/// # Errors
///
/// [`SignError`], all but `Read` and `Generate`.
pub fn sign(zip: &Path, key: &SigningKey, password: Option<&str>) -> Result<Signed, SignError> {
    // Hosts set their own limits; here only what the format can hold counts.
    let limits = Limits { archive_bytes: u32::MAX.into(), ..Limits::default() };
    let digest = Distribution::open(zip, &limits)?.digest();
    let (text, signer) = key.sign_digest(&digest, password)?;
    let directory = zip.parent().unwrap_or_else(|| Path::new(""));
    let path = signature_path(directory, zip);
    write(&path, text.as_bytes(), 0o644, IfExists::Replace)?;
    Ok(Signed { path, digest, signer })
}

enum SecretComponent<'a> {
    Primary(&'a pgp::packet::SecretKey),
    Subkey(&'a pgp::packet::SecretSubkey),
}

impl SecretComponent<'_> {
    fn locked(&self) -> bool {
        let params = match self {
            Self::Primary(key) => key.secret_params(),
            Self::Subkey(key) => key.secret_params(),
        };
        matches!(params, SecretParams::Encrypted(_))
    }

    fn sign(
        &self,
        digest: &Sha256Digest,
        password: Option<&str>,
    ) -> Result<DetachedSignature, SignError> {
        let password = password.map_or_else(Password::empty, Password::from);
        match self {
            Self::Primary(key) => detached(*key, &password, digest),
            Self::Subkey(key) => detached(*key, &password, digest),
        }
        .map_err(|error| SignError::Unusable { detail: error.to_string() })
    }
}

fn detached(
    key: &impl pgp::types::SigningKey,
    password: &Password,
    digest: &Sha256Digest,
) -> pgp::errors::Result<DetachedSignature> {
    // The larger curves ask for larger hashes.
    let hash = match key.hash_alg() {
        larger @ (HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => larger,
        _ => HashAlgorithm::Sha256,
    };
    let text = digest.to_string();
    DetachedSignature::sign_binary_data(OsRng, key, password, hash, text.as_bytes())
}

fn malformed(error: pgp::errors::Error) -> SignError {
    SignError::Malformed { detail: error.to_string() }
}

fn write(path: &Path, bytes: &[u8], mode: u32, if_exists: IfExists) -> Result<(), SignError> {
    atomic::write(path, bytes, mode, if_exists)
        .map_err(|source| SignError::Write { path: path.to_owned(), source })
}
