//! The client: bases in their order, tries at each, all within one limit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use outrigger_discovery::{Central, CentralError};
use outrigger_types::{Platform, PluginDefinition};
use reqwest::Url;
use tokio_util::sync::CancellationToken;

use crate::download::Partial;
use crate::http::Http;
use crate::{Address, Config, ConfigError, FetchError};

/// Largest signature, in bytes.
const SIGNATURE: u64 = 16 * 1_024;
/// Largest public key, in bytes.
const KEY: u64 = 1 << 20;

/// A client of a plugin central. Its calls block: it has a small runtime for
/// each, so that it can be used from anywhere but a runtime's own threads.
#[derive(Debug, Clone)]
pub struct Client {
    config: Arc<Config>,
    http: Http,
    cancel: CancellationToken,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let config = Arc::new(config);
        let http = Http::new(config.clone())?;
        Ok(Self { config, http, cancel: CancellationToken::new() })
    }

    /// Runs a fetch to its end, its limit, or until somebody wants it to end.
    fn run<T>(
        &self,
        limit: Duration,
        fetch: impl Future<Output = Result<T, CentralError>>,
    ) -> Result<T, CentralError> {
        let error = |text: String| CentralError { text };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| error(source.to_string()))?;
        runtime.block_on(async {
            tokio::select! {
                () = self.cancel.cancelled() => Err(error(FetchError::Cancelled.to_string())),
                fetched = tokio::time::timeout(limit, fetch) => fetched.unwrap_or_else(|_| {
                    let url = self.config.to_string();
                    Err(error(FetchError::Late { url, limit }.to_string()))
                }),
            }
        })
    }

    /// Tries the bases in their order, and each a few times.
    async fn everywhere<T>(
        &self,
        reference: &str,
        mut fetch: impl AsyncFnMut(&Url) -> Result<T, FetchError>,
    ) -> Result<T, CentralError> {
        let mut failures: Vec<String> = Vec::new();
        for base in &self.config.bases {
            match self.at(base, reference, &mut fetch).await {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failures.push(failure.to_string()),
            }
        }
        Err(CentralError { text: failures.join("; then ") })
    }

    async fn at<T>(
        &self,
        base: &Address,
        reference: &str,
        fetch: &mut impl AsyncFnMut(&Url) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let url = base.join(reference)?;
        let limits = &self.config.limits;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(limits.pause)
            .with_max_times(limits.tries.saturating_sub(1))
            .with_jitter();
        let mut pauses = pauses.build();
        loop {
            match fetch(&url).await {
                Err(failure) if failure.may_pass() => {
                    let Some(pause) = pauses.next() else { return Err(failure) };
                    tracing::debug!("{failure}; trying again in {pause:?}");
                    tokio::time::sleep(pause).await;
                }
                done => return done,
            }
        }
    }

    /// A small file.
    fn small(&self, reference: &str, limit: u64) -> Result<Vec<u8>, CentralError> {
        let fetch = self.everywhere(reference, async |url: &Url| {
            if let Some(path) = mirrored(url) {
                return read(&path, limit);
            }
            let mut response = self.http.get(url, None).await?;
            let mut bytes = Vec::new();
            while let Some(piece) =
                response.chunk().await.map_err(|error| FetchError::http(&error))?
            {
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > limit {
                    return Err(FetchError::TooLarge { url: url.to_string(), limit });
                }
            }
            Ok(bytes)
        });
        self.run(self.config.limits.small, fetch)
    }
}

/// The path of a `file:` URL.
fn mirrored(url: &Url) -> Option<PathBuf> {
    (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FetchError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
    let what = format!("{} cannot be read", path.display());
    read.map_err(|source| FetchError::Disk { what, source })?;
    if bytes.len() as u64 > limit {
        return Err(FetchError::TooLarge { url: path.display().to_string(), limit });
    }
    Ok(bytes)
}

impl Central for Client {
    fn distribution(
        &self,
        definition: &PluginDefinition,
        platform: &Platform,
        path: &Path,
    ) -> Result<(), CentralError> {
        let reference = self.config.distribution.render(definition, platform);
        let limits = &self.config.limits;
        let failed = |failure: FetchError| CentralError { text: failure.to_string() };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|source| {
                let what = format!("{} cannot be made", directory.display());
                failed(FetchError::Disk { what, source })
            })?;
        }
        let mut partial = Partial::beside(path).map_err(failed)?;
        let fetch = self.everywhere(&reference, async |url: &Url| match mirrored(url) {
            Some(from) => partial.copy(url, &from, limits.largest),
            None => {
                let told = self.config.on_download.as_ref();
                partial.fill(&self.http, url, limits.largest, told).await
            }
        });
        self.run(limits.distribution, fetch)?;
        partial.persist(path).map_err(failed)
    }

    fn signature(
        &self,
        definition: &PluginDefinition,
        platform: &Platform,
    ) -> Result<Vec<u8>, CentralError> {
        self.small(&self.config.signature.render(definition, platform), SIGNATURE)
    }

    fn public_key(&self) -> Result<Vec<u8>, CentralError> {
        self.small(&self.config.public_key, KEY)
    }

    fn cancel(&self) {
        self.cancel.cancel();
    }
}
