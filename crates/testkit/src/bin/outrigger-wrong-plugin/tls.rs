//! AutoMTLS, both roles, with a certificate of this process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, DistinguishedName, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::listen::Role;
use crate::peer::Pinned;
use crate::wrong::is;

/// What both roles need.
#[derive(Clone)]
pub(crate) struct Tls {
    host: Vec<CertificateDer<'static>>,
    certificate: CertificateDer<'static>,
    key: Arc<PrivateKeyDer<'static>>,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Tls {
    /// As the environment says; `None` without AutoMTLS.
    pub(crate) fn from_environment() -> Result<Option<Self>, Failed> {
        let pem = std::env::var("PLUGIN_CLIENT_CERT").unwrap_or_default();
        if pem.is_empty() {
            return Ok(None);
        }
        let host: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let host = host.ok().filter(|host| !host.is_empty());
        let host = host.ok_or("PLUGIN_CLIENT_CERT holds no certificate")?;
        let (certificate, key) = generate()?;
        Ok(Some(Self { host, certificate, key: Arc::new(key) }))
    }

    /// The certificate that the line announces.
    pub(crate) fn announced(&self) -> &[u8] {
        &self.certificate
    }

    /// For connections that come in.
    pub(crate) fn acceptor(&self, role: Role) -> Result<TlsAcceptor, Failed> {
        let main = role == Role::Main;
        let anybody = if main { is("any-client") } else { is("brokered-anyone") };
        let mut pinned = Pinned::new(self.host.clone(), anybody, &algorithms());
        if main && is("authorities") {
            pinned.authorities = vec![DistinguishedName::from(
                b"0\x0c1\x0a0\x08\x06\x03U\x04\x03\x0c\x01x".to_vec(),
            )];
        }
        let versions: &[&SupportedProtocolVersion] = if main && is("tls-1-3-alone") {
            &[&rustls::version::TLS13]
        } else {
            rustls::ALL_VERSIONS
        };
        let (certificate, key) = if main && is("other-certificate") {
            generate()?
        } else {
            (self.certificate.clone(), self.key.clone_key())
        };
        let mut config = ServerConfig::builder_with_provider(algorithms())
            .with_protocol_versions(versions)?
            .with_client_cert_verifier(Arc::new(pinned))
            .with_single_cert(vec![certificate], key)?;
        if !(main && is("no-alpn")) {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// For connections that go out.
    pub(crate) fn connector(&self) -> Result<(TlsConnector, ServerName<'static>), Failed> {
        let pinned = Pinned::new(self.host.clone(), is("any-host"), &algorithms());
        let mut config = ClientConfig::builder_with_provider(algorithms())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = if is("dials-unnamed") { "unused" } else { "localhost" };
        Ok((TlsConnector::from(Arc::new(config)), ServerName::try_from(name)?))
    }
}

fn algorithms() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if !is("no-p521") {
        provider.signature_verification_algorithms =
            aws_lc_rs::default_provider().signature_verification_algorithms;
    }
    Arc::new(provider)
}

/// A new certificate; of a length that base64 pads, where that matters.
fn generate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Failed> {
    loop {
        let (certificate, key) = generate_any()?;
        if certificate.len() % 3 != 0 || !is("padded-certificate") {
            return Ok((certificate, key));
        }
    }
}

fn generate_any() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Failed> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let names = if is("no-name") { Vec::new() } else { vec!["localhost".to_owned()] };
    let mut params = CertificateParams::new(names)?;
    let now = SystemTime::now();
    let from = if is("not-yet-valid") { now + DAY } else { now - Duration::from_secs(30) };
    params.not_before = from.into();
    params.not_after = (now + 365 * DAY).into();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if !is("server-only") {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    }
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((certificate, key))
}
