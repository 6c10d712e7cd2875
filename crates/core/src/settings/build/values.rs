//! Texts and what they stand for. An error says what is wrong and what to give;
//! whoever reads the text adds where it stands.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytesize::ByteSize;
use outrigger_types::Sha256Digest;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The most that a gRPC message may have under go-plugin: 2 GiB less one byte.
const LARGEST_MESSAGE: u64 = i32::MAX as u64;

/// What a protocol's variables begin with, which are its own.
const PROTOCOL: &str = "PLUGIN_";

pub(super) fn duration(text: &str, may_be_zero: bool) -> Result<Duration, String> {
    let shown = text.escape_debug();
    let duration = humantime::parse_duration(text)
        .map_err(|_| format!("`{shown}` is no duration; give one such as `10s` or `250ms`"))?;
    if duration > DAY {
        return Err(format!("`{shown}` is more than a day; give at most `24h`"));
    }
    if duration.is_zero() && !may_be_zero {
        return Err("zero leaves no time at all; give more, such as `1s`".to_owned());
    }
    Ok(duration)
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("zero leaves no room at all; give more, such as `1MiB`".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(_) => Err(format!("`{}` is no size; give one such as `64MiB`", text.escape_debug())),
    }
}

/// The size of a message.
pub(super) fn message_size(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    if bytes > LARGEST_MESSAGE {
        let shown = text.escape_debug();
        return Err(format!("`{shown}` is more than a message may have; give at most `2047MiB`"));
    }
    Ok(bytes)
}

/// `FIRST-LAST`, both included.
pub(super) fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let shown = text.escape_debug();
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let range = text.split_once('-').and_then(|(first, last)| Some((port(first)?, port(last)?)));
    let (first, last) = range
        .ok_or_else(|| format!("`{shown}` is no range of ports; give one such as `10000-25000`"))?;
    if first > last {
        return Err(format!("`{shown}` ends before it begins; give the lower port first"));
    }
    Ok(first..=last)
}

/// `sha256:` and the digest.
pub(super) fn checksum(text: &str) -> Result<Sha256Digest, String> {
    let digest = text.strip_prefix("sha256:").and_then(|digits| digits.parse().ok());
    digest.ok_or_else(|| {
        format!(
            "`{}` is no checksum; give `sha256:` and the 64 digits that `sha256sum` prints",
            text.escape_debug()
        )
    })
}

/// A group's name or number.
pub(super) fn group(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | ',' | '/');
    if text.is_empty() || !text.chars().all(allowed) {
        return Err(format!(
            "`{}` is no group; give a name such as `plugins` or a number",
            text.escape_debug()
        ));
    }
    Ok(text.to_owned())
}

/// Whether a variable may be added to a plugin's environment. Its value may be
/// a secret, so no message holds it.
pub(super) fn variable(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err("is no name of a variable; give one such as `HOME`".to_owned());
    }
    if name.starts_with(PROTOCOL) {
        return Err(
            "is set by the host; variables that begin with `PLUGIN_` are the protocol's".to_owned()
        );
    }
    if value.contains('\0') {
        return Err("its value holds a NUL character; remove it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_a_range_whose_ends_are_ports() {
        assert_eq!(ports("10000-25000"), Ok(10_000..=25_000));
        assert_eq!(ports(" 7 - 7 "), Ok(7..=7));
        for text in ["", "10000", "0-5", "1-65536", "a-b", "1-2-3", "-"] {
            assert!(ports(text).unwrap_err().contains("is no range of ports"), "{text}");
        }
        assert!(ports("9-8").unwrap_err().contains("ends before it begins"));
    }

    #[test]
    fn a_checksum_is_the_algorithm_and_its_digits() {
        let digits = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let digest = checksum(&format!("sha256:{digits}")).unwrap();
        assert_eq!(digest.to_string(), digits);
        for text in [digits, "sha256:", "sha1:9f86", "sha256:zz", &format!("sha256: {digits}")] {
            assert!(checksum(text).unwrap_err().contains("is no checksum"), "{text}");
        }
    }

    #[test]
    fn a_message_has_a_size_that_grpc_can_carry() {
        assert_eq!(message_size("64MiB"), Ok(64 << 20));
        assert_eq!(message_size("2147483647B"), Ok(2_147_483_647));
        assert!(message_size("2GiB").unwrap_err().contains("at most `2047MiB`"));
        assert!(message_size("0").is_err());
    }

    #[test]
    fn a_group_is_one_word() {
        for text in ["plugins", "1000", "www-data", "a.b"] {
            assert_eq!(group(text).as_deref(), Ok(text));
        }
        for text in ["", "a b", "a:b", "a\n", "a/b"] {
            assert!(group(text).is_err(), "{text}");
        }
    }
}
