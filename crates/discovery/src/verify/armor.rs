//! Keys and signatures as text.

use std::io::Read;

use crc::{CRC_24_OPENPGP, Crc};
use pgp::armor::Dearmor;

/// How the first line of each block begins.
pub(super) const BLOCK_START: &str = "-----BEGIN PGP ";

/// The armoured blocks of a text, each from its first line to the next block.
pub(super) fn blocks(text: &str) -> Vec<&str> {
    let at_line_start = |at: usize| at == 0 || matches!(text.as_bytes()[at - 1], b'\n' | 0xbf);
    let mut starts: Vec<_> =
        text.match_indices(BLOCK_START).map(|(at, _)| at).filter(|&at| at_line_start(at)).collect();
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// The bytes in a block. A checksum may be missing, but must not be wrong: GnuPG
/// does not read such a block, though RFC 9580 would have it read.
pub(super) fn body(block: &str) -> Result<Vec<u8>, String> {
    let damaged = || "its armour is damaged".to_owned();
    if !is_well_formed(block) {
        return Err(damaged());
    }
    let mut reader = Dearmor::new(block.as_bytes());
    let mut bytes = Vec::new();
    // The library's message would quote the file's bytes.
    reader.read_to_end(&mut bytes).map_err(|_| damaged())?;
    let actual = Crc::<u32>::new(&CRC_24_OPENPGP).checksum(&bytes);
    match reader.checksum {
        Some(stated) if stated != u64::from(actual) => {
            Err("the checksum of its armour is wrong".to_owned())
        }
        _ => Ok(bytes),
    }
}

/// Whether every line is one that all readers take for the same thing. Left to
/// themselves they skip, join and end lines each in their own way.
fn is_well_formed(block: &str) -> bool {
    // Lines end with LF or with CR and LF; blanks at their ends do not count.
    let mut lines = block.split('\n').map(|line| line.trim_end_matches([' ', '\t', '\r']));
    let Some(first) = lines.next() else { return false };
    let last = first.replacen("BEGIN", "END", 1);
    let headers = lines.by_ref().take_while(|line| !line.is_empty());
    if !headers.into_iter().all(is_header) {
        return false;
    }
    let rest: Vec<_> = lines.collect();
    let Some(end) = rest.iter().position(|line| *line == last) else { return false };
    let mut body = &rest[..end];
    if let Some((checksum, before)) = body.split_last()
        && checksum.len() == 5
        && checksum.starts_with('=')
    {
        body = before;
    }
    let Some((end, full)) = body.split_last() else { return false };
    let is_base64 = |text: &str| !text.is_empty() && text.bytes().all(is_base64_digit);
    full.iter().all(|line| is_base64(line))
        && is_base64(end.strip_suffix("==").or_else(|| end.strip_suffix('=')).unwrap_or(end))
}

fn is_header(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, _)| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

const fn is_base64_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}
