//! A download, for a person who waits.

use std::io::Write;

use outrigger::Download;

/// Cells of the bar.
const WIDTH: u64 = 30;

/// One line that changes, and goes when all is there.
pub(super) fn show(terminal: &mut impl Write, download: Download<'_>) {
    // Nobody's reason to stop.
    let _unread = terminal.write_all(line(download).as_bytes()).and_then(|()| terminal.flush());
}

fn line(Download { file, bytes, of, done, .. }: Download<'_>) -> String {
    let clear = "\r\x1b[K";
    if done {
        return clear.to_owned();
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    // A server names the file.
    let file = file.escape_debug();
    match of.filter(|of| *of > 0) {
        None => format!("{clear}{file}: {:.1} MiB", mib(bytes)),
        Some(of) => {
            let full = (bytes.saturating_mul(WIDTH) / of).min(WIDTH) as usize;
            let (full, rest) = ("#".repeat(full), "-".repeat(WIDTH as usize - full));
            format!("{clear}{file} [{full}{rest}] {:.1} of {:.1} MiB", mib(bytes), mib(of))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: u64, of: Option<u64>, done: bool) -> String {
        line(Download::new("a.zip", bytes, of, done))
    }

    #[test]
    fn a_bar_fills_and_goes_when_all_is_there() {
        let half = shown(1 << 20, Some(2 << 20), false);
        assert!(
            half.ends_with("a.zip [###############---------------] 1.0 of 2.0 MiB"),
            "{half:?}"
        );
        assert!(
            shown(3 << 20, Some(2 << 20), false).contains(&"#".repeat(30)),
            "more than was said"
        );
        assert!(shown(1 << 20, None, false).ends_with("a.zip: 1.0 MiB"));
        assert!(shown(0, Some(0), false).ends_with("a.zip: 0.0 MiB"));
        assert_eq!(shown(2 << 20, Some(2 << 20), true), "\r\x1b[K");
    }
}
