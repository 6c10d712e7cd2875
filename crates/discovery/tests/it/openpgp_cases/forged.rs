//! Signatures and keys that GnuPG would not make.

use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    Features, KeyFlags, Notation, Signature, SignatureConfig, SignatureType, Subpacket,
    SubpacketData,
};
use pgp::types::{
    Duration, Fingerprint, KeyDetails, KeyId, KeyVersion, Password, SignatureBytes, SigningKey,
    Tag, Timestamp,
};
use rand::rngs::OsRng;

use super::{Case, digest};

const P256: KeyType = KeyType::ECDSA(ECCCurve::P256);

/// A key that signs and certifies, with one signing subkey of the same kind.
fn key(kind: KeyType) -> SignedSecretKey {
    key_of(kind, KeyVersion::V4, Timestamp::now())
}

fn key_of(kind: KeyType, version: KeyVersion, created: Timestamp) -> SignedSecretKey {
    let subkey = SubkeyParamsBuilder::default()
        .version(version)
        .key_type(kind.clone())
        .can_sign(true)
        .created_at(created)
        .build()
        .unwrap();
    SecretKeyParamsBuilder::default()
        .version(version)
        .key_type(kind)
        .can_certify(true)
        .can_sign(true)
        .created_at(created)
        .primary_user_id("Acme".into())
        .subkey(subkey)
        .build()
        .unwrap()
        .generate(OsRng)
        .unwrap()
}

fn armored(signature: Signature) -> Vec<u8> {
    DetachedSignature::new(signature)
        .to_armored_string(ArmorOptions::default())
        .unwrap()
        .into_bytes()
}

fn case(name: &'static str, key: &SignedPublicKey, signature: Signature) -> Case {
    let ring = key.to_armored_bytes(ArmorOptions::default()).unwrap();
    Case { name, ring, signature: armored(signature) }
}

fn now() -> SubpacketData {
    SubpacketData::SignatureCreationTime(Timestamp::now())
}

fn plain(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).unwrap()
}

fn critical(data: SubpacketData) -> Subpacket {
    Subpacket::critical(data).unwrap()
}

fn named(by: &impl KeyDetails) -> Vec<Subpacket> {
    vec![
        plain(SubpacketData::IssuerFingerprint(by.fingerprint())),
        plain(SubpacketData::IssuerKeyId(by.legacy_key_id())),
    ]
}

struct Forgery {
    hash: HashAlgorithm,
    kind: SignatureType,
    hashed: Vec<Subpacket>,
    unhashed: Vec<Subpacket>,
    text: String,
}

impl Forgery {
    /// As a good signature by `by` would be.
    fn by(by: &impl KeyDetails) -> Self {
        let mut hashed = named(by);
        hashed.push(plain(now()));
        Self {
            hash: HashAlgorithm::Sha256,
            kind: SignatureType::Binary,
            hashed,
            unhashed: Vec::new(),
            text: digest().to_string(),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn sign(self, by: &impl SigningKey) -> Signature {
        let mut config = match by.version() {
            KeyVersion::V6 => {
                SignatureConfig::v6(OsRng, self.kind, by.algorithm(), self.hash).unwrap()
            }
            _ => SignatureConfig::v4(self.kind, by.algorithm(), self.hash),
        };
        config.hashed_subpackets = self.hashed;
        config.unhashed_subpackets = self.unhashed;
        config.sign(by, &Password::empty(), self.text.as_bytes()).unwrap()
    }
}

pub(super) fn all() -> Vec<Case> {
    [algorithms(), times(), issuers(), parts(), contents(), certificates()].concat()
}

fn algorithms() -> Vec<Case> {
    let made = |name, key: SignedSecretKey, hash| {
        let by = &key.primary_key;
        let signature = Forgery::by(by).with(|forgery| forgery.hash = hash).sign(by);
        case(name, &key.to_public_key(), signature)
    };
    let v6 = |kind| key_of(kind, KeyVersion::V6, Timestamp::now());
    vec![
        made("a good signature by P-256", key(P256), HashAlgorithm::Sha256),
        made("a hash of the SHA-3 family", key(P256), HashAlgorithm::Sha3_256),
        made("SHA3-512", key(P256), HashAlgorithm::Sha3_512),
        made("a good signature with SHA-384", key(P256), HashAlgorithm::Sha384),
        made(
            "a good signature by P-384",
            key(KeyType::ECDSA(ECCCurve::P384)),
            HashAlgorithm::Sha384,
        ),
        made(
            "a good signature by P-521",
            key(KeyType::ECDSA(ECCCurve::P521)),
            HashAlgorithm::Sha512,
        ),
        made(
            "an Ed25519 key in the form of RFC 9580",
            key(KeyType::Ed25519),
            HashAlgorithm::Sha256,
        ),
        made("an Ed448 key in the form of RFC 9580", key(KeyType::Ed448), HashAlgorithm::Sha512),
        made("a key of version 6", v6(KeyType::Ed25519), HashAlgorithm::Sha256),
        made(
            "an Ed25519 key in the older form",
            key(KeyType::Ed25519Legacy),
            HashAlgorithm::Sha256,
        ),
    ]
}

fn times() -> Vec<Case> {
    let key = key(P256);
    let (by, public) = (&key.primary_key, key.to_public_key());
    let made = |name, change: &dyn Fn(&mut Forgery)| {
        case(name, &public, Forgery::by(by).with(|forgery| change(forgery)).sign(by))
    };
    let at = |seconds: i64| {
        let time = i64::from(Timestamp::now().as_secs()) + seconds;
        plain(SubpacketData::SignatureCreationTime(Timestamp::from_secs(time as u32)))
    };
    let lasting =
        |seconds| plain(SubpacketData::SignatureExpirationTime(Duration::from_secs(seconds)));
    let mut cases = vec![
        made("a validity that overflows 32 bits", &|forgery| {
            forgery.hashed.push(lasting(u32::MAX));
        }),
        made("a validity of a day", &|forgery| forgery.hashed.push(lasting(86_400))),
        made("no time of creation", &|forgery| {
            forgery
                .hashed
                .retain(|part| !matches!(part.data, SubpacketData::SignatureCreationTime(_)));
        }),
        made("a time of creation that is not signed", &|forgery| {
            let time = forgery.hashed.pop().unwrap();
            forgery.unhashed.push(time);
        }),
        made("two times of creation", &|forgery| forgery.hashed.push(at(-86_400))),
        made("made four minutes from now", &|forgery| {
            forgery.hashed.pop();
            forgery.hashed.push(at(240));
        }),
        made("made ten minutes from now", &|forgery| {
            forgery.hashed.pop();
            forgery.hashed.push(at(600));
        }),
        made("made a day before its key", &|forgery| {
            forgery.hashed.pop();
            forgery.hashed.push(at(-86_400));
        }),
    ];
    let later = Timestamp::from_secs(Timestamp::now().as_secs() + 240);
    let future = key_of(P256, KeyVersion::V4, later);
    let by = &future.primary_key;
    let signature = Forgery::by(by)
        .with(|forgery| {
            forgery.hashed.pop();
            forgery.hashed.push(plain(SubpacketData::SignatureCreationTime(later)));
        })
        .sign(by);
    cases.push(case("a key made four minutes from now", &future.to_public_key(), signature));
    cases
}

fn issuers() -> Vec<Case> {
    let key = key(P256);
    let (by, public) = (&key.primary_key, key.to_public_key());
    let other = Fingerprint::V4([7; 20]);
    let wrong_id = || plain(SubpacketData::IssuerKeyId(KeyId::from([7; 8])));
    let wrong = || plain(SubpacketData::IssuerFingerprint(other.clone()));
    let made = |name, hashed: Vec<Subpacket>, unhashed: Vec<Subpacket>| {
        let forgery = Forgery::by(by).with(|forgery| {
            forgery.hashed = [vec![plain(now())], hashed].concat();
            forgery.unhashed = unhashed;
        });
        case(name, &public, forgery.sign(by))
    };
    let right = || plain(SubpacketData::IssuerFingerprint(by.fingerprint()));
    let right_id = || plain(SubpacketData::IssuerKeyId(by.legacy_key_id()));
    vec![
        made("no issuer", vec![], vec![]),
        made("the issuer by key id alone", vec![], vec![right_id()]),
        made("the issuer by fingerprint alone", vec![right()], vec![]),
        made("the issuer by a fingerprint that is not signed", vec![], vec![right()]),
        made("another key's id", vec![wrong_id()], vec![]),
        made("another key's fingerprint", vec![wrong()], vec![]),
        made("the right fingerprint and another key's id", vec![right()], vec![wrong_id()]),
        made("the right id and another key's fingerprint", vec![wrong()], vec![right_id()]),
        made("the right fingerprint and another one", vec![right(), wrong()], vec![right_id()]),
        made("another fingerprint and the right one", vec![wrong(), right()], vec![right_id()]),
        made("the right id and another one", vec![right_id()], vec![wrong_id()]),
        made("another id and the right one", vec![wrong_id()], vec![right_id()]),
    ]
}

fn parts() -> Vec<Case> {
    let key = key(P256);
    let (by, public) = (&key.primary_key, key.to_public_key());
    let hashed = |name, part: Subpacket| {
        case(name, &public, Forgery::by(by).with(|forgery| forgery.hashed.push(part)).sign(by))
    };
    let unhashed = |name, part: Subpacket| {
        case(name, &public, Forgery::by(by).with(|forgery| forgery.unhashed.push(part)).sign(by))
    };
    let notation = || {
        SubpacketData::Notation(Notation {
            readable: true,
            name: "note@outrigger.example".into(),
            value: "x".into(),
        })
    };
    let private = || SubpacketData::Experimental(101, "x".into());
    let unknown = || SubpacketData::Other(55, "x".into());
    vec![
        hashed("a notation", plain(notation())),
        hashed("a critical notation", critical(notation())),
        hashed("a part of unknown kind", plain(unknown())),
        hashed("a critical part for private use", critical(private())),
        unhashed("a critical part of unknown kind that is not signed", critical(unknown())),
        hashed(
            "a policy's address",
            plain(SubpacketData::PolicyURI("https://outrigger.example".into())),
        ),
        hashed(
            "a critical policy's address",
            critical(SubpacketData::PolicyURI("https://outrigger.example".into())),
        ),
        hashed("a critical signer's name", critical(SubpacketData::SignersUserID("Acme".into()))),
        hashed("critical flags of a key", critical(SubpacketData::KeyFlags(KeyFlags::default()))),
        hashed(
            "a critical intended recipient",
            critical(SubpacketData::IntendedRecipientFingerprint(by.fingerprint())),
        ),
        hashed(
            "an intended recipient",
            plain(SubpacketData::IntendedRecipientFingerprint(by.fingerprint())),
        ),
        hashed(
            "a critical mark as not for export",
            critical(SubpacketData::ExportableCertification(false)),
        ),
        hashed("a mark as irrevocable", critical(SubpacketData::Revocable(false))),
        case(
            "critical times and issuers",
            &public,
            Forgery::by(by)
                .with(|forgery| {
                    for part in &mut forgery.hashed {
                        part.is_critical = true;
                    }
                })
                .sign(by),
        ),
    ]
}

fn contents() -> Vec<Case> {
    let key = key(P256);
    let (by, public) = (&key.primary_key, key.to_public_key());
    let good = || Forgery::by(by);
    let of_kind =
        |name, kind| case(name, &public, good().with(|forgery| forgery.kind = kind).sign(by));
    let signed = good().sign(by);
    let config = signed.config().unwrap().clone();
    let [high, low] = signed.signed_hash_value().unwrap();
    let numbers = signed.signature().unwrap().clone();
    let hint = Signature::from_config(config.clone(), [high, low ^ 1], numbers.clone()).unwrap();
    let SignatureBytes::Mpis(mut mpis) = numbers else { panic!("ECDSA has integers") };
    mpis.swap(0, 1);
    let swapped = Signature::from_config(config, [high, low], SignatureBytes::Mpis(mpis)).unwrap();
    vec![
        of_kind("a signature of a text", SignatureType::Text),
        case("a wrong hint of the hash", &public, hint),
        case("its integers exchanged", &public, swapped),
        case(
            "a signature of other bytes",
            &public,
            good().with(|forgery| forgery.text.push(' ')).sign(by),
        ),
        case(
            "a signature with a newline",
            &public,
            good().with(|forgery| forgery.text.push('\n')).sign(by),
        ),
    ]
}

/// Binds the subkey anew, with the given flag and the old back signature or none.
fn rebound(key: &SignedSecretKey, signs: bool, keep_back_signature: bool) -> SignedPublicKey {
    let subkey = &key.secret_subkeys[0];
    let back = subkey.signatures[0].embedded_signature().cloned();
    let mut flags = KeyFlags::default();
    flags.set_sign(signs);
    flags.set_authentication(true);
    let (primary, password) = (&key.primary_key, Password::empty());
    let back = back.filter(|_| keep_back_signature);
    let binding =
        subkey.key.sign(OsRng, primary, primary.public_key(), &password, flags, back).unwrap();
    let mut public = key.to_public_key();
    public.public_subkeys[0].signatures = vec![binding];
    public
}

/// The key's description of itself made anew, with one more critical part.
fn described(key: &SignedSecretKey, part: SubpacketData) -> SignedPublicKey {
    let primary = &key.primary_key;
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    let mut config = SignatureConfig::v4(
        SignatureType::CertPositive,
        primary.algorithm(),
        HashAlgorithm::Sha256,
    );
    config.hashed_subpackets = named(primary);
    config.hashed_subpackets.push(critical(now()));
    config.hashed_subpackets.push(critical(SubpacketData::KeyFlags(flags)));
    config.hashed_subpackets.push(critical(part));
    let mut public = key.to_public_key();
    let user = &mut public.details.users[0];
    user.signatures = vec![
        config
            .sign_certification(
                primary,
                primary.public_key(),
                &Password::empty(),
                Tag::UserId,
                &user.id,
            )
            .unwrap(),
    ];
    public
}

fn certificates() -> Vec<Case> {
    let (mine, theirs) = (key(P256), key(P256));
    let subkey = &mine.secret_subkeys[0].key;
    let by_subkey = || Forgery::by(subkey).sign(subkey);
    let by_primary = || Forgery::by(&mine.primary_key).sign(&mine.primary_key);
    let mut foreign = theirs.to_public_key();
    foreign.public_subkeys = mine.to_public_key().public_subkeys;
    let mut bare = mine.to_public_key();
    bare.details.users.clear();
    bare.details.direct_signatures.clear();
    let mut lent = mine.to_public_key();
    lent.details = theirs.to_public_key().details;
    vec![
        case("a subkey that signs", &mine.to_public_key(), by_subkey()),
        case("a subkey without the flag for signing", &rebound(&mine, false, true), by_subkey()),
        case("a subkey that did not sign back", &rebound(&mine, true, false), by_subkey()),
        case("a subkey taken from another key", &foreign, by_subkey()),
        case(
            "a key with critical flags and a critical end",
            &described(&mine, SubpacketData::KeyExpirationTime(Duration::from_secs(86_400))),
            by_primary(),
        ),
        case(
            "a key with an end that overflows 32 bits",
            &described(&mine, SubpacketData::KeyExpirationTime(Duration::from_secs(u32::MAX))),
            by_primary(),
        ),
        case(
            "a key with critical features",
            &described(&mine, SubpacketData::Features(Features::default())),
            by_primary(),
        ),
        case(
            "a key with a critical main user id",
            &described(&mine, SubpacketData::IsPrimary(true)),
            by_primary(),
        ),
        case(
            "a key with a critical part for private use",
            &described(&mine, SubpacketData::Experimental(101, "x".into())),
            by_primary(),
        ),
        case("a key without a self-signature", &bare, by_primary()),
        case("a key with another key's self-signature", &lent, by_primary()),
        case("a key that is not in the ring", &theirs.to_public_key(), by_primary()),
    ]
}
