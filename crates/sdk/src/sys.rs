//! The one place of this crate with `unsafe`: taking variables out of the
//! process's environment.
#![expect(unsafe_code, reason = "changing the environment is unsafe by signature")]

/// Removes variables if nothing else of this process can look at them: that is,
/// if it has one thread. Tells whether it did.
pub(crate) fn remove_variables(names: &[&str]) -> bool {
    if threads() != Some(1) {
        return false;
    }
    for name in names {
        // SAFETY: the environment must not be read or written by another thread
        // meanwhile. The one thread that this process has is this one, and it
        // starts no other before it returns.
        unsafe { std::env::remove_var(name) };
    }
    true
}

/// How many threads this process has, as the kernel counts them.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_threads_keeps_its_environment() {
        let (keep, kept) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || kept.recv());
        assert!(threads() > Some(1));
        assert!(!remove_variables(&["PATH"]));
        assert!(std::env::var_os("PATH").is_some());
        drop(keep);
        let _ended = other.join().unwrap();
    }
}
