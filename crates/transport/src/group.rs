//! A group of this machine, as an operator writes it: a number or a name.

use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

/// Where groups have names. Directories such as LDAP are not asked: their
/// libraries cannot be used from a program that may be linked statically, and a
/// number says the same.
const GROUPS: &str = "/etc/group";

/// A group that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// There is no such name.
    #[error("no group is called `{}` in {GROUPS}; give its number, or make it", .name.escape_debug())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The names could not be read.
    #[error("{GROUPS} cannot be read: {0}; give the group's number")]
    Unreadable(#[source] io::Error),
}

/// The id of a group that is given by number or by name; a text that is a number
/// is one.
///
/// # Errors
///
/// [`GroupError`] for a name that cannot be looked up.
pub(crate) fn group_id(text: &str) -> Result<u32, GroupError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let groups = std::fs::read(GROUPS).map_err(GroupError::Unreadable)?;
    let groups = String::from_utf8_lossy(&groups);
    find(&groups, text).ok_or_else(|| GroupError::Unknown { name: text.to_owned() })
}

/// Gives `path` to the group, with this mode.
///
/// # Errors
///
/// The system's, which is about permission for whoever is not in the group.
pub(crate) fn give(path: &Path, group: u32, mode: u32) -> io::Result<()> {
    chown(path, None, Some(group))?;
    // After the change of the group, which may reset bits.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// A line is `name:password:id:members`.
fn find(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_no_name_and_a_name_is_looked_up() {
        assert_eq!(group_id("4711").unwrap(), 4711);
        assert_eq!(group_id("root").unwrap(), 0);
        let error = group_id("no such group\n").unwrap_err().to_string();
        assert!(error.contains(r"`no such group\n`"), "{error}");
    }

    #[test]
    fn a_name_is_the_whole_first_field() {
        let groups = "wheel:x:10:me\nw:x:11:\n+\nbroken:x\n";
        assert_eq!(find(groups, "wheel"), Some(10));
        assert_eq!(find(groups, "w"), Some(11));
        for name in ["whee", "", "me", "broken"] {
            assert_eq!(find(groups, name), None, "{name}");
        }
    }
}
