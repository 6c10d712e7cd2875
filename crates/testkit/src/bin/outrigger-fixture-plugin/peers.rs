//! What goes wrong, or is unusual, at the address of the handshake line.

use std::future::pending;
use std::process::ExitCode;

use outrigger_sdk::{HostRequest, Listening};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::StreamExt as _;

use crate::hello::plugin;
use crate::lines::{block_on, print, with_field};

/// Of a Unix socket's handshake line.
const ADDRESS: usize = 3;
const CERTIFICATE: usize = 5;

fn host() -> HostRequest {
    HostRequest::from_environment()
}

fn bind(host: &HostRequest) -> Listening {
    Listening::bind(host, 1).expect("a fixture can listen")
}

fn plaintext_host() -> HostRequest {
    HostRequest { certificate_pem: None, ..host() }
}

/// A certificate as a handshake line carries it, whose key is thrown away.
fn some_certificate() -> String {
    bind(&host()).line().split('|').nth(CERTIFICATE).unwrap_or_default().to_owned()
}

/// Serves on a listener under a line of the caller's.
fn serve(listen: impl FnOnce() -> (Listening, String)) -> ExitCode {
    block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("a fixture has signals");
        let (listening, line) = listen();
        print(&line);
        let end = async {
            terminate.recv().await;
        };
        match plugin().serve_on(listening, end).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        }
    })
}

fn announced(listening: Listening) -> (Listening, String) {
    let line = listening.line().to_owned();
    (listening, line)
}

pub(crate) fn no_certificate() -> ExitCode {
    serve(|| announced(bind(&plaintext_host())))
}

pub(crate) fn wrong_certificate() -> ExitCode {
    serve(|| {
        let listening = bind(&host());
        let line = with_field(listening.line(), CERTIFICATE, &some_certificate());
        (listening, line)
    })
}

pub(crate) fn plaintext() -> ExitCode {
    serve(|| {
        let listening = bind(&plaintext_host());
        let line = with_field(listening.line(), CERTIFICATE, &some_certificate());
        (listening, line)
    })
}

pub(crate) fn tcp() -> ExitCode {
    plugin().tcp().run()
}

pub(crate) fn old_socket_directory() -> ExitCode {
    serve(|| announced(bind(&HostRequest { socket_directory: None, ..host() })))
}

pub(crate) fn never_accepts() -> ExitCode {
    block_on(async {
        let listening = bind(&host());
        print(listening.line());
        pending().await
    })
}

pub(crate) fn garbage() -> ExitCode {
    block_on(async {
        let listening = bind(&host());
        let address = listening.line().split('|').nth(ADDRESS).unwrap_or_default();
        let socket = format!("{address}-garbage");
        let listener = UnixListener::bind(&socket).expect("a fixture can listen");
        print(&with_field(listening.line(), ADDRESS, &socket));
        let mut peers = std::pin::pin!(tokio_stream::wrappers::UnixListenerStream::new(listener));
        while let Some(Ok(mut peer)) = peers.next().await {
            // Kept open: the host is to judge by what it reads.
            tokio::spawn(async move {
                let _gone = peer.write_all(b"HTTP/1.0 418 I am no plugin\r\n\r\n").await;
                pending::<()>().await;
                drop(peer);
            });
        }
        ExitCode::FAILURE
    })
}
