"""All that a Python program needs to be a plugin of a go-plugin host.

Copy this file and `gen/`, write classes for your gRPC services, call `serve`.
It covers the cookie, the choice of a version, the certificate and mutual TLS,
the handshake line, health, output, logging, shutdown and the host's death.

Two limits. grpcio cannot verify a certificate on P-521, which is what Go hosts
make; Outrigger presents P-256, but a Go host has to go without mutual TLS. And
there is no broker, hence no multiplexing; hosts tolerate that.
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
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import suppress
from typing import Any, NoReturn

# Before the slow imports: a parent that dies meanwhile must not be missed.
_PARENT = os.getppid()
try:
    _PARENT_FD: int | None = os.pidfd_open(_PARENT)
except OSError:  # refused by a sandbox, or the parent is outside our PID namespace
    _PARENT_FD = None

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

Register = Callable[[grpc.Server], None]

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
# Of the 108 bytes of a socket's address the last one ends the path.
_LONGEST_PATH = 107
# What a plugin may take to clean up once its host is gone.
_ORPHAN_SECONDS = 2.0
# Python's names of levels, in the protocol's; what is not here is an error.
_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn"}
# Health, output and shutdown have threads of their own: a plugin that is busy
# with slow calls still answers its host, and still stops.
_HOST_THREADS = futures.ThreadPoolExecutor(16)


def serve(
    versions: Mapping[int, Register],
    *,
    cookie: tuple[str, str] = QUORUM_COOKIE,
    workers: int = 16,
    cleanup: Callable[[], None] | None = None,
) -> NoReturn:
    """Serves until the host says stop or dies, then ends the process.

    `versions` maps each application protocol version that the plugin speaks to
    a function that registers its services on the server; `workers` bounds the
    calls that are answered at once; `cleanup` runs when serving is over.
    """
    _require(cookie)
    _log_to_host()
    version = _choose(versions)
    host_certificate = _take("PLUGIN_CLIENT_CERT")
    group = _take("PLUGIN_UNIX_SOCKET_GROUP")
    path = _socket_path(_take("PLUGIN_UNIX_SOCKET_DIR"))
    for unused in ("PLUGIN_MULTIPLEX_GRPC", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT"):
        _take(unused)

    stop = threading.Event()
    output = _Output()
    server = grpc.server(futures.ThreadPoolExecutor(workers))
    health_pb2_grpc.add_HealthServicer_to_server(_Health(), server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(_Controller(stop), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(output), server)
    versions[version](server)

    certificate = b""
    try:
        if host_certificate:
            credentials, certificate = _mutual_tls(host_certificate)
            server.add_secure_port(f"unix:{path}", credentials)
        else:
            server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        _die(f"the socket cannot be made; is its directory there, and writable? {error}")
    if group:
        shutil.chown(path, group=int(group) if group.isdecimal() else group)
        os.chmod(path, 0o660)
    server.start()

    # Ctrl-C reaches the host's whole group; the host decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_follow_parent, args=(stop,), daemon=True).start()
    try:
        encoded = base64.b64encode(certificate).rstrip(b"=").decode()
        print(f"{CORE_PROTOCOL}|{version}|unix|{path}|grpc|{encoded}", flush=True)
        sys.stdout = output  # what is printed from here on reaches the host as stdout
        stop.wait()
    except BrokenPipeError:  # the host died before it could read the line
        pass
    server.stop(None).wait(_ORPHAN_SECONDS)
    with suppress(OSError):
        os.unlink(path)
    if cleanup is not None:
        try:
            cleanup()
        except Exception:
            logging.getLogger(__name__).exception("the clean-up failed")
    # Not sys.exit: that waits for every call that is still running.
    os._exit(0)


def _require(cookie: tuple[str, str]) -> None:
    key, value = cookie
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


def _socket_path(directory: str | None) -> str:
    path = os.path.join(directory or tempfile.gettempdir(), f"plugin{secrets.token_hex(5)}")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        _die(f"{path} is too long for a socket; set TMPDIR to a shorter directory.")
    return path


def _die(message: str) -> NoReturn:
    print(message, file=sys.stderr, flush=True)
    os._exit(1)


def _mutual_tls(host_pem: str) -> tuple[grpc.ServerCredentials, bytes]:
    """Credentials that let in nobody but the host, and our certificate in DER."""
    try:
        trusted = x509.load_pem_x509_certificates(host_pem.encode())
    except ValueError as error:
        _die(f"PLUGIN_CLIENT_CERT holds no certificate in PEM: {error}")
    for theirs in (certificate.public_key() for certificate in trusted):
        curve = theirs.curve.name if isinstance(theirs, ec.EllipticCurvePublicKey) else ""
        if not (curve in _CURVES or isinstance(theirs, rsa.RSAPublicKey)):
            _die(
                f"the host's certificate has a key ({curve or type(theirs).__name__}) that grpcio "
                "cannot verify: use a host that presents P-256, or turn its mutual TLS off."
            )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    credentials = grpc.ssl_server_credentials(
        [(key_pem, certificate.public_bytes(serialization.Encoding.PEM))],
        root_certificates=host_pem.encode(),
        require_client_auth=True,
    )
    return credentials, certificate.public_bytes(serialization.Encoding.DER)


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


def _for_host(method: Callable[..., Any]) -> Callable[..., Any]:
    """Lets the server answer a method on the threads that are kept for the host."""
    method.experimental_thread_pool = _HOST_THREADS  # type: ignore[attr-defined]
    return method


class _Health(health_pb2_grpc.HealthServicer):
    """Serving from the first moment to the last."""

    @_for_host
    def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in ("", "plugin"):
            context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

    @_for_host
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

    @_for_host
    def Shutdown(
        self, request: grpc_controller_pb2.Empty, context: grpc.ServicerContext
    ) -> grpc_controller_pb2.Empty:
        # The callback runs once the answer is out, or cannot be delivered.
        if not context.add_callback(self._stop.set):
            self._stop.set()
        return grpc_controller_pb2.Empty()


class _Output(io.TextIOBase):
    """Takes the place of `sys.stdout`; a host that does not read loses the oldest pieces."""

    PIECE = 1024  # bytes, the protocol's habit
    KEPT = 1024  # pieces

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque(maxlen=self.KEPT)
        self._changed = threading.Condition()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        data = text.encode(errors="replace")
        with self._changed:
            self._pieces.extend(
                data[at : at + self.PIECE] for at in range(0, len(data), self.PIECE)
            )
            self._changed.notify()
        return len(text)

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

    @_for_host
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
        return json.dumps(
            {
                "@level": _LEVELS.get(record.levelname, "error"),
                "@message": message,
                "@module": record.name,
                "@timestamp": moment.isoformat(timespec="microseconds"),
            }
        )


def _log_to_host() -> None:
    """Sends `logging` to the host, unless the plugin has set it up already."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_HostFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
