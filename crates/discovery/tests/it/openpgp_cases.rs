//! The cases of `docs/security.md`, put to our verification and to gpgv.

mod armour;
mod forged;
mod made_by_gnupg;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use outrigger_discovery::{Verification, VerifiedBy, Verifier, VerifyError};
use outrigger_types::Sha256Digest;
use pgp::armor::{self, Dearmor};
use pgp::ser::Serialize;
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::gpgv::{Gpgv, fixture};

const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";

/// A key ring and a signature of [`digest`], both armoured.
#[derive(Clone)]
struct Case {
    name: &'static str,
    ring: Vec<u8>,
    signature: Vec<u8>,
}

/// A row of the page: case, our verdict, gpgv's.
type Row = [String; 3];

/// The SHA-256 of `outrigger`.
fn digest() -> Sha256Digest {
    "d08a3514efbebfe5dd2e1740042a8f561303da197746ffb2179e2f5f96e27b2b".parse().unwrap()
}

fn all() -> Vec<Case> {
    [made_by_gnupg::all(), forged::all(), armour::all()].concat()
}

impl Case {
    fn ours(&self) -> Result<VerifiedBy, VerifyError> {
        let dir = tempfile::tempdir().unwrap();
        let public_key = dir.path().join("ring.asc");
        fs::write(&public_key, &self.ring).unwrap();
        fs::write(dir.path().join("acme.zip.sha256sum.asc"), &self.signature).unwrap();
        Verification::LocalKey { public_key, signature_dir: dir.path().to_owned() }
            .verify(&dir.path().join("acme.zip"), &digest())
    }

    fn theirs(&self, gpgv: &Gpgv) -> (bool, String) {
        let digits = digest().to_string();
        gpgv.accepts(&self.ring, &self.signature, &[&digits, &format!("{digits}\n")])
    }
}

/// A verdict without what differs from run to run.
fn verdict(outcome: Result<VerifiedBy, VerifyError>) -> String {
    let reason = match outcome {
        Ok(_) => return ACCEPTED.to_owned(),
        Err(VerifyError::Policy { violation, .. }) => violation.to_string(),
        Err(VerifyError::SignatureContent { detail, .. }) => detail,
        Err(VerifyError::KeyRingContent { problem, .. }) => problem.to_string(),
        Err(VerifyError::UnknownSigner { .. }) => "no key of the ring is its issuer".to_owned(),
        Err(VerifyError::DoesNotSign { .. }) => "it signs something else".to_owned(),
        Err(other) => panic!("{other:?}"),
    };
    let word = |word: &str| {
        let hexadecimal = word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let time = word.ends_with('Z') && word.contains('T');
        if hexadecimal || time { "…".to_owned() } else { word.to_owned() }
    };
    let words: Vec<_> = reason.split(' ').map(word).collect();
    format!("{REFUSED}: {}", words.join(" "))
}

/// The table of the page.
fn page() -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md");
    let text = fs::read_to_string(path).unwrap();
    let cells = |line: &str| -> Option<Row> {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        cells.next()?.parse::<usize>().ok()?;
        Some([cells.next()?, cells.next()?, cells.next()?].map(str::to_owned))
    };
    text.lines().filter_map(cells).collect()
}

fn gpgvs(accepts: bool) -> String {
    if accepts { ACCEPTED } else { REFUSED }.to_owned()
}

#[test]
fn our_verdicts_are_those_of_the_page() {
    let expected: Vec<_> = page().into_iter().map(|[name, ours, _]| (name, ours)).collect();
    let found: Vec<_> =
        all().iter().map(|case| (case.name.to_owned(), verdict(case.ours()))).collect();
    assert!(found.len() >= 24, "{} cases", found.len());
    assert!(expected == found, "docs/security.md does not say\n{}", rows(&found));
}

fn rows(found: &[(String, String)]) -> String {
    let gpgv = Gpgv::find();
    let row = |(number, ((name, ours), case)): (usize, (&(String, String), Case))| {
        let theirs = gpgv.as_ref().map_or("?".to_owned(), |gpgv| gpgvs(case.theirs(gpgv).0));
        format!("| {} | {name} | {ours} | {theirs} |", number + 1)
    };
    let rows: Vec<_> = found.iter().zip(all()).enumerate().map(row).collect();
    rows.join("\n")
}

#[test]
fn nothing_on_the_page_is_accepted_that_gpgv_refuses() {
    for [name, ours, theirs] in page() {
        assert!(ours != ACCEPTED || theirs == ACCEPTED, "{name}");
    }
}

#[test]
fn gpgv_judges_as_the_page_says() {
    let Some(gpgv) = Gpgv::find() else { return };
    for ([name, _, expected], case) in page().into_iter().zip(all()) {
        let (accepts, said) = case.theirs(&gpgv);
        assert_eq!(gpgvs(accepts), expected, "{name}, {}: {said}", gpgv.version);
    }
}

#[test]
fn no_damage_to_the_armour_makes_us_accept_what_gpgv_refuses() {
    no_damage(|good, rng| damaged(good, rng, b"AZaz09+/=- \r\n\t:\x00"));
}

#[test]
fn no_damage_beneath_the_armour_makes_us_accept_what_gpgv_refuses() {
    no_damage(|good, rng| {
        let mut bytes = Vec::new();
        Dearmor::new(good).read_to_end(&mut bytes).unwrap();
        let any: Vec<u8> = (0..=u8::MAX).collect();
        let bytes = Raw(damaged(&bytes, rng, &any));
        let mut text = Vec::new();
        armor::write(&bytes, armor::BlockType::Signature, &mut text, None, true).unwrap();
        text
    });
}

struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
        Ok(writer.write_all(&self.0)?)
    }

    fn write_len(&self) -> usize {
        self.0.len()
    }
}

fn no_damage(damage: impl Fn(&[u8], &mut TestRng) -> Vec<u8>) {
    let Some(gpgv) = Gpgv::find() else { return };
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut accepted = 0;
    for name in ["rsa", "p256", "ed25519", "subkey"] {
        let ring = fixture(&format!("{name}.key.asc"));
        let good = fixture(&format!("{name}.sig.asc"));
        for _ in 0..1_000 {
            let signature = damage(&good, &mut rng);
            let case = Case { name: "damaged", ring: ring.clone(), signature };
            if case.ours().is_ok() {
                accepted += 1;
                let (accepts, said) = case.theirs(&gpgv);
                let text = String::from_utf8_lossy(&case.signature).into_owned();
                assert!(accepts, "{said}\n{text}");
            }
        }
    }
    // Some damage hits what does not count, such as a comment or a blank.
    assert!(accepted > 0);
}

/// With one to three bytes changed, taken out or put in.
fn damaged(good: &[u8], rng: &mut TestRng, alphabet: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(1..=3) {
        let at = rng.random_range(0..bytes.len());
        let byte = alphabet[rng.random_range(0..alphabet.len())];
        match rng.random_range(0..3_u8) {
            0 => bytes[at] = byte,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, byte),
        }
    }
    bytes
}
