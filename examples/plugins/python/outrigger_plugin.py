"""All that a Python program needs to be a plugin of a go-plugin host.

Copy this file and `gen/`, write classes for your gRPC services, call `serve`.
It covers the cookie, the choice of a version, the certificate and mutual TLS,
the handshake line, health, output, logging, shutdown and the host's death, on
Linux and macOS.

Two limits. grpcio cannot verify a certificate on P-521, which is what Go hosts
make; Outrigger presents P-256, but a Go host has to go without mutual TLS. And
there is no broker, hence no multiplexing; hosts tolerate that. `Session` has
what a broker is built on.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import logging
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import suppress
from typing import Any, NoReturn

# Before the slow imports: a parent that dies meanwhile must not be missed.
_PARENT = os.getppid()
try:
    _PARENT_FD: int | None = os.pidfd_open(_PARENT)
except (AttributeError, OSError):  # not Linux, a sandbox, or a parent in another PID namespace
    _PARENT_FD = None
# Standard output is the host's, for one line. What anybody prints before that
# line goes to the log instead, what libraries in C print too.
_HOST_FD: int | None = None
with suppress(OSError):  # a closed descriptor
    _HOST_FD = os.dup(1)
    os.dup2(2, 1)

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from google.protobuf import empty_pb2

from gen import (
    grpc_controller_pb2,
    grpc_controller_pb2_grpc,
    grpc_stdio_pb2,
    grpc_stdio_pb2_grpc,
    health_pb2,
    health_pb2_grpc,
)

Register = Callable[[grpc.Server, "Session"], None]

CORE_PROTOCOL = 1
QUORUM_COOKIE = (
    "QUORUM_PLUGIN_MAGIC_COOKIE",
    (
        "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09"
        "41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664"
    ),
)
# The curves on which grpcio's TLS library verifies a peer; go-plugin's P-521 is not one.
_CURVES = ("secp256r1", "secp384r1")
# Of a socket's address, 108 bytes or macOS's 104, the last byte ends the path.
_LONGEST_PATH = 103 if sys.platform == "darwin" else 107
# A host waits two seconds from its request to stop until it kills.
_STOP_SECONDS = 0.5
# What a plugin may take to clean up once its host is gone.
_ORPHAN_SECONDS = 2.0
# Hosts take lines of the log up to 64 KiB.
_LONGEST_RECORD = 65_000
# What is in every log record; the rest are fields that the caller added.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Health, output and shutdown have threads of their own: a plugin that is busy
# with slow calls still answers its host, and still stops.
_HOST_THREADS = futures.ThreadPoolExecutor(16)


def serve(
    versions: Mapping[int, Register],
    *,
    cookie: tuple[str, str] = QUORUM_COOKIE,
    workers: int = 16,
    options: Sequence[tuple[str, Any]] = (),
    cleanup: Callable[[], None] | None = None,
) -> NoReturn:
    """Serves until the host says stop or dies, then ends the process.

    `versions` maps each application protocol version that the plugin speaks to
    a function that registers its services on the server; `workers` bounds the
    calls that are answered at once; `options` are grpcio's for the server, such
    as the largest message; `cleanup` runs when serving is over.
    """
    _require(cookie)
    _log_to_host()
    session = Session(
        _choose(versions),
        certificate=_take("PLUGIN_CLIENT_CERT"),
        directory=_take("PLUGIN_UNIX_SOCKET_DIR"),
        group=_take("PLUGIN_UNIX_SOCKET_GROUP"),
    )
    for unused in ("PLUGIN_MULTIPLEX_GRPC", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT"):
        _take(unused)

    stop = threading.Event()
    output = _Output()
    server = grpc.server(futures.ThreadPoolExecutor(workers), options=list(options))
    health_pb2_grpc.add_HealthServicer_to_server(_Health(), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(stop), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(output), server)
    versions[session.version](server, session)
    try:
        path = session.listen(server)
    except (LookupError, OSError) as error:
        _fail(f"the plugin cannot listen: {error}")
    server.start()

    # Ctrl-C reaches the host's whole group; the host decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    line = f"{CORE_PROTOCOL}|{session.version}|unix|{path}|grpc|{session.certificate}\n"
    try:
        if _HOST_FD is None:
            _fail("standard output is closed, so no host can be told where this plugin listens")
        os.write(_HOST_FD, line.encode())
        output.capture()
        stop.wait()
    except BrokenPipeError:  # the host died before it could read the line
        pass
    server.stop(None).wait(_STOP_SECONDS)
    session.close()
    if cleanup is not None:
        try:
            cleanup()
        except Exception:
            logging.getLogger(__name__).exception("the clean-up failed")
    # Not sys.exit: that waits for every call that is still running.
    os._exit(0)


class Session:
    """What was agreed with the host, for connections beside the main one too."""

    def __init__(
        self, version: int, *, certificate: str | None, directory: str | None, group: str | None
    ) -> None:
        self.version = version
        # In base64, as the handshake line has it; empty without mutual TLS.
        self.certificate = ""
        self._server: grpc.ServerCredentials | None = None
        self._client: grpc.ChannelCredentials | None = None
        self._directory = directory or tempfile.gettempdir()
        self._group = group
        self._paths: list[str] = []
        if certificate:
            self._secure(_trusted(certificate))

    def listen(self, server: grpc.Server) -> str:
        """Opens a socket of the server's own, for the host alone; gives its path.

        Raises OSError when the socket cannot be made, and LookupError when the
        group that the host named is not known.
        """
        path = os.path.join(self._directory, f"plugin{secrets.token_hex(8)}")
        if len(os.fsencode(path)) > _LONGEST_PATH:
            raise OSError(f"{path} is too long for a socket; set TMPDIR to a shorter directory")
        target = f"unix:{urllib.parse.quote(path)}"
        try:
            if self._server is None:
                server.add_insecure_port(target)
            else:
                server.add_secure_port(target, self._server)
        except RuntimeError as error:
            raise OSError(f"is {self._directory} there, and writable? {error}") from error
        self._paths.append(path)
        if self._group:
            group = int(self._group) if self._group.isdecimal() else self._group
            shutil.chown(path, group=group)
            os.chmod(path, 0o660)
        return path

    def dial(self, network: str, address: str) -> grpc.Channel:
        """Connects to a socket of the host's; raises ValueError for an unknown network."""
        if network not in ("unix", "tcp"):
            raise ValueError(f"network {network!r} is neither unix nor tcp")
        target = f"unix:{urllib.parse.quote(address)}" if network == "unix" else address
        options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", -1)]
        if self._client is None:
            # Else it is the socket's path, percent-encoded, which hosts in Rust refuse.
            options.append(("grpc.default_authority", "localhost"))
            return grpc.insecure_channel(target, options)
        options.append(("grpc.ssl_target_name_override", "localhost"))
        return grpc.secure_channel(target, self._client, options)

    def close(self) -> None:
        """Removes the sockets."""
        for path in self._paths:
            with suppress(OSError):
                os.unlink(path)

    def _secure(self, roots: bytes) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _self_signed(key)
        chain = own.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        der = own.public_bytes(serialization.Encoding.DER)
        self.certificate = base64.b64encode(der).rstrip(b"=").decode()
        self._server = grpc.ssl_server_credentials(
            [(secret, chain)], root_certificates=roots, require_client_auth=True
        )
        self._client = grpc.ssl_channel_credentials(roots, secret, chain)


def _require(cookie: tuple[str, str]) -> None:
    key, value = cookie
    if not (key and value):
        _die("this plugin has an empty cookie, so no host can show that it is one.")
    if os.environ.get(key) != value:
        name = os.path.basename(sys.argv[0])
        _die(f"{name} is a plugin: it is not run by hand but by a host, which sets {key}.")


def _choose(versions: Mapping[int, Register]) -> int:
    """The highest version that both sides speak; else our lowest, for the host to refuse."""
    offered = (_take("PLUGIN_PROTOCOL_VERSIONS") or "").split(",")
    common = [version for version in versions if str(version) in offered]
    return max(common, default=min(versions))


def _take(name: str) -> str | None:
    """Reads a variable and removes it: it is not for our own child processes."""
    return os.environ.pop(name, None)


def _die(message: str) -> NoReturn:
    with suppress(OSError):  # a closed descriptor
        os.write(2, f"{message}\n".encode())
    os._exit(1)


def _fail(message: str) -> NoReturn:
    logging.getLogger(__name__).critical(message)
    os._exit(1)


def _trusted(host_pem: str) -> bytes:
    """The host's certificates, without what else the text holds."""
    try:
        trusted = x509.load_pem_x509_certificates(host_pem.encode())
    except ValueError as error:
        _fail(f"PLUGIN_CLIENT_CERT holds no certificate in PEM: {error}")
    for theirs in (certificate.public_key() for certificate in trusted):
        curve = theirs.curve.name if isinstance(theirs, ec.EllipticCurvePublicKey) else ""
        if not (curve in _CURVES or isinstance(theirs, rsa.RSAPublicKey)):
            _fail(
                f"the host's certificate has a key ({curve or type(theirs).__name__}) that grpcio "
                "cannot verify: use a host that presents P-256, or turn its mutual TLS off"
            )
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in trusted)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Outrigger"),
            x509.NameAttribute(NameOID.COMMON_NAME, "localhost"),
        ]
    )
    roles = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(seconds=30))
        .not_valid_after(now + datetime.timedelta(days=30 * 365))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(roles), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _follow_parent(stop: threading.Event) -> None:
    """Ends the plugin with its parent.

    Not with a parent-death signal: the kernel sends that one when the *thread*
    that spawned us ends, which in a host with a pool of threads is any time.
    """
    if _PARENT_FD is not None and os.getppid() == _PARENT:
        poll = select.poll()
        poll.register(_PARENT_FD, select.POLLIN)
        poll.poll()
    else:
        while os.getppid() == _PARENT:
            time.sleep(0.1)
    stop.set()
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)


def for_host(method: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the server answer a method on the threads that are kept for the host."""
    method.experimental_thread_pool = _HOST_THREADS  # type: ignore[attr-defined]
    return method


class _Health(health_pb2_grpc.HealthServicer):
    """Serving from the first moment to the last."""

    @for_host
    def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in ("", "plugin"):
            context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    @for_host
    def Watch(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        over = threading.Event()
        context.add_callback(over.set)
        known = request.service in ("", "plugin")
        statuses = health_pb2.HealthCheckResponse
        yield statuses(status=statuses.SERVING if known else statuses.SERVICE_UNKNOWN)
        over.wait()


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    """Ends the plugin when the host asks for it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    @for_host
    def Shutdown(
        self, request: grpc_controller_pb2.Empty, context: grpc.ServicerContext
    ) -> grpc_controller_pb2.Empty:
        # The callback runs once the answer is out, or cannot be delivered; a host
        # that does not read its answer must not keep us.
        if not context.add_callback(self._stop.set):
            self._stop.set()
        late = threading.Timer(_STOP_SECONDS, self._stop.set)
        late.daemon = True
        late.start()
        return grpc_controller_pb2.Empty()


class _Output:
    """What is printed; a host that does not read loses the oldest pieces."""

    PIECE = 1024  # bytes, the protocol's habit
    KEPT = 1024  # pieces

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque(maxlen=self.KEPT)
        self._changed = threading.Condition()

    def capture(self) -> None:
        """Takes descriptor 1: prints, libraries in C and child processes alike."""
        reading, writing = os.pipe()
        if sys.stdout is not None:
            sys.stdout.flush()  # to the log, as it came before the line
        os.dup2(writing, 1)
        os.close(writing)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
        threading.Thread(target=self._read, args=(reading,), daemon=True).start()

    def _read(self, reading: int) -> None:
        while piece := os.read(reading, self.PIECE):
            with self._changed:
                self._pieces.append(piece)
                self._changed.notify_all()

    def pieces(self, active: Callable[[], bool]) -> Iterator[bytes]:
        """Yields what was printed until `active` says that nobody reads any more."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pieces or not active())
                if not active():
                    return
                piece = self._pieces.popleft()
            yield piece

    def wake(self) -> None:
        """Makes `pieces` ask `active` again."""
        with self._changed:
            self._changed.notify_all()


class _Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    """Streams what the plugin prints to its host."""

    def __init__(self, output: _Output) -> None:
        self._output = output

    @for_host
    def StreamStdio(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> Iterator[grpc_stdio_pb2.StdioData]:
        context.add_callback(self._output.wake)
        for piece in self._output.pieces(context.is_active):
            yield grpc_stdio_pb2.StdioData(channel=grpc_stdio_pb2.StdioData.STDOUT, data=piece)


class _HostFormatter(logging.Formatter):
    """One JSON object a line, in the form that go-plugin hosts sort by level."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        fields = {key: value for key, value in vars(record).items() if key not in _USUAL}
        # Last, so that no field takes the place of what hosts rely on.
        reserved = {
            "@level": _level(record.levelno),
            "@message": message,
            "@module": record.name,
            "@timestamp": moment.isoformat(timespec="microseconds"),
        }
        try:
            line = json.dumps({**fields, **reserved}, default=repr, allow_nan=False)
        except (TypeError, ValueError):  # a field that JSON cannot say
            named = {key: repr(value) for key, value in fields.items()}
            line = json.dumps({**named, **reserved})
        if len(line) > _LONGEST_RECORD:
            # An escaped character takes up to twelve bytes.
            reserved["@message"] = message[: _LONGEST_RECORD // 16] + " (cut)"
            line = json.dumps(reserved)
        return line


def _level(number: int) -> str:
    for least, name in ((40, "error"), (30, "warn"), (20, "info"), (10, "debug")):
        if number >= least:
            return name
    return "trace"


def _log_to_host() -> None:
    """Sends `logging` to the host, unless the plugin has set it up already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_HostFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    log = logging.getLogger(__name__)
    # A crash is one record, not a line of text for each frame.
    sys.excepthook = lambda *crash: log.critical("the plugin crashed", exc_info=crash)
    threading.excepthook = lambda crash: log.error(
        "a thread of the plugin crashed",
        exc_info=(crash.exc_type, crash.exc_value or crash.exc_type(), crash.exc_traceback),
    )
