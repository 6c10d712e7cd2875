//! What a client is made from.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::progress::OnDownload;
use crate::{Address, AddressError, Pin, PinError, Template, TemplateError};

/// A plugin central, and how it is talked to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The base, and what is tried after it.
    pub bases: Vec<Address>,
    /// The public key, by a reference to the base.
    pub public_key: String,
    /// Where distributions lie.
    pub distribution: Template,
    /// Where signatures lie.
    pub signature: Template,
    /// The server's certificate or key, if it is pinned.
    pub pin: Option<Pin>,
    /// Whether the server's chain goes unchecked. Dangerous.
    pub skip_tls_verify: bool,
    /// A header's name and value, for the first base's host alone.
    pub header: Option<(String, SecretString)>,
    /// A netrc file.
    pub netrc: Option<PathBuf>,
    /// The client's certificate and key, in PEM.
    pub client: Option<(PathBuf, PathBuf)>,
    /// A proxy's URL; by default the environment's.
    pub proxy: Option<String>,
    /// Limits on time and size.
    pub limits: Limits,
    /// Who is told how far downloads have come.
    pub on_download: Option<OnDownload>,
}

/// Limits on time and size.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a connection; 10 s.
    pub connect: Duration,
    /// Between two pieces of an answer; 15 s.
    pub idle: Duration,
    /// For a signature or key, all tries included; 30 s.
    pub small: Duration,
    /// For a distribution, all tries included; 10 min.
    pub distribution: Duration,
    /// The largest distribution, in bytes; 256 MiB.
    pub largest: u64,
    /// Tries at each base; 3.
    pub tries: usize,
    /// The first pause between two tries, which doubles and is never exact;
    /// 200 ms.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            small: Duration::from_secs(30),
            distribution: Duration::from_secs(600),
            largest: 256 << 20,
            tries: 3,
            pause: Duration::from_millis(200),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A base cannot be used.
    #[error("plugin central: {0}")]
    Address(#[from] AddressError),
    /// A path template cannot be read.
    #[error("plugin central: {0}")]
    Template(#[from] TemplateError),
    /// The pin cannot be read.
    #[error("plugin central: {0}")]
    Pin(#[from] PinError),
    /// The header is none. Nothing of it is shown.
    #[error("plugin central: `header` is no `Name: value`; correct it")]
    Header,
    /// A file cannot be used.
    #[error("plugin central: {} cannot be used: {text}; correct it", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        text: String,
    },
    /// TLS or proxy cannot be set up.
    #[error("plugin central: {0}")]
    Setup(String),
}

impl Config {
    /// GoQuorum's fields: base URL, reference to the key, templates.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn new(
        base: &str,
        public_key: &str,
        distribution: &str,
        signature: &str,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            bases: vec![Address::parse(base)?],
            public_key: public_key.to_owned(),
            distribution: Template::parse(distribution)?,
            signature: Template::parse(signature)?,
            pin: None,
            skip_tls_verify: false,
            header: None,
            netrc: None,
            client: None,
            proxy: None,
            limits: Limits::default(),
            on_download: None,
        })
    }

    /// Adds a base that is tried after the others.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Address`].
    pub fn mirror(mut self, base: &str) -> Result<Self, ConfigError> {
        self.bases.push(Address::parse(base)?);
        Ok(self)
    }

    /// Sets the header from a text `Name: value`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Header`].
    pub fn header(mut self, text: &str) -> Result<Self, ConfigError> {
        let (name, value) = text.trim().split_once(':').ok_or(ConfigError::Header)?;
        let value = value.trim();
        let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
        if name.is_empty() || !value.chars().all(plain) {
            return Err(ConfigError::Header);
        }
        self.header = Some((name.to_owned(), value.to_owned().into()));
        Ok(self)
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases: Vec<String> = self.bases.iter().map(Address::to_string).collect();
        f.write_str(&bases.join(", "))
    }
}
