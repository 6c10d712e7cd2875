//! Which files of a folder are none of the plugin's sources.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Folders of tools, wherever they are.
const FOLDERS: [&str; 14] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".idea",
    ".vscode",
    ".venv",
    ".gradle",
    ".cache",
    ".mypy_cache",
    ".pytest_cache",
    "target",
    "node_modules",
    "__pycache__",
];

/// What editors leave for a moment while they save.
const PASSING: [&str; 8] = ["*~", "*.swp", "*.swo", "*.swx", ".#*", "#*#", "*.tmp", "4913"];

/// Patterns for names anywhere, and for paths from the folder.
#[derive(Debug)]
pub(super) struct Ignore {
    names: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Ignore {
    /// The usual ones and further ones; `out` is where the build puts things.
    pub(super) fn new(patterns: &[String], out: Option<&Path>) -> Result<Self, Failure> {
        let usual = FOLDERS.iter().chain(&PASSING).map(|name| (*name).to_owned());
        let mut ignore = Self { names: usual.collect(), paths: Vec::new() };
        for pattern in patterns {
            let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
            if trimmed.is_empty() || trimmed.starts_with('/') {
                let text = format!("--ignore `{pattern}`: give a name, or a path in DIR");
                return Err(Failure::Usage(text));
            }
            if trimmed.contains('/') {
                ignore.paths.push(trimmed.into());
            } else {
                ignore.names.push(trimmed.to_owned());
            }
        }
        let out = out.map(|out| out.strip_prefix(".").unwrap_or(out).to_owned());
        ignore.paths.extend(out);
        Ok(ignore)
    }

    /// Whether a file, or a folder with all that is in it, is left out. The path
    /// is from the folder that is watched.
    pub(super) fn leaves_out(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let by_name = self.names.iter().any(|pattern| fits(pattern, &name));
        by_name || self.paths.iter().any(|pattern| fits_path(pattern, path))
    }
}

fn fits_path(pattern: &Path, path: &Path) -> bool {
    let pairs = pattern.components().zip(path.components());
    pattern.components().count() == path.components().count()
        && pairs.into_iter().all(|(pattern, part)| {
            let (pattern, part) = (pattern.as_os_str(), part.as_os_str());
            fits(&pattern.to_string_lossy(), &part.to_string_lossy())
        })
}

/// Whether a name fits a pattern, in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(before) else { return false };
    let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.any(|at| fits(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        for (pattern, name, expected) in [
            ("*.log", "a.log", true),
            ("*.log", "a.logs", false),
            ("a*b*c", "a__b__c", true),
            ("a*b*c", "a__c", false),
            ("*", "", true),
            ("*é", "né", true),
            ("name", "name", true),
            ("name", "names", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn tools_editors_the_output_and_what_was_asked_for_are_left_out() {
        let patterns = ["*.log".to_owned(), "gen/*.rs".to_owned(), "./web/".to_owned()];
        let ignore = Ignore::new(&patterns, Some(Path::new("./dist"))).unwrap();
        for path in ["target", "a/node_modules", "b.rs~", "x/y.log", "gen/a.rs", "web", "dist"] {
            assert!(ignore.leaves_out(Path::new(path)), "{path}");
        }
        for path in ["src", "src/main.rs", "gen/a/b.rs", "a/dist", "gen"] {
            assert!(!ignore.leaves_out(Path::new(path)), "{path}");
        }
        assert!(Ignore::new(&["/abs".to_owned()], None).is_err());
    }
}
