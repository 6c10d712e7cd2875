"""go-plugin's broker for a plugin that `outrigger_plugin` serves: connections beside the main one.

Either side can serve, either can dial. Not multiplexed: each service has a
socket of its own, because grpcio takes no connection that somebody else made.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress

import grpc

from gen import grpc_broker_pb2, grpc_broker_pb2_grpc
from outrigger_plugin import Session, for_host

# How long a dial waits for its announcement, and an announcement for its dial.
WAIT_SECONDS = 5.0
# Announcements that nobody has dialled yet.
_KEPT = 1024
# Announcements that the host has not read yet.
_UNSENT = 1024
# Calls that one brokered service answers at once.
_WORKERS = 4


class BrokerError(Exception):
    """A connection that cannot be had; the text says which id and why."""


class Broker(grpc_broker_pb2_grpc.GRPCBrokerServicer):
    """One a process; it is put on the main server, and lost with the host's stream."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changed = threading.Condition()
        self._announced: dict[int, tuple[float, str, str]] = {}
        self._unsent: queue.Queue[grpc_broker_pb2.ConnInfo | None] = queue.Queue(_UNSENT)
        self._last = 0
        self._opened = self._closed = False
        self._servers: list[grpc.Server] = []

    def next_id(self) -> int:
        """Gives a number that was not used before."""
        with self._changed:
            self._last += 1
            return self._last

    def serve(self, service_id: int, register: Callable[[grpc.Server], None]) -> grpc.Server:
        """Serves under an id, on a socket of its own, until the server is stopped or the host goes.

        Raises BrokerError when the broker is closed, OSError when there is no socket.
        """
        server = grpc.server(futures.ThreadPoolExecutor(_WORKERS))
        register(server)
        path = self._session.listen(server)
        server.start()
        announcement = grpc_broker_pb2.ConnInfo(
            service_id=service_id, network="unix", address=path
        )
        with self._changed:
            if not self._closed:
                with suppress(queue.Full):
                    self._unsent.put_nowait(announcement)
                    self._servers.append(server)
                    return server
        server.stop(None)
        raise BrokerError(f"broker id {service_id} cannot be announced: the host does not listen")

    def dial(self, service_id: int) -> grpc.Channel:
        """Connects to what the host serves under an id; each announcement is good for once.

        Raises BrokerError when none comes in time, or the broker is closed.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or service_id in self._announced, timeout=WAIT_SECONDS
            )
            if self._closed:
                raise BrokerError(f"broker id {service_id}: the broker is closed")
            if service_id not in self._announced:
                raise BrokerError(f"broker id {service_id} was not announced in {WAIT_SECONDS} s")
            _, network, address = self._announced.pop(service_id)
        try:
            return self._session.dial(network, address)
        except ValueError as error:
            raise BrokerError(f"broker id {service_id}: {error}") from error

    @for_host
    def StartStream(
        self,
        request_iterator: Iterator[grpc_broker_pb2.ConnInfo],
        context: grpc.ServicerContext,
    ) -> Iterator[grpc_broker_pb2.ConnInfo]:
        """The host's stream, for as long as it stays."""
        with self._changed:
            second, self._opened = self._opened, True
        if second:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the broker has a stream already")
        threading.Thread(target=self._receive, args=(request_iterator,), daemon=True).start()
        while (announcement := self._unsent.get()) is not None:
            yield announcement

    def _receive(self, announcements: Iterator[grpc_broker_pb2.ConnInfo]) -> None:
        # An iterator of grpcio's raises what it will when the call breaks.
        with suppress(Exception):
            for each in announcements:
                self._keep(each)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            servers, self._servers = self._servers, []
        with suppress(queue.Full):
            self._unsent.put_nowait(None)
        for server in servers:
            server.stop(None)

    def _keep(self, announcement: grpc_broker_pb2.ConnInfo) -> None:
        if announcement.HasField("knock"):  # not asked for, so not ours to answer
            return
        now = time.monotonic()
        with self._changed:
            for service_id, (until, *_) in list(self._announced.items()):
                if until < now:
                    del self._announced[service_id]
            if len(self._announced) < _KEPT:
                self._announced.setdefault(
                    announcement.service_id,
                    (now + WAIT_SECONDS, announcement.network, announcement.address),
                )
                self._changed.notify_all()
