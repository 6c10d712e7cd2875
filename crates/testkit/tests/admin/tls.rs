//! TLS on the address: tokens over it, and certificates of clients in place of them.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use outrigger_testkit::{artifacts, e2e, kit::Kit};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};

use crate::running::Running;

/// An authority, and the files of certificates that it made.
struct Authority {
    directory: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(directory: PathBuf) -> Self {
        std::fs::create_dir(&directory).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.join("ca.pem"), issuer.pem()).unwrap();
        Self { directory, issuer }
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Writes `NAME.pem` and `NAME.key`.
    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let write = |ending: &str, text: String| {
            std::fs::write(self.directory.join(format!("{name}.{ending}")), text).unwrap();
        };
        write("pem", certificate.pem());
        write("key", key.serialize_pem());
    }
}

/// A host that speaks TLS and trusts clients of the same authority.
fn start(kit: &Kit, ca: &Authority) -> Running {
    ca.issue("server", ExtendedKeyUsagePurpose::ServerAuth);
    let (certificate, key, ca) = (ca.file("server.pem"), ca.file("server.key"), ca.file("ca.pem"));
    Running::on(
        kit,
        &[
            "--admin",
            "127.0.0.1:0",
            "--admin-tls-cert",
            &certificate,
            "--admin-tls-key",
            &key,
            "--admin-client-ca",
            &ca,
        ],
    )
}

/// `outrigger status --json` over TLS.
fn status(host: &Running, ca: &Authority, arguments: &[&str]) -> Output {
    let url = format!("https://{}", host.address());
    let mut command = Command::new(artifacts::command());
    command.args(["status", "--json", "--url", &url, "--ca", &ca.file("ca.pem")]);
    command.args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn token(host: &Running) -> String {
    let full = Path::new(host.0.ready["admin"]["token"].as_str().unwrap());
    full.display().to_string()
}

e2e! {
    async fn over_tls_a_token_or_a_certificate_lets_a_client_in() {
        let kit = Kit::with("ok");
        let ca = Authority::new(kit.path().join("ca"));
        let host = start(&kit, &ca);
        let with_token = status(&host, &ca, &["--token", &token(&host)]);
        assert!(with_token.status.success(), "{}", said(&with_token));
        ca.issue("client", ExtendedKeyUsagePurpose::ClientAuth);
        let (certificate, key) = (ca.file("client.pem"), ca.file("client.key"));
        let with_certificate = status(&host, &ca, &["--cert", &certificate, "--key", &key]);
        assert!(with_certificate.status.success(), "{}", said(&with_certificate));
        let neither = status(&host, &ca, &[]);
        assert!(!neither.status.success() && said(&neither).contains("401"), "{}", said(&neither));
        // Whoever does not trust the host's authority says nothing to it.
        let other = Authority::new(kit.path().join("other"));
        let stranger = status(&host, &other, &["--token", &token(&host)]);
        assert!(!stranger.status.success(), "{}", said(&stranger));
        host.ends();
        kit.assert_clean();
    }

    async fn a_certificate_of_another_authority_is_refused_even_with_a_token() {
        let kit = Kit::with("ok");
        let ca = Authority::new(kit.path().join("ca"));
        let host = start(&kit, &ca);
        let other = Authority::new(kit.path().join("other"));
        other.issue("client", ExtendedKeyUsagePurpose::ClientAuth);
        let (certificate, key) = (other.file("client.pem"), other.file("client.key"));
        let own = ["--cert", &certificate, "--key", &key, "--token", &token(&host)];
        let refused = status(&host, &ca, &own);
        assert!(!refused.status.success(), "{}", said(&refused));
        host.ends();
    }

    async fn clients_that_say_nothing_keep_nobody_out() {
        let kit = Kit::with("ok");
        let ca = Authority::new(kit.path().join("ca"));
        let host = start(&kit, &ca);
        let silent: Vec<_> =
            (0..50).map(|_| TcpStream::connect(host.address()).unwrap()).collect();
        let began = tokio::time::Instant::now();
        let output = status(&host, &ca, &["--token", &token(&host)]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
        drop(silent);
        host.ends();
    }
}
