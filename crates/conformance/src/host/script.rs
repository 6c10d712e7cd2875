//! The executable that a host is given: a script that starts the fixture and
//! holds its orders.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::fixture::FIXTURE_COMMAND;
use super::plan::Orders;

/// The kernel reads no more of a script's first line, in the oldest kernels
/// that matter.
const LONGEST_FIRST_LINE: usize = 127;

/// Writes the script at `path`. Nothing stands between host and fixture: the
/// kernel starts the fixture itself, where its path allows that.
pub(crate) fn write(path: &Path, fixture: &Path, orders: &Orders) -> io::Result<()> {
    let mut text = head(fixture);
    serde_json::to_writer(&mut text, orders)?;
    text.push(b'\n');
    executable(path, &text)
}

/// A script whose interpreter does not exist.
pub(crate) fn write_without_interpreter(path: &Path) -> io::Result<()> {
    executable(path, b"#!/nonexistent/interpreter\n")
}

fn head(fixture: &Path) -> Vec<u8> {
    let fixture = fixture.as_os_str().as_bytes();
    let direct = [b"#!", fixture, b" ", FIXTURE_COMMAND.as_bytes(), b"\n"].concat();
    if direct.len() <= LONGEST_FIRST_LINE && !fixture.iter().any(u8::is_ascii_whitespace) {
        return direct;
    }
    let mut quoted = Vec::new();
    for byte in fixture {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            byte => quoted.push(*byte),
        }
    }
    let command = [b"exec '", &quoted[..], b"' ", FIXTURE_COMMAND.as_bytes(), b" \"$0\" \"$@\"\n"];
    [&b"#!/bin/sh\n"[..], &command.concat()].concat()
}

fn executable(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::io::Write as _;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o755).open(path)?.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_the_kernel_would_not_take_goes_through_a_shell() {
        let text = |path: &str| String::from_utf8(head(Path::new(path))).unwrap();
        assert_eq!(text("/bin/outrigger"), "#!/bin/outrigger check-fixture\n");
        let shell = text("/a b/it's");
        assert!(shell.starts_with("#!/bin/sh\nexec '/a b/it'\\''s' check-fixture"), "{shell}");
        assert!(text(&format!("/{}", "x".repeat(200))).starts_with("#!/bin/sh\n"));
    }
}
