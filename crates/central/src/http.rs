//! One request to one server, within its limits.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret as _;

use crate::address::same_host;
use crate::error::shown;
use crate::pin::{Chain, Checked};
use crate::{Config, ConfigError, FetchError, netrc};

/// Redirects that are followed, all to the same host.
const REDIRECTS: usize = 5;

/// Largest netrc, certificate or key file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// A client for one central's servers.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    config: Arc<Config>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// Where an interrupted answer goes on.
#[derive(Debug, Clone)]
pub(crate) struct Resume {
    pub(crate) from: u64,
    /// What the server called the answer before.
    pub(crate) validator: HeaderValue,
}

impl Http {
    pub(crate) fn new(config: Arc<Config>) -> Result<Self, ConfigError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&config)?)
            .connect_timeout(config.limits.connect)
            .read_timeout(config.limits.idle)
            .user_agent(concat!("outrigger/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(|attempt| {
                let Some(first) = attempt.previous().first() else { return attempt.stop() };
                if !same_host(first, attempt.url()) {
                    return attempt.error("it redirects to another host");
                }
                if attempt.previous().len() > REDIRECTS {
                    return attempt.error("it redirects too often");
                }
                attempt.follow()
            }));
        if let Some(proxy) = &config.proxy {
            // The text may hold a password.
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|_| ConfigError::Setup("`proxy` is no URL; correct it".to_owned()))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| ConfigError::Setup(error.to_string()))?;
        let header = match &config.header {
            None => None,
            Some((name, value)) => {
                let name = HeaderName::from_bytes(name.as_bytes());
                let value = HeaderValue::from_str(value.expose_secret());
                let (Ok(name), Ok(mut value)) = (name, value) else {
                    return Err(ConfigError::Header);
                };
                value.set_sensitive(true);
                Some((name, value))
            }
        };
        Ok(Self { client, config, header })
    }

    /// Asks for a URL; what is not found is an error.
    pub(crate) async fn get(
        &self,
        url: &Url,
        resume: Option<&Resume>,
    ) -> Result<Response, FetchError> {
        let mut request = self.client.get(url.clone()).headers(self.headers(url));
        if let Some(resume) = resume {
            request = request
                .header(RANGE, format!("bytes={}-", resume.from))
                .header(IF_RANGE, resume.validator.clone());
        }
        if let Some((user, password)) = self.password(url)? {
            request = request.basic_auth(user, Some(password));
        }
        let response = request.send().await.map_err(|error| FetchError::http(&error))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::PARTIAL_CONTENT if resume.is_some() => Ok(response),
            status => {
                let body = self.start_of(response).await;
                Err(FetchError::Status { code: status.as_u16(), status: status.to_string(), body })
            }
        }
    }

    /// The start of an answer that nobody wants.
    async fn start_of(&self, mut response: Response) -> String {
        let mut start = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            start.extend_from_slice(&piece);
            if start.len() >= 1_024 {
                break;
            }
        }
        shown(&start)
    }

    /// The header goes to the first base's host and to no mirror's.
    fn headers(&self, url: &Url) -> HeaderMap {
        let first = self.config.bases.first();
        let own = first.is_some_and(|base| same_host(base.url(), url));
        self.header.clone().filter(|_| own).into_iter().collect()
    }

    fn password(&self, url: &Url) -> Result<Option<(String, String)>, FetchError> {
        let (Some(path), Some(host)) = (&self.config.netrc, url.host_str()) else {
            return Ok(None);
        };
        let text = read(path).map_err(|source| {
            let what = format!("netrc file {} cannot be read", path.display());
            FetchError::Disk { what, source }
        })?;
        Ok(netrc::find(&String::from_utf8_lossy(&text), host))
    }
}

fn tls(config: &Config) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let setup = |error: &dyn std::error::Error| ConfigError::Setup(error.to_string());
    let chain = chain(config, &provider)?;
    let checked = Arc::new(Checked::new(chain, config.pin, provider.clone()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| setup(&error))?
        .dangerous()
        .with_custom_certificate_verifier(checked);
    let Some((certificate, key)) = &config.client else { return Ok(builder.with_no_client_auth()) };
    let wrong = |path: &Path, text: String| ConfigError::File { path: path.to_owned(), text };
    let pem = |path: &Path| read(path).map_err(|error| wrong(path, error.to_string()));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(certificate, "it is not PEM".to_owned()))?;
    let private = PrivateKeyDer::from_pem_slice(&pem(key)?)
        .map_err(|_| wrong(key, "it is not PEM".to_owned()))?;
    builder
        .with_client_auth_cert(chain, private)
        .map_err(|error| wrong(certificate, error.to_string()))
}

fn chain(config: &Config, provider: &Arc<CryptoProvider>) -> Result<Chain, ConfigError> {
    if config.skip_tls_verify {
        tracing::warn!("the certificate of the plugin central {config} is not verified");
        return Ok(Chain::Unverified);
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        // A central over plain HTTP, or a mirror, needs none.
        return Ok(Chain::NoAuthorities);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map(Chain::Verified)
        .map_err(|error| ConfigError::Setup(error.to_string()))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > LARGEST_FILE {
        return Err(std::io::Error::other("it is too large"));
    }
    fs::read(path)
}
