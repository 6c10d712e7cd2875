//! Output without end.

use std::io::{self, Write};
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll};

use outrigger_proto::plugin::StdioData;
use outrigger_proto::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use outrigger_proto::plugin::stdio_data::Channel;
use outrigger_sdk::{HostRequest, Listening};
use tokio::signal::unix::{SignalKind, signal};
use tonic::{Request, Response, Status};

use crate::hello::plugin;
use crate::lines::{block_on, hang, print};

/// A line of a plugin that says too much.
const LINE: &[u8] = b"the fixture goes on and on, and nobody asked it to\n";

/// What go-plugin puts into one piece at most.
const PIECE: usize = 1024;

/// Writes `what` until nobody takes it.
fn for_ever(mut to: impl Write, what: &[u8]) {
    let many: Vec<u8> = what.iter().copied().cycle().take(what.len() * 64).collect();
    while to.write_all(&many).is_ok() {}
}

pub(crate) fn garbage() -> ExitCode {
    for_ever(io::stdout(), b"\x7fgarbage");
    hang()
}

pub(crate) fn spin() -> ExitCode {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..processors {
        std::thread::spawn(|| {
            loop {
                std::hint::spin_loop();
            }
        });
    }
    plugin().run()
}

pub(crate) fn stderr() -> ExitCode {
    // A thread, since a pipe that is full blocks.
    std::thread::spawn(|| for_ever(io::stderr(), LINE));
    plugin().run()
}

pub(crate) fn stdout() -> ExitCode {
    block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("a fixture has signals");
        let host = HostRequest::from_environment();
        let listening = Listening::bind(&host, 1).expect("a fixture can listen");
        print(listening.line());
        std::thread::spawn(|| {
            let mut long = vec![b'x'; 1024 * 1024];
            long.push(b'\n');
            let _gone = io::stdout().write_all(&long);
            for_ever(io::stdout(), LINE);
        });
        let end = async {
            terminate.recv().await;
        };
        match plugin().serve_on(listening, end).await {
            // The thread holds the lock of standard output, which the usual
            // end of a process would wait for.
            Ok(()) => std::process::exit(0),
            Err(_) => ExitCode::FAILURE,
        }
    })
}

#[derive(Debug)]
struct Talkative;

#[tonic::async_trait]
impl GrpcStdio for Talkative {
    type StreamStdioStream = Endless;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Endless>, Status> {
        Ok(Response::new(Endless(0)))
    }
}

/// Pieces for the two channels in turn.
#[derive(Debug)]
struct Endless(u64);

impl tokio_stream::Stream for Endless {
    type Item = Result<StdioData, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0 += 1;
        let channel = if self.0.is_multiple_of(2) { Channel::Stdout } else { Channel::Stderr };
        let data: Vec<u8> = LINE.iter().copied().cycle().take(PIECE).collect();
        Poll::Ready(Some(Ok(StdioData { channel: channel.into(), data: data.into() })))
    }
}

pub(crate) fn stdio() -> ExitCode {
    plugin().service(GrpcStdioServer::new(Talkative)).run()
}
