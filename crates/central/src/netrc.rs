//! Users and passwords from a netrc file.

/// A user and a password for a host: of its own entry, or else of `default`.
pub(crate) fn find(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut words = words.by_ref().flat_map(str::split_whitespace);
    // Whether the entry at hand is the host's own, the default, or another's.
    let (mut own, mut default) = (false, false);
    let (mut of_host, mut of_default) = (Entry::default(), Entry::default());
    while let Some(word) = words.next() {
        let entry = if own { Some(&mut of_host) } else { default.then_some(&mut of_default) };
        match word {
            "machine" => {
                own = words.next() == Some(host) && of_host.login.is_none();
                default = false;
            }
            "default" => (own, default) = (false, true),
            "login" => {
                let login = words.next().map(str::to_owned);
                if let Some(entry) = entry {
                    entry.login = login;
                }
            }
            "password" => {
                let password = words.next().map(str::to_owned);
                if let Some(entry) = entry {
                    entry.password = password;
                }
            }
            "account" => drop(words.next()),
            _ => {}
        }
    }
    of_host.complete().or_else(|| of_default.complete())
}

#[derive(Default)]
struct Entry {
    login: Option<String>,
    password: Option<String>,
}

impl Entry {
    fn complete(self) -> Option<(String, String)> {
        Some((self.login?, self.password.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_host_or_else_the_default_s() {
        let text = "# ours\nmachine a.example login one password first\nmachine b.example\n  login two\n  account x\n  password second\ndefault login three password third\n";
        let of = |host| find(text, host).unwrap();
        assert_eq!(of("a.example"), ("one".into(), "first".into()));
        assert_eq!(of("b.example"), ("two".into(), "second".into()));
        assert_eq!(of("c.example"), ("three".into(), "third".into()));
        assert_eq!(find("machine a.example login x", "c.example"), None);
        assert_eq!(find("login x password y", "c.example"), None);
    }
}
