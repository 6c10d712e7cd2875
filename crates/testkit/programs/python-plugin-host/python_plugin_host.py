"""A host on PyPI's python-plugin: the other side in the tests of the interop matrix.

    python-plugin-host [-plain] [-primed] [-versions 1,2] [-steps LIST] [-large BYTES] [-calls N] PLUGIN [ARGS...]

It prints the JSON object that `../go/README.md` describes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from grpclib.client import Channel
from grpclib.health.v1 import health_grpc, health_pb2
from grpclib.server import Stream

from gen import helloworld_grpc, helloworld_pb2, init_grpc, init_pb2, probe_grpc, probe_pb2
from pyplugin import Client, ClientConfig, GRPCBroker, HandshakeConfig, Plugin
from pyplugin._generated import grpc_broker_pb2

LIBRARY = "0.1.0"
NAME = "interop"
COOKIE = HandshakeConfig(
    1,
    "QUORUM_PLUGIN_MAGIC_COOKIE",
    "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09"
    "41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
)
# Bounds every step: a plugin that hangs is a result.
STEP_SECONDS = 8.0
START_SECONDS = 15.0
LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warn"}


@dataclass
class Session:
    """The host's view of the plugin that it launched."""

    broker: GRPCBroker
    channel: Channel
    options: argparse.Namespace

    @property
    def probe(self) -> probe_grpc.ProbeStub:
        return probe_grpc.ProbeStub(self.channel)


class Hosted(Plugin):
    """The host's half of what python-plugin dispenses."""

    def servicers(self, broker: GRPCBroker) -> NoReturn:
        raise NotImplementedError("this program is a host, not a plugin")

    def stub(self, broker: GRPCBroker, channel: Channel) -> tuple[GRPCBroker, Channel]:
        return broker, channel


class Answer(probe_grpc.AnswerBase):
    """What the host serves on a brokered connection."""

    async def Ask(self, stream: Stream[probe_pb2.Payload, probe_pb2.Payload]) -> None:
        question = await stream.recv_message()
        data = question.data if question is not None else b""
        await stream.send_message(probe_pb2.Payload(data=b"host:" + data))


async def ping(session: Session) -> str:
    request = health_pb2.HealthCheckRequest(service="plugin")
    await health_grpc.HealthStub(session.channel).Check(request)
    return "pong"


async def greeting(session: Session) -> str:
    config = init_pb2.PluginInitialization.Request(
        hostIdentity="interop", rawConfiguration=b'{"language":"de"}'
    )
    await init_grpc.PluginInitializerStub(session.channel).Init(config)
    stub = helloworld_grpc.PluginGreetingStub(session.channel)
    answer = await stub.Greeting(helloworld_pb2.PluginHelloWorld.Request(msg="Python"))
    return answer.msg


async def echo(session: Session) -> str:
    answer = await session.probe.Echo(probe_pb2.Payload(data=b"echo"))
    return answer.data.decode()


async def stream(session: Session) -> str:
    """Sends as it receives: an order of its own is a failure."""
    async with session.probe.EchoStream.open() as both:
        for number in range(10):
            data = bytes([number])
            await both.send_message(probe_pb2.Payload(data=data))
            answer = await both.recv_message()
            if answer is None or answer.data != data:
                raise ValueError(f"{number} came back as {answer}")
        await both.end()
        if await both.recv_message() is not None:
            raise ValueError("the stream did not end")
    return "10"


async def large(session: Session) -> str:
    data = b"0123456789abcdef" * (session.options.large // 16)
    answer = await session.probe.Echo(probe_pb2.Payload(data=data))
    if answer.data != data:
        raise ValueError("other bytes came back")
    return str(len(data))


async def calls(session: Session) -> str:
    for _ in range(session.options.calls):
        await session.probe.Echo(probe_pb2.Payload(data=b"again"))
    return str(session.options.calls)


async def print_both(session: Session) -> str:
    await session.probe.Print(
        probe_pb2.PrintRequest(stdout=b"to stdout\n", stderr=b"to stderr\n")
    )
    return ""


async def log(session: Session) -> str:
    await session.probe.Log(
        probe_pb2.LogRequest(level="warn", message="a record", fields={"key": "value"})
    )
    return ""


async def describe(session: Session) -> str:
    d = await session.probe.Describe(probe_pb2.DescribeRequest())
    flags = f"mutual TLS {d.mutual_tls}, multiplexed {d.multiplexed}".lower().replace("tls", "TLS")
    return f"version {d.protocol_version}, {flags}"


async def call_host(session: Session) -> str:
    """Lets the plugin call a service of the host."""
    service_id = session.broker.next_id()
    await session.broker.accept_and_serve(service_id, [Answer()])
    request = probe_pb2.CallHostRequest(broker_id=service_id, data=b"question")
    answer = await session.probe.CallHost(request)
    return answer.data.decode()


async def offer(session: Session) -> str:
    """Lets the host call a service of the plugin on a connection of its own."""
    offered = await session.probe.Offer(probe_pb2.OfferRequest())
    channel = await session.broker.dial(offered.broker_id)
    try:
        answer = await probe_grpc.AnswerStub(channel).Ask(probe_pb2.Payload(data=b"question"))
        return answer.data.decode()
    finally:
        channel.close()


async def both_twice(session: Session) -> str:
    seen = ""
    for step in (call_host, offer, call_host, offer):
        seen += f"{await step(session)} "
    return seen


STEPS: dict[str, Callable[[Session], Awaitable[str]]] = {
    "ping": ping,
    "greeting": greeting,
    "echo": echo,
    "stream": stream,
    "large": large,
    "calls": calls,
    "print": print_both,
    "log": log,
    "describe": describe,
    "call-host": call_host,
    "offer": offer,
    "both-twice": both_twice,
}


class Lines(logging.Handler):
    """Keeps what python-plugin logs, the plugin's own records among it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "@level": LEVELS.get(record.levelname, "error"),
            "@message": record.getMessage(),
            "@module": record.name,
        }
        self.lines.append(json.dumps(line))


async def prime(client: Client) -> None:
    """Makes the library read the broker's stream, so that it can dial.

    Its reader starts before anything was sent, where grpclib lets nobody read,
    and that error is dropped. Something to send before the reader starts helps.
    """
    unwanted = grpc_broker_pb2.ConnInfo(service_id=2**32 - 1, network="unix", address="/unwanted")
    await client.broker._send(unwanted)


async def use(client: Client, options: argparse.Namespace, report: dict[str, Any]) -> None:
    """Starts the plugin and takes the steps; the first that fails is the last."""
    try:
        await client.start()
        if options.primed:
            await prime(client)
        broker, channel = client.dispense(NAME)
    except Exception as error:
        report["failed"]["start"] = f"{type(error).__name__}: {error}"
        return
    report["protocol"], report["negotiated_version"] = "grpc", client.negotiated_version
    session = Session(broker, channel, options)
    for name in options.steps:
        try:
            report["done"][name] = await asyncio.wait_for(STEPS[name](session), STEP_SECONDS)
        except Exception as error:
            report["failed"][name] = f"{type(error).__name__}: {error}"
            return


async def host(options: argparse.Namespace) -> dict[str, Any]:
    report: dict[str, Any] = {
        "python_plugin": LIBRARY, "protocol": "", "negotiated_version": 0, "done": {}, "failed": {}
    }  # fmt: skip
    lines = Lines()
    logger = logging.getLogger("host")
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    client = Client(
        ClientConfig(
            handshake_config=COOKIE,
            plugins={version: {NAME: Hosted()} for version in options.versions},
            cmd=options.command,
            auto_mtls=not options.plain,
            start_timeout=START_SECONDS,
            logger=logger,
        )
    )
    await use(client, options, report)
    report["pid"] = client.pid or 0
    begin = time.monotonic()
    await client.kill()
    report["kill_ms"] = (time.monotonic() - begin) * 1e3
    # The library tells nobody whether the process has ended.
    process = client._proc
    report["exited"] = process is None or process.poll() is not None
    report["log"] = lines.lines
    # SIGTERM is no force here: the library sends it as soon as the connection
    # breaks before Shutdown is answered, which Go plugins do.
    report["forced_kill"] = any("sending SIGKILL" in line for line in lines.lines)
    # The library never opens the stdio stream.
    report["sync_stdout"] = report["sync_stderr"] = ""
    return report


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python-plugin-host")
    parser.add_argument("-plain", action="store_true")
    parser.add_argument("-primed", action="store_true")
    parser.add_argument("-mux", action="store_true")
    parser.add_argument("-versions", default="1")
    parser.add_argument("-steps", default="ping,greeting")
    parser.add_argument("-large", type=int, default=5 << 20)
    parser.add_argument("-calls", type=int, default=500)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.versions = [int(version) for version in options.versions.split(",")]
    options.steps = options.steps.split(",")
    if options.mux:
        sys.exit(f"python-plugin-host: python-plugin {LIBRARY} has no multiplexing")
    if unknown := [name for name in options.steps if name not in STEPS]:
        sys.exit(f"python-plugin-host: step {unknown[0]!r} is not known")
    if not options.command:
        sys.exit("python-plugin-host: name the plugin to host")
    return options


def main() -> NoReturn:
    options = parse()
    # The library leaves certificates, keys and sockets in the temporary directory.
    directory = tempfile.mkdtemp(prefix="python-plugin-host-")
    tempfile.tempdir = os.environ["TMPDIR"] = directory
    try:
        report = asyncio.get_event_loop_policy().new_event_loop().run_until_complete(host(options))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(json.dumps(report), flush=True)
    # Not sys.exit: that waits for the library's readers of the plugin's pipes.
    os._exit(0)


if __name__ == "__main__":
    main()
