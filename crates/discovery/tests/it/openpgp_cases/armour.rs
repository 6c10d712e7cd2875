//! Good signatures in armour that is not.

use super::Case;
use crate::gpgv::fixture;

type Change = fn(&str) -> String;

/// Each changes the text of a good signature.
const CHANGES: [(&str, Change); 14] = [
    ("lines that end with CR and LF", |text| text.replace('\n', "\r\n")),
    ("words around the armour", |text| format!("Our signature:\n\n{text}\nBest regards\n")),
    ("a comment in the armour", |text| text.replacen("\n\n", "\nComment: made by hand\n\n", 1)),
    ("a wrong checksum", |text| with_checksum(text, "=AAAA\n")),
    ("no checksum", |text| with_checksum(text, "")),
    ("a checksum that is none", |text| with_checksum(text, "=A\n")),
    ("no last line", |text| text.replace("-----END PGP SIGNATURE-----\n", "")),
    ("a last line of another kind", |text| text.replace("END PGP SIGNATURE", "END PGP MESSAGE")),
    ("a first line of another kind", |text| {
        text.replace("BEGIN PGP SIGNATURE", "BEGIN PGP MESSAGE")
    }),
    ("no empty line before the body", |text| text.replacen("\n\n", "\n", 1)),
    ("a byte order mark", |text| format!("\u{feff}{text}")),
    ("a CR before the first line", |text| format!("\r{text}")),
    ("blanks at the ends of lines", |text| text.replace('\n', " \t\n")),
    ("the same signature twice", |text| format!("{text}{text}")),
];

fn with_checksum(text: &str, line: &str) -> String {
    let at = text.rfind("\n=").unwrap() + 1;
    let end = at + text[at..].find('\n').unwrap() + 1;
    format!("{}{line}{}", &text[..at], &text[end..])
}

pub(super) fn all() -> Vec<Case> {
    let good = String::from_utf8(fixture("rsa.sig.asc")).unwrap();
    let ring = fixture("rsa.key.asc");
    let mut cases: Vec<_> = CHANGES
        .into_iter()
        .map(|(name, change)| Case {
            name,
            ring: ring.clone(),
            signature: change(&good).into_bytes(),
        })
        .collect();
    let key = String::from_utf8(ring).unwrap();
    cases.push(Case {
        name: "a wrong checksum of the key ring",
        ring: with_checksum(&key, "=AAAA\n").into_bytes(),
        signature: good.into_bytes(),
    });
    cases
}
