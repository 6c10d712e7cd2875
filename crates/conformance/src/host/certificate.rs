//! What a certificate is like, as far as the rules ask.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::time::ASN1Time;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The first certificate in a PEM text, in DER.
pub(crate) fn first_in(pem: &str) -> Option<Vec<u8>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(|der| der.to_vec())
}

/// The issuer's name, in DER.
pub(crate) fn issuer(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.issuer().as_raw().to_vec())
}

/// What is wrong with the form of a PEM text that should be one block with
/// line feeds.
pub(crate) fn wrong_form(pem: &str) -> Option<String> {
    let wrong = if pem.contains('\r') {
        "it has carriage returns"
    } else if pem.contains("\\n") {
        "its line ends are written as backslash and n"
    } else if pem.matches(BEGIN).count() != 1 || pem.matches("-----BEGIN ").count() != 1 {
        "it is not exactly one block CERTIFICATE"
    } else if !pem.starts_with(&format!("{BEGIN}\n")) || !pem.trim_end().ends_with(END) {
        "something stands before or after the block"
    } else if first_in(pem).is_none() {
        "its base64 cannot be read"
    } else {
        return None;
    };
    Some(wrong.to_owned())
}

/// What the rules ask of an exchanged certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Properties {
    /// DNS names among the alternative names.
    pub(crate) names: Vec<String>,
    /// Whether it is allowed to be a client's, and a server's.
    pub(crate) client: bool,
    pub(crate) server: bool,
    /// Seconds from its first moment until now; negative if that is to come.
    pub(crate) age: i64,
    /// Seconds until its last moment.
    pub(crate) left: i64,
    /// Bytes of DER.
    pub(crate) size: usize,
}

impl Properties {
    /// # Errors
    ///
    /// What the parser says.
    pub(crate) fn of(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.clone()).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        let usage = certificate.extensions().iter().find_map(|extension| {
            match extension.parsed_extension() {
                ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
                _ => None,
            }
        });
        let now = ASN1Time::now().timestamp();
        let validity = certificate.validity();
        Ok(Self {
            names: names.collect(),
            client: usage.is_none_or(|usage| usage.any || usage.client_auth),
            server: usage.is_none_or(|usage| usage.any || usage.server_auth),
            age: now - validity.not_before.timestamp(),
            left: validity.not_after.timestamp() - now,
            size: der.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like_go() -> crate::identity::Identity {
        crate::identity::Identity::p521().unwrap()
    }

    #[test]
    fn a_certificate_s_properties_are_found() {
        let der = like_go().certified().cert[0].clone();
        let found = Properties::of(&der).unwrap();
        assert_eq!(found.names, ["localhost"]);
        assert!(found.client && found.server && found.age > 0 && found.left > 0);
        assert_eq!(found.size, der.len());
        assert!(Properties::of(b"no certificate").is_err());
    }

    #[test]
    fn a_block_of_pem_has_one_form() {
        let right = like_go().pem().to_owned();
        assert_eq!(wrong_form(&right), None);
        assert_eq!(wrong_form(right.trim_end()), None);
        assert_eq!(first_in(&right).unwrap(), like_go().certified().cert[0].to_vec());
        for (from, to) in
            [("\n", "\r\n"), ("\n", "\\n"), (BEGIN, "-----BEGIN X-----"), (BEGIN, "x")]
        {
            assert!(wrong_form(&right.replace(from, to)).is_some(), "{from:?} as {to:?}");
        }
        assert!(wrong_form(&format!("{right}{right}")).is_some());
        assert!(wrong_form("").is_some());
    }
}
