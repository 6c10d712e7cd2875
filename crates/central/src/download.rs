//! From an answer to a file: in pieces, resumed where it broke off, and under
//! its name only once it is whole.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use outrigger_discovery::{IfExists, atomic};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED};
use reqwest::{Response, StatusCode, Url};
use tempfile::NamedTempFile;

use crate::FetchError;
use crate::address::without_secrets;
use crate::error::shown;
use crate::http::{Http, Resume};
use crate::progress::{Download, OnDownload};

/// A file on its way, beside its place.
#[derive(Debug)]
pub(crate) struct Partial {
    file: NamedTempFile,
    length: u64,
    validator: Option<HeaderValue>,
}

fn disk(what: &str) -> impl FnOnce(io::Error) -> FetchError {
    let what = what.to_owned();
    move |source| FetchError::Disk { what, source }
}

impl Partial {
    /// An empty one for `path`.
    pub(crate) fn beside(path: &Path) -> Result<Self, FetchError> {
        let directory = path.parent().unwrap_or_else(|| Path::new("."));
        let file = atomic::temporary_beside(path);
        let file = file.map_err(disk(&format!("{} cannot be written to", directory.display())))?;
        Ok(Self { file, length: 0, validator: None })
    }

    /// Takes one answer as far as it goes.
    pub(crate) async fn fill(
        &mut self,
        http: &Http,
        url: &Url,
        limit: u64,
        told: Option<&OnDownload>,
    ) -> Result<(), FetchError> {
        let resume = self.validator.clone().filter(|_| self.length > 0);
        let resume = resume.map(|validator| Resume { from: self.length, validator });
        let mut response = http.get(url, resume.as_ref()).await?;
        if !self.goes_on(&response) {
            self.start_anew()?;
        }
        self.validator = validator(&response);
        let large = || FetchError::TooLarge { url: without_secrets(url), limit };
        if response.content_length().is_some_and(|more| self.length.saturating_add(more) > limit) {
            return Err(large());
        }
        let of = response.content_length().map(|more| self.length + more);
        let file = url.path_segments().and_then(Iterator::last).unwrap_or_default();
        let tell = |bytes, done| {
            if let Some(told) = told {
                told.tell(Download { file, bytes, of, done });
            }
        };
        while let Some(piece) = response.chunk().await.map_err(|error| FetchError::http(&error))? {
            self.length += piece.len() as u64;
            if self.length > limit {
                return Err(large());
            }
            self.file.write_all(&piece).map_err(disk("a download cannot be written"))?;
            tell(self.length, false);
        }
        tell(self.length, true);
        let kind = response.headers().get(CONTENT_TYPE);
        self.must_be_zip(url, kind.map_or(&b"something else"[..], HeaderValue::as_bytes))
    }

    /// Takes a mirror's file.
    pub(crate) fn copy(&mut self, url: &Url, from: &Path, limit: u64) -> Result<(), FetchError> {
        let what = format!("{} cannot be read", from.display());
        let file = File::open(from).map_err(disk(&what))?;
        self.start_anew()?;
        self.length = io::copy(&mut file.take(limit + 1), &mut self.file).map_err(disk(&what))?;
        if self.length > limit {
            return Err(FetchError::TooLarge { url: url.to_string(), limit });
        }
        self.must_be_zip(url, b"something else")
    }

    /// Gives the whole file its name.
    pub(crate) fn persist(self, path: &Path) -> Result<(), FetchError> {
        atomic::persist(self.file, path, 0o644, IfExists::Replace)
            .map_err(disk(&format!("{} cannot be written", path.display())))
    }

    /// Whether an answer begins where this ends.
    fn goes_on(&self, response: &Response) -> bool {
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let start = format!("bytes {}-", self.length);
        response.status() == StatusCode::PARTIAL_CONTENT
            && range.is_some_and(|range| range.starts_with(&start))
    }

    fn start_anew(&mut self) -> Result<(), FetchError> {
        let file = self.file.as_file_mut();
        let anew = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        anew.map_err(disk("a download cannot be written"))?;
        self.length = 0;
        Ok(())
    }

    /// A server's apology, with a status that says that all is well, is no zip.
    fn must_be_zip(&mut self, url: &Url, kind: &[u8]) -> Result<(), FetchError> {
        let mut start = [0; 2];
        let file = self.file.as_file_mut();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_exact(&mut start));
        let end = file.seek(SeekFrom::End(0)).map_err(disk("a download cannot be read"));
        if read.is_ok() && start == *b"PK" {
            return end.map(drop);
        }
        Err(FetchError::NoZip { url: without_secrets(url), kind: shown(kind) })
    }
}

/// What tells whether an answer is still the same: nothing that is weak.
fn validator(response: &Response) -> Option<HeaderValue> {
    let headers = response.headers();
    let strong = |tag: &&HeaderValue| !tag.as_bytes().starts_with(b"W/");
    headers.get(ETAG).filter(strong).or_else(|| headers.get(LAST_MODIFIED)).cloned()
}
