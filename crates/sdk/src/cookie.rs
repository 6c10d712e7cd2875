//! The magic cookie: keeps people from running a plugin by hand. It is no
//! secret and proves nothing.

use std::ffi::OsStr;
use std::path::Path;

/// Why a program refuses to be a plugin. The text is for the person who ran it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The variable is absent or has another value.
    #[error(
        "{program} is a plugin of {host}, and not meant to be run by hand.\n\
         {host} starts it by itself, once it is installed as a plugin; then the environment\n\
         variable {key} has the value that {program} expects, and it has not."
    )]
    NotStartedByHost {
        /// This program's name.
        program: String,
        /// Whom it is made for.
        host: String,
        /// The variable's name.
        key: String,
    },
    /// The plugin's author set no cookie.
    #[error(
        "{program} is a plugin whose author set no magic cookie: both its name and its value\n\
         are needed in `Plugin::new`. It cannot be used as it is."
    )]
    Missing {
        /// This program's name.
        program: String,
    },
}

/// A cookie, and the name of the host that knows it.
#[derive(Debug, Clone)]
pub(crate) struct Cookie {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) host: String,
}

impl Cookie {
    /// Holds the cookie against this process's environment.
    pub(crate) fn check(&self) -> Result<(), CookieError> {
        let program = std::env::args_os().next();
        self.check_with(program.as_deref(), |key| std::env::var(key).ok())
    }

    fn check_with(
        &self,
        program: Option<&OsStr>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(), CookieError> {
        let name = program.map(Path::new).and_then(Path::file_name);
        let program = name.map_or("this program".into(), OsStr::to_string_lossy).into_owned();
        if self.key.is_empty() || self.value.is_empty() {
            return Err(CookieError::Missing { program });
        }
        if variable(&self.key).as_deref() == Some(self.value.as_str()) {
            return Ok(());
        }
        let (host, key) = (self.host.clone(), self.key.clone());
        Err(CookieError::NotStartedByHost { program, host, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str, found: Option<&str>) -> Result<(), CookieError> {
        let cookie = Cookie { key: key.into(), value: value.into(), host: "Ship".into() };
        let variable = |name: &str| {
            assert_eq!(name, key);
            found.map(str::to_owned)
        };
        cookie.check_with(Some(OsStr::new("/opt/anchor")), variable)
    }

    #[test]
    fn the_exact_value_passes_and_nothing_else() {
        assert_eq!(check("K", "v", Some("v")), Ok(()));
        for found in [None, Some(""), Some("V"), Some("v ")] {
            assert!(check("K", "v", found).is_err(), "{found:?}");
        }
    }

    #[test]
    fn the_refusal_names_program_host_and_variable() {
        let text = check("K", "v", None).unwrap_err().to_string();
        assert!(text.starts_with("anchor is a plugin of Ship, and not meant to be run by hand."));
        assert!(text.contains("variable K "), "{text}");
    }

    #[test]
    fn a_plugin_without_a_cookie_never_runs() {
        for (key, value) in [("", "v"), ("K", "")] {
            let refused = check(key, value, Some(value));
            assert_eq!(refused, Err(CookieError::Missing { program: "anchor".into() }));
        }
    }
}
