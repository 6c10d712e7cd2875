//! Telling one process from the next that has its number.

use std::fs;

/// Parents further up than this are not looked at.
const GENERATIONS: usize = 64;

/// When a process started, in the kernel's clock ticks since the machine did:
/// field 22 of its `stat`. With the pid it names a process for good. `None` if
/// there is no such process.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    field(&fs::read(format!("/proc/{pid}/stat")).ok()?, 22)
}

/// Whether a process is another one or descends from it.
pub(crate) fn descends_from(pid: u32, ancestor: u32) -> bool {
    let parent = |pid: &u32| {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        u32::try_from(field(&stat, 4)?).ok()
    };
    std::iter::successors(Some(pid), parent).take(GENERATIONS).any(|pid| pid == ancestor)
}

/// A number of a `stat` line. The second field is the program's name in
/// parentheses, which may hold spaces and parentheses itself, so the count
/// starts behind the last one.
fn field(stat: &[u8], number: usize) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = b"7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        assert_eq!(field(stat, 4), Some(3));
        assert_eq!(field(stat, 22), Some(987_654));
        assert_eq!(field(b"", 22), None);
        assert_eq!(field(b"7 (a", 22), None);
    }

    #[test]
    fn this_process_has_a_start_time_and_descends_from_its_parent() {
        let pid = std::process::id();
        assert!(start_time(pid).is_some_and(|time| time > 0));
        assert!(descends_from(pid, std::os::unix::process::parent_id()));
        assert!(descends_from(pid, pid) && !descends_from(1, pid));
        assert_eq!(start_time(u32::MAX), None);
    }
}
