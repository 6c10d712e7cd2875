//! Hosts that run, and the plugin central.

use std::path::Path;
use std::time::Duration;

use http::Uri;
use outrigger::settings::CentralSettings;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::report::Report;

/// For whoever is asked to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Entries of a run directory that are looked at.
const MOST: usize = 10_000;

/// Whether hosts answer at the sockets in a run directory.
pub(super) async fn hosts(report: &mut Report, run_dir: &Path) {
    let entries = std::fs::read_dir(run_dir).into_iter().flatten().flatten().take(MOST);
    let mut found = false;
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with("admin") && name.ends_with(".sock")) {
            continue;
        }
        found = true;
        let shown = path.display();
        match timeout(LIMIT, UnixStream::connect(&path)).await {
            Ok(Ok(_)) => report.ok("host", format!("one answers at {shown}")),
            Ok(Err(error)) => report.warn(
                "host",
                format!("{shown} is left by a host that is gone ({error})"),
                "nothing: the next host sweeps it",
            ),
            Err(_) => report.fail(
                "host",
                format!("the one at {shown} does not answer"),
                "look at its log; `outrigger status` says more",
            ),
        }
    }
    if !found {
        report.skip("host", format!("none runs in {}", run_dir.display()));
    }
}

/// Whether the central can be reached.
pub(super) async fn central(report: &mut Report, settings: &CentralSettings) {
    let name = "central";
    if !settings.configured || settings.base_url.starts_with("file:") {
        return report.skip(name, "none is configured over the network");
    }
    if settings.proxy.is_some() {
        return report.skip(name, "it is reached through a proxy");
    }
    let uri = settings.base_url.parse::<Uri>().ok();
    let target = uri.as_ref().and_then(|uri| {
        let port = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") => 80,
            _ => return None,
        };
        Some((uri.host()?.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(port)))
    });
    let Some((host, port)) = target else {
        let seen = format!("`{}` is no address", settings.base_url.escape_debug());
        return report.fail(name, seen, "correct `central.baseURL`");
    };
    let remedy = "correct `central.baseURL`, or the name server, route or firewall";
    match timeout(LIMIT, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => report.ok(name, format!("{host} takes connections on port {port}")),
        Ok(Err(error)) => report.fail(name, format!("{host} on port {port}: {error}"), remedy),
        Err(_) => {
            report.fail(name, format!("{host} on port {port}: no answer within {LIMIT:?}"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Outcome;
    use super::*;

    async fn of(base_url: &str, proxy: Option<&str>) -> Outcome {
        let mut settings = CentralSettings::default();
        settings.configured = true;
        settings.base_url = base_url.to_owned();
        settings.proxy = proxy.map(str::to_owned);
        let mut report = Report::default();
        central(&mut report, &settings).await;
        report.checks()[0].result
    }

    #[tokio::test]
    async fn a_central_that_takes_no_connection_fails() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert_eq!(of(&url, None).await, Outcome::Ok);
        drop(listener);
        assert_eq!(of(&url, None).await, Outcome::Failed);
        assert_eq!(of("central", None).await, Outcome::Failed);
        assert_eq!(of("file:///srv", None).await, Outcome::NotApplicable);
        assert_eq!(of(&url, Some("http://p")).await, Outcome::NotApplicable);
    }

    #[tokio::test]
    async fn a_socket_that_nobody_answers_at_is_stale_and_one_that_answers_is_a_host() {
        let directory = tempfile::tempdir().unwrap();
        let mut report = Report::default();
        hosts(&mut report, directory.path()).await;
        assert_eq!(report.checks()[0].result, Outcome::NotApplicable);
        let (alive, dead) =
            (directory.path().join("admin.sock"), directory.path().join("admin-7.sock"));
        let _alive = tokio::net::UnixListener::bind(&alive).unwrap();
        drop(tokio::net::UnixListener::bind(&dead).unwrap());
        let mut report = Report::default();
        hosts(&mut report, directory.path()).await;
        let mut results: Vec<_> = report.checks().iter().map(|check| check.result).collect();
        results.sort_by_key(|result| *result == Outcome::Warning);
        assert_eq!(results, [Outcome::Ok, Outcome::Warning], "{report:?}");
    }
}
