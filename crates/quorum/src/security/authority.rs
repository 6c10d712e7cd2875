//! What a token grants, as pure functions.

use std::time::SystemTime;

use outrigger::security::{AuthenticationToken, GrantedAuthority};

use super::SecurityError;

/// Checks that a token grants a call of `method` at `now`.
///
/// A method is split at its first `_` into a service and a method, each of which
/// an authority names or leaves open by `*`. A method without `_` belongs to no
/// service, so that nothing grants it.
///
/// # Errors
///
/// [`SecurityError`], of which the first that fits is given: no valid end,
/// expired, denied.
pub fn authorise(
    token: &AuthenticationToken,
    method: &str,
    now: SystemTime,
) -> Result<(), SecurityError> {
    alive(token, now)?;
    let denied = || SecurityError::Denied(shown(method));
    let (service, name) = method.split_once('_').ok_or_else(denied)?;
    let fits = |granted: &str, asked: &str| granted == "*" || granted == asked;
    let grants = |authority: &GrantedAuthority| {
        fits(&authority.service, service) && fits(&authority.method, name)
    };
    if token.authorities.iter().any(grants) { Ok(()) } else { Err(denied()) }
}

/// Checks that a token has not ended.
pub(super) fn alive(token: &AuthenticationToken, now: SystemTime) -> Result<(), SecurityError> {
    let end = token.expires_at.ok_or(SecurityError::InvalidTimestamp)?;
    if end > now { Ok(()) } else { Err(SecurityError::Expired) }
}

/// A caller's text in an error that may be logged.
fn shown(method: &str) -> String {
    method.chars().take(128).collect::<String>().escape_debug().to_string()
}

/// The private state that a caller may use: the one that it asked for, if the
/// token grants it by an authority such as `psi://PS1?…`, or else the only one
/// that the token grants.
///
/// # Errors
///
/// [`SecurityError`]: it is not granted, or there is not exactly one.
pub fn authorise_psi(
    token: &AuthenticationToken,
    asked: Option<&str>,
) -> Result<String, SecurityError> {
    let mut granted: Vec<String> = Vec::new();
    for psi in token.authorities.iter().filter_map(|authority| psi(&authority.raw)) {
        let known = granted.iter().any(|known| known.eq_ignore_ascii_case(psi));
        if !known {
            granted.push(psi.to_owned());
        }
    }
    match (asked, granted.as_mut_slice()) {
        (Some(asked), granted) => {
            let found = granted.iter().any(|psi| psi.eq_ignore_ascii_case(asked));
            if found { Ok(asked.to_owned()) } else { Err(SecurityError::PsiDenied) }
        }
        (None, []) => Err(SecurityError::NoPsi),
        (None, [only]) => Ok(std::mem::take(only)),
        (None, _) => Err(SecurityError::PsiAmbiguous),
    }
}

/// The host of a URL whose scheme is `psi`.
fn psi(raw: &str) -> Option<&str> {
    let (scheme, rest) = raw.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("psi") && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const NOW: u64 = 1_000;

    fn token(end: Option<u64>, granted: &[(&str, &str, &str)]) -> AuthenticationToken {
        let end = end.map(|end| UNIX_EPOCH + Duration::from_secs(end));
        let authority = |(service, method, raw): &(&str, &str, &str)| GrantedAuthority {
            service: (*service).to_owned(),
            method: (*method).to_owned(),
            raw: (*raw).to_owned(),
        };
        let authorities = granted.iter().map(authority).collect();
        AuthenticationToken::new(Vec::new().into(), end, authorities)
    }

    fn granted(authorities: &[(&str, &str)], method: &str) -> Result<(), SecurityError> {
        let authorities: Vec<_> =
            authorities.iter().map(|(service, method)| (*service, *method, "")).collect();
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        authorise(&token(Some(NOW + 1), &authorities), method, now)
    }

    #[test]
    fn an_authority_grants_what_it_names_and_what_it_leaves_open() {
        let method = "eth_someMethod";
        for (authorities, expected) in [
            (&[][..], false),
            (&[("", "")], false),
            (&[("eth", "someMethod")], true),
            (&[("eth", "other")], false),
            (&[("net", "someMethod")], false),
            (&[("*", "someMethod")], true),
            (&[("*", "other")], false),
            (&[("eth", "*")], true),
            (&[("net", "*")], false),
            (&[("*", "*")], true),
            (&[("net", "version"), ("eth", "*")], true),
            (&[("Eth", "*")], false),
            (&[("eth", "some*")], false),
        ] {
            assert_eq!(granted(authorities, method).is_ok(), expected, "{authorities:?}");
        }
    }

    #[test]
    fn a_denied_call_is_named_and_one_without_a_service_is_never_granted() {
        let error = granted(&[], "eth_someMethod").unwrap_err();
        assert_eq!(error.to_string(), "eth_someMethod - access denied");
        assert_eq!(error.to_object().code(), -32_001);
        let error = granted(&[("*", "*")], "someMethod").unwrap_err();
        assert_eq!(error.to_string(), "someMethod - access denied");
        granted(&[("eth", "get_x")], "eth_get_x").unwrap();
        let forged = granted(&[], "a_b\n\u{1b}").unwrap_err().to_string();
        assert!(!forged.contains(char::is_control), "{forged:?}");
    }

    #[test]
    fn a_token_that_has_ended_or_never_ends_grants_nothing() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let of = |end| authorise(&token(end, &[("*", "*", "")]), "eth_x", now);
        assert_eq!(of(Some(NOW + 1)), Ok(()));
        assert_eq!(of(Some(NOW)), Err(SecurityError::Expired));
        assert_eq!(of(Some(NOW - 1)), Err(SecurityError::Expired));
        assert_eq!(of(None), Err(SecurityError::InvalidTimestamp));
        assert_eq!(SecurityError::Expired.to_string(), "token expired");
    }

    #[test]
    fn a_private_state_is_granted_by_the_host_of_its_url() {
        let of = |raws: &[&str], asked: Option<&str>| {
            let raws: Vec<_> = raws.iter().map(|raw| ("", "", *raw)).collect();
            authorise_psi(&token(None, &raws), asked)
        };
        let one = ["psi://PS1?self.eoa=0x0", "rpc://eth_*"];
        assert_eq!(of(&one, None).unwrap(), "PS1");
        assert_eq!(of(&one, Some("ps1")).unwrap(), "ps1");
        assert_eq!(of(&["PSI://ps1/x"], Some("PS1")).unwrap(), "PS1");
        assert_eq!(of(&["psi://PS1", "psi://ps1?x"], None).unwrap(), "PS1");
        for (raws, asked, expected) in [
            (&one[..], Some("PS2"), "not authorized"),
            (&["rpc://eth_*", "psi://"], None, "no private state identifiers found"),
            (
                &["psi://PS1", "psi://PS2"],
                None,
                "found multiple authorized private state identifiers",
            ),
            (&[], Some("PS1"), "not authorized"),
        ] {
            assert_eq!(of(raws, asked).unwrap_err().to_string(), expected, "{raws:?}");
        }
    }
}
