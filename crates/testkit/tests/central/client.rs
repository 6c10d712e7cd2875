//! What a server can do wrong, and what is left on the disk then.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_central::{Client, Config, Download, OnDownload};
use outrigger_discovery::Central as _;
use outrigger_testkit::central::{Answer, Asked, FakeCentral};
use outrigger_types::{ConfigSource, Platform, PluginDefinition};
use tempfile::TempDir;

pub(crate) const DISTRIBUTION: &str =
    "maven/bin/{{.Name}}/{{.Version}}/{{.Name}}-{{.Version}}-{{.OS}}-{{.Arch}}.zip";
pub(crate) const SIGNATURE: &str =
    "maven/bin/{{.Name}}/{{.Version}}/{{.Name}}-{{.Version}}-{{.OS}}-{{.Arch}}-sha256.checksum.asc";
const PATH: &str = "/maven/bin/hello/1.0.0/hello-1.0.0-linux-amd64.zip";

pub(crate) fn config(base: &str) -> Config {
    let mut config = Config::new(base, "gpg.key", DISTRIBUTION, SIGNATURE).unwrap();
    config.limits.pause = Duration::from_millis(1);
    config
}

pub(crate) fn definition() -> PluginDefinition {
    PluginDefinition {
        name: "hello".parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        config: ConfigSource::None,
    }
}

/// A base directory.
struct Base(TempDir);

impl Base {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn zip(&self) -> PathBuf {
        self.0.path().join("hello-1.0.0-linux-amd64.zip")
    }

    /// Fetches the distribution.
    fn fetch(&self, config: Config) -> Result<Vec<u8>, String> {
        let client = Client::new(config).unwrap();
        let platform = Platform::current();
        match client.distribution(&definition(), &platform, &self.zip()) {
            Ok(()) => Ok(std::fs::read(self.zip()).unwrap()),
            Err(error) => {
                assert!(!self.zip().exists(), "half a file is never found");
                Err(error.to_string())
            }
        }
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }
}

fn zip(length: usize) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend((0..length).map(|at| u8::try_from(at % 251).unwrap()));
    bytes
}

fn range(asked: &Asked) -> Option<usize> {
    asked.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

#[test]
fn a_distribution_comes_from_the_template_s_address_whole() {
    let server = FakeCentral::start(|_| Answer::body(zip(300_000)));
    let base = Base::new();
    assert_eq!(base.fetch(config(&server.url())).unwrap(), zip(300_000));
    assert_eq!(base.files(), 1);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, PATH);
    assert!(asked[0].header("user-agent").unwrap().starts_with("outrigger/"));
}

#[test]
fn whoever_waits_is_told_how_far_a_download_has_come() {
    let server = FakeCentral::start(|_| Answer::body(zip(300_000)));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (seen, mut config) = (told.clone(), config(&server.url()));
    config.on_download = Some(OnDownload::new(move |download: Download<'_>| {
        assert_eq!(download.file, "hello-1.0.0-linux-amd64.zip");
        seen.lock().unwrap().push((download.bytes, download.of, download.done));
    }));
    Base::new().fetch(config).unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() > 2, "more than its end: {told:?}");
    assert!(told.is_sorted_by(|one, next| one.0 <= next.0));
    assert!(told.iter().all(|(_, of, _)| *of == Some(300_004)));
    assert_eq!(told.last(), Some(&(300_004, Some(300_004), true)));
    assert_eq!(told.iter().filter(|(.., done)| *done).count(), 1);
}

#[test]
fn signature_and_key_come_from_their_addresses() {
    let server = FakeCentral::start(|asked| Answer::body(asked.path.clone()));
    let nested = format!("{}a/b/", server.url());
    let mut config = config(&nested);
    config.public_key = "../../keys/gpg.key".to_owned();
    let client = Client::new(config).unwrap();
    let signature = client.signature(&definition(), &Platform::current()).unwrap();
    let expected = "/a/b/maven/bin/hello/1.0.0/hello-1.0.0-linux-amd64-sha256.checksum.asc";
    assert_eq!(String::from_utf8(signature).unwrap(), expected);
    assert_eq!(client.public_key().unwrap(), b"/keys/gpg.key");
}

#[test]
fn a_status_that_is_not_200_is_told_in_goquorum_s_words_and_not_tried_again() {
    let page = vec![b'x'; 100_000];
    let server = FakeCentral::start(move |_| Answer::Whole(404, Vec::new(), page.clone()));
    let base = Base::new();
    let error = base.fetch(config(&server.url())).unwrap_err();
    assert!(
        error.starts_with("HTTP GET error: code=404, status=404 Not Found, body=xxx"),
        "{error}"
    );
    assert!(error.len() < 400, "{error}");
    assert_eq!(server.asked().len(), 1);
    assert_eq!(base.files(), 0);
}

#[test]
fn what_may_pass_is_tried_again_a_few_times() {
    for code in [429, 500, 503] {
        let server = FakeCentral::start(move |_| Answer::status(code));
        let error = Base::new().fetch(config(&server.url())).unwrap_err();
        assert!(error.contains(&format!("code={code}")), "{error}");
        assert_eq!(server.asked().len(), 3, "{code}");
    }
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = FakeCentral::start(move |_| {
        match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Answer::status(503),
            _ => Answer::body(zip(10)),
        }
    });
    Base::new().fetch(config(&server.url())).unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_ended() {
    let whole = zip(100_000);
    let server = FakeCentral::start(move |asked| {
        let tag = vec![("etag", "\"one\"".to_owned())];
        match range(asked) {
            None => Answer::Half(tag, whole.len(), whole[..40_000].to_vec()),
            Some(from) => {
                assert_eq!(asked.header("if-range"), Some("\"one\""));
                let place = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
                let headers = vec![("etag", "\"one\"".to_owned()), ("content-range", place)];
                Answer::Whole(206, headers, whole[from..].to_vec())
            }
        }
    });
    assert_eq!(Base::new().fetch(config(&server.url())).unwrap(), zip(100_000));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(range(&asked[1]), Some(40_000));
}

#[test]
fn a_server_that_cannot_go_on_is_asked_for_the_whole_again() {
    let whole = zip(100_000);
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = FakeCentral::start(move |_| {
        let tag = vec![("etag", "\"one\"".to_owned())];
        match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Answer::Half(tag, whole.len(), whole[..40_000].to_vec()),
            // Status 200: the whole, whatever was asked for.
            _ => Answer::Whole(200, tag, whole.clone()),
        }
    });
    assert_eq!(Base::new().fetch(config(&server.url())).unwrap(), zip(100_000));
}

#[test]
fn half_a_file_is_an_error_and_leaves_nothing() {
    let whole = zip(100_000);
    let server =
        FakeCentral::start(move |_| Answer::Half(Vec::new(), whole.len(), whole[..9].to_vec()));
    let base = Base::new();
    base.fetch(config(&server.url())).unwrap_err();
    assert_eq!(server.asked().len(), 3);
    assert_eq!(base.files(), 0);
}

#[test]
fn a_page_with_status_200_is_no_zip() {
    let server = FakeCentral::start(|_| {
        let kind = vec![("content-type", "text/html".to_owned())];
        Answer::Whole(200, kind, b"<html>maintenance</html>".to_vec())
    });
    let base = Base::new();
    let error = base.fetch(config(&server.url())).unwrap_err();
    assert!(error.ends_with("is no zip but text/html"), "{error}");
    assert_eq!((server.asked().len(), base.files()), (1, 0));
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let server = FakeCentral::start(|_| Answer::Forever(zip(60_000)));
    let mut config = config(&server.url());
    config.limits.largest = 1 << 20;
    let base = Base::new();
    let error = base.fetch(config.clone()).unwrap_err();
    assert!(error.ends_with("has more than 1048576 bytes"), "{error}");
    assert_eq!(base.files(), 0);
    let error = Client::new(config).unwrap().public_key().unwrap_err().to_string();
    assert!(error.contains("has more than 1048576 bytes"), "{error}");
}

#[test]
fn a_length_above_the_limit_is_refused_before_a_byte_is_read() {
    let server = FakeCentral::start(|_| Answer::Half(Vec::new(), 1 << 30, Vec::new()));
    let error = Base::new().fetch(config(&server.url())).unwrap_err();
    assert!(error.contains("has more than 268435456 bytes"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = FakeCentral::start(|_| Answer::Silence);
    let mut config = config(&server.url());
    config.limits.idle = Duration::from_millis(50);
    let error = Base::new().fetch(config.clone()).unwrap_err();
    assert!(!error.is_empty());
    assert_eq!(server.asked().len(), 3);
    config.limits.idle = Duration::from_secs(60);
    config.limits.distribution = Duration::from_millis(100);
    let error = Base::new().fetch(config).unwrap_err();
    assert!(error.contains("took longer than 100ms"), "{error}");
}

#[test]
fn a_fetch_ends_when_somebody_wants_it_to() {
    let server = FakeCentral::start(|_| Answer::Silence);
    let client = Client::new(config(&server.url())).unwrap();
    let other = client.clone();
    std::thread::scope(|scope| {
        let fetch = scope.spawn(move || client.public_key());
        while server.asked().is_empty() {
            std::thread::yield_now();
        }
        other.cancel();
        let error = fetch.join().unwrap().unwrap_err().to_string();
        assert_eq!(error, "it was stopped");
    });
}

#[test]
fn a_redirect_to_another_host_or_scheme_is_refused() {
    let elsewhere = FakeCentral::start(|_| Answer::body(zip(10)));
    let other = elsewhere.url();
    for target in [other, "file:///etc/passwd".to_owned(), "https://localhost/x".to_owned()] {
        let to = target.clone();
        let server = FakeCentral::start(move |_| Answer::redirect(&to));
        let error = Base::new().fetch(config(&server.url())).unwrap_err();
        assert!(
            // Whatever is no HTTP at all is not even looked at.
            error.contains("redirects to another host") || error.contains("code=302"),
            "{target}: {error}"
        );
        assert_eq!(server.asked().len(), 1, "{target}");
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_redirect_on_the_same_host_is_followed_and_a_circle_is_not() {
    let server = FakeCentral::start(|asked| match asked.path.as_str() {
        PATH => Answer::redirect("/moved.zip"),
        "/moved.zip" => Answer::body(zip(10)),
        _ => Answer::redirect("/circle"),
    });
    Base::new().fetch(config(&server.url())).unwrap();
    let mut circle = config(&server.url());
    circle.public_key = "circle".to_owned();
    let error = Client::new(circle).unwrap().public_key().unwrap_err().to_string();
    assert!(error.contains("redirects too often"), "{error}");
}

#[test]
fn centrals_are_tried_in_their_order_and_a_directory_may_be_the_last() {
    let first = FakeCentral::start(|_| Answer::status(404));
    let second = FakeCentral::start(|_| Answer::status(410));
    let mirror = tempfile::tempdir().unwrap();
    let place = mirror.path().join(&PATH[1..]);
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    let directory = format!("file://{}/", mirror.path().display());
    let all = || {
        let all = config(&first.url()).mirror(&second.url()).unwrap();
        all.mirror(&directory).unwrap()
    };
    let error = Base::new().fetch(all()).unwrap_err();
    for part in ["code=404", "code=410", "cannot be read"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    std::fs::write(place, zip(500)).unwrap();
    assert_eq!(Base::new().fetch(all()).unwrap(), zip(500));
    assert_eq!((first.asked().len(), second.asked().len()), (2, 2));
}

#[test]
fn credentials_go_to_the_central_and_to_no_mirror() {
    let first = FakeCentral::start(|_| Answer::status(404));
    let second = FakeCentral::start(|_| Answer::body(zip(10)));
    let both = config(&first.url()).header("X-Token: hunter2").unwrap();
    let both = both.mirror(&second.url()).unwrap();
    assert!(!format!("{both:?}").contains("hunter2"), "{both:?}");
    Base::new().fetch(both).unwrap();
    assert_eq!(first.asked()[0].header("x-token"), Some("hunter2"));
    assert_eq!(second.asked()[0].header("x-token"), None);

    let netrc = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(netrc.path(), "machine localhost login ann password secret").unwrap();
    let mut private = config(&second.url());
    private.netrc = Some(netrc.path().to_owned());
    Base::new().fetch(private).unwrap();
    // base64 of `ann:secret`.
    assert_eq!(second.asked()[1].header("authorization"), Some("Basic YW5uOnNlY3JldA=="));
}

#[test]
fn a_full_or_read_only_disk_is_named() {
    let server = FakeCentral::start(|_| Answer::body(zip(10)));
    let client = Client::new(config(&server.url())).unwrap();
    let path = Path::new("/proc/nowhere/hello.zip");
    let error = client.distribution(&definition(), &Platform::current(), path).unwrap_err();
    assert!(error.to_string().contains("/proc/nowhere"), "{error}");
    assert!(server.asked().is_empty());
}
