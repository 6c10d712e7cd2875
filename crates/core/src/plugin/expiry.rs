//! When a certificate ends.

use yasna::models::{GeneralizedTime, UTCTime};
use yasna::tags::{TAG_GENERALIZEDTIME, TAG_UTCTIME};
use yasna::{ASN1Result, Tag, parse_der};

/// The last moment of a certificate in DER, in seconds since 1970; `None` where it
/// cannot be read.
pub(super) fn not_after(der: &[u8]) -> Option<i64> {
    let certificate = parse_der(der, |reader| {
        reader.read_sequence(|reader| {
            let end = reader.next().read_sequence(|signed| {
                let version = Tag::context(0);
                signed.read_optional(|reader| {
                    reader.read_tagged(version, |inner| inner.read_der())
                })?;
                // Serial number, algorithm, issuer.
                for _ in 0..3 {
                    signed.next().read_der()?;
                }
                let end = signed.next().read_sequence(|validity| {
                    validity.next().read_der()?;
                    validity.next().read_tagged_der()
                })?;
                while signed.read_optional(|reader| reader.read_der())?.is_some() {}
                Ok(end)
            })?;
            // Algorithm, signature.
            reader.next().read_der()?;
            reader.next().read_der()?;
            ASN1Result::Ok(end)
        })
    });
    let end = certificate.ok()?;
    match end.tag() {
        TAG_UTCTIME => Some(UTCTime::parse(end.value())?.datetime().unix_timestamp()),
        TAG_GENERALIZEDTIME => {
            Some(GeneralizedTime::parse(end.value())?.datetime().unix_timestamp())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::not_after;

    fn ending(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_says_when_it_ends() {
        assert_eq!(not_after(&ending(2030)), Some(1_893_456_000));
        // From 2050 on in another form.
        assert_eq!(not_after(&ending(2060)), Some(2_840_140_800));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let certificate = ending(2030);
        for length in 0..certificate.len() {
            assert_eq!(not_after(&certificate[..length]), None, "{length}");
        }
    }
}
