//! What is written here is what Go writes: `go_json/vectors.tsv` comes from Go
//! itself, by the program beside it.

use outrigger_types::{GoValue, go_json};
use proptest::prelude::*;

/// How deeply objects and arrays may nest.
const DEPTH: usize = 128;

const VECTORS: &str = include_str!("go_json/vectors.tsv");

/// The bytes of a column, in which `%41` stands for one.
fn decode(column: &str) -> Option<Vec<u8>> {
    let mut parts = column.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

#[test]
fn every_text_becomes_what_go_makes_of_it() {
    let mut rows = 0;
    for row in VECTORS.lines() {
        let (json, expected) = row.split_once('\t').unwrap();
        match (go_json(decode(json).unwrap()), expected) {
            (Err(_), "error") => {}
            (Ok(found), _) => assert_eq!(found.into_bytes(), decode(expected).unwrap(), "{json}"),
            (Err(error), _) => panic!("{json} is refused: {error}"),
        }
        rows += 1;
    }
    assert!(rows > 200, "only {rows} vectors");
}

#[test]
fn what_nests_too_deeply_is_refused_before_the_stack_ends() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(go_json(nested(DEPTH).as_bytes()).unwrap(), nested(DEPTH));
    for json in [nested(DEPTH + 1), "[".repeat(1 << 20)] {
        let error = go_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.reason, "too many objects and arrays in each other");
    }
}

#[test]
fn whole_numbers_of_toml_stay_whole() {
    let numbers = GoValue::Array(vec![GoValue::Integer(i64::MAX), GoValue::Integer(-1)]);
    assert_eq!(numbers.to_json(), "[9223372036854775807,-1]");
}

#[test]
fn no_part_of_a_text_is_shown_by_debug_or_in_an_error() {
    let value = GoValue::parse(br#"{"password":"hunter2"}"#).unwrap();
    assert_eq!(format!("{value:?}"), "object");
    let error = go_json(br#"{"password":hunter2}"#).unwrap_err();
    assert_eq!(error.to_string(), "no JSON value at byte 12");
}

proptest! {
    #[test]
    fn what_was_rewritten_once_stays_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut json = b"[\"".to_vec();
        json.extend(bytes.iter().filter(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)));
        json.extend(b"\"]");
        let once = go_json(json).unwrap();
        prop_assert_eq!(go_json(once.as_bytes()).unwrap(), once);
    }

    #[test]
    fn a_number_reads_back_as_itself(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let text = GoValue::Float(number).to_json();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits, "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = go_json(bytes);
    }
}
