//! The scenarios: a name, a line about it, its number, and what it does.

use std::process::ExitCode;

use crate::hello::{Hello, Init, Quirk};
use crate::{children, floods, lines, measured, peers, services};

/// What the fixture can be told to do.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// N, where it is not given.
    pub(crate) number: u64,
    pub(crate) run: fn(u64) -> ExitCode,
}

macro_rules! scenarios {
    ($($name:literal $($number:literal)?, $about:literal => $run:expr;)*) => {
        &[$(Scenario {
            name: $name,
            about: $about,
            number: 0 $(+ $number)?,
            run: $run,
        },)*]
    };
}

fn quirk(quirk: Quirk) -> ExitCode {
    Hello::new(quirk, Init::Normal).plugin().run()
}

fn init(init: Init) -> ExitCode {
    Hello::new(Quirk::None, init).plugin().run()
}

#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = scenarios! {
    "ok", "serves hello world as it should" => |_| quirk(Quirk::None);
    "pid", "ok; greeting `pid` answers the process id, as everywhere" => |_| quirk(Quirk::None);
    "echo-env", "ok; greeting `env:NAME` answers a variable, `fds` the open descriptors" => |_| quirk(Quirk::None);

    "traced", "ok, and exports traces as OpenTelemetry's variables say" => |_| Hello::new(Quirk::None, Init::Normal).plugin().traced("fixture").run();

    "own-metrics", "ok, and has metrics of its own" => |_| Hello::new(Quirk::None, Init::Normal).plugin().metrics(services::own_metrics).run();
    "own-metrics-port", "ok, and has metrics of its own on a port" => |_| services::own_metrics_on_a_port();
    "own-metrics-anothers" 0, "ok, and says that its metrics are at port N, which is another's" => |port| Hello::new(Quirk::None, Init::Normal).plugin().metrics_port(u16::try_from(port).unwrap_or_default()).run();
    "own-metrics-opentelemetry", "ok, and has metrics of its own, of OpenTelemetry's" => |_| measured::own_metrics();

    "slow-handshake" 1000, "ok, but waits N ms before it prints its line" => lines::slow;
    "hang", "prints nothing and stays" => |_| lines::hang();
    "banner" 3, "ok, but prints N lines before its own" => lines::banner;
    "garbage-line", "prints a line that is no handshake and stays" => |_| lines::garbage();
    "garbage-flood", "prints bytes without end and without a line end" => |_| floods::garbage();
    "wrong-core-version", "announces core protocol version 2" => |_| lines::field(0, "2");
    "wrong-app-version", "announces application protocol version 7" => |_| lines::field(1, "7");
    "netrpc", "announces Go's net/rpc" => |_| lines::field(4, "netrpc");
    "no-cert", "serves plaintext and announces so, whatever the host asked for" => |_| peers::no_certificate();
    "wrong-cert", "serves another certificate than it announces" => |_| peers::wrong_certificate();
    "listens-then-never-accepts", "its socket listens and nobody answers" => |_| peers::never_accepts();
    "tls-garbage", "answers every connection with garbage" => |_| peers::garbage();
    "plaintext-though-mtls", "announces a certificate and serves plaintext" => |_| peers::plaintext();
    "tcp", "ok, on 127.0.0.1 with TLS" => |_| peers::tcp();
    "old-socket-dir", "ok, but its socket is in TMPDIR, as before go-plugin 1.5" => |_| peers::old_socket_directory();

    "no-health", "ok, without the health service" => |_| services::without_health();
    "no-controller", "ok, without the controller: it cannot be asked to end" => |_| services::without_controller();
    "no-stdio", "ok, without the stdio service" => |_| services::without_stdio();
    "not-serving", "ok, but its health is NOT_SERVING" => |_| services::not_serving();
    "unhealthy-after" 3, "ok, but after N health checks its health is NOT_SERVING" => services::unhealthy_after;
    "failing-hook", "ok, but what it does before its end fails" => |_| services::failing_hook();
    "ignore-shutdown", "answers the controller and SIGTERM, and stays" => |_| services::ignore_shutdown();

    "exit-before-handshake" 3, "exits with code N and prints no line" => lines::exit;
    "crash-before-handshake", "dies of SIGABRT and prints no line" => |_| std::process::abort();
    "exit-after-ready" 200, "ok, but exits with code 3, N ms after its line" => services::exit_after;
    "crash-on-call", "ok; greeting `crash` kills it with SIGABRT" => |_| quirk(Quirk::Crash);
    "hang-on-call", "ok; greeting `hang` is never answered" => |_| quirk(Quirk::Hang);
    "slow-call", "ok; greeting `sleep:N` is answered after N ms" => |_| quirk(Quirk::Slow);
    "exec-on-call", "ok; greeting `exec` makes it another program, `sleep 600`" => |_| quirk(Quirk::Exec);
    "big-reply", "ok; greeting `big:N` is answered with N bytes" => |_| quirk(Quirk::Big);

    "slow-init" 1000, "ok, but Init takes N ms" => |ms| init(Init::Slow(ms));
    "reject-config", "Init answers INVALID_ARGUMENT" => |_| init(Init::Reject);
    "init-hangs", "Init is never answered" => |_| init(Init::Hang);
    "init-panics", "Init panics" => |_| init(Init::Panic);

    "flood-stderr", "ok, and writes lines to standard error without end" => |_| floods::stderr();
    "flood-stdout", "ok, and writes to standard output without end, a line of 1 MiB first" => |_| floods::stdout();
    "stdio-flood", "ok, and sends output through the stdio service without end" => |_| floods::stdio();
    "spin", "ok, and keeps all processors busy" => |_| floods::spin();
    "grandchild", "ok, with a child `sleep 600` that holds standard error" => |_| children::same_session();
    "daemon-grandchild", "ok, with a child `sleep 600` in a session of its own" => |_| children::own_session();
};
