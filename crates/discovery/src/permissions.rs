//! Who else could change the files that decide what runs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::warning::Warning;

const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Looks at `path` and the directory it stands in. What cannot be looked at
/// gives no warning: whoever reads the file next reports that better.
pub(crate) fn check(path: &Path) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for path in [Some(path), path.parent()].into_iter().flatten() {
        let Ok(found) = fs::metadata(path) else {
            continue;
        };
        // In a sticky directory nobody can replace another's file.
        let sticky = found.is_dir() && found.mode() & STICKY != 0;
        if found.mode() & WRITABLE_BY_OTHERS != 0 && !sticky {
            let mode = found.mode() & 0o7777;
            warnings.push(Warning::WritableByOthers { path: path.to_owned(), mode });
        }
        let uid = found.uid();
        if uid != 0 && uid != rustix::process::geteuid().as_raw() {
            warnings.push(Warning::OwnedByOther { path: path.to_owned(), uid });
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn twelve_layouts_are_judged_as_expected() {
        let rows = [
            (0o700, 0o600, 0),
            (0o755, 0o644, 0),
            (0o1777, 0o644, 0),
            (0o1777, 0o600, 0),
            (0o750, 0o640, 0),
            (0o775, 0o644, 1),
            (0o777, 0o644, 1),
            (0o755, 0o664, 1),
            (0o755, 0o646, 1),
            (0o755, 0o666, 1),
            (0o777, 0o666, 2),
            (0o775, 0o660, 2),
        ];
        for (dir_mode, file_mode, expected) in rows {
            let outer = tempfile::tempdir().unwrap();
            let dir = outer.path().join("plugins");
            let file = dir.join("acme.zip");
            fs::create_dir(&dir).unwrap();
            fs::write(&file, "zip").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(file_mode)).unwrap();
            fs::set_permissions(&dir, Permissions::from_mode(dir_mode)).unwrap();
            let warnings = check(&file);
            assert_eq!(warnings.len(), expected, "{dir_mode:o} {file_mode:o}: {warnings:?}");
        }
    }

    #[test]
    fn a_file_that_is_missing_gives_no_warning() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(&dir.path().join("missing")).is_empty());
    }
}
