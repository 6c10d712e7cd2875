"""A plugin on grpcio: the other side in the tests of the interop matrix.

    interop-python [-versions 1,2]
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator

import grpc

import hello
import outrigger_plugin
from gen import grpc_broker_pb2_grpc, probe_pb2, probe_pb2_grpc
from outrigger_broker import Broker, BrokerError

# What the plugin takes in one message; grpcio's own limit is 4 MiB.
LARGEST = 64 << 20
# How long the host may take to answer on a brokered connection.
ANSWER_SECONDS = 8
# Python has no name for what is finer than debug.
LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}


class Answer(probe_pb2_grpc.AnswerServicer):
    """What the plugin serves on a brokered connection."""

    def Ask(self, request: probe_pb2.Payload, context: grpc.ServicerContext) -> probe_pb2.Payload:
        return probe_pb2.Payload(data=b"plugin:" + request.data)


class Probe(probe_pb2_grpc.ProbeServicer):
    """Shows the broker, the streams and message sizes from outside."""

    def __init__(self, session: outrigger_plugin.Session, broker: Broker) -> None:
        self._session = session
        self._broker = broker

    def Echo(self, request: probe_pb2.Payload, context: grpc.ServicerContext) -> probe_pb2.Payload:
        return request

    def EchoStream(
        self, request_iterator: Iterator[probe_pb2.Payload], context: grpc.ServicerContext
    ) -> Iterator[probe_pb2.Payload]:
        yield from request_iterator

    def Print(
        self, request: probe_pb2.PrintRequest, context: grpc.ServicerContext
    ) -> probe_pb2.PrintResponse:
        for stream, data in ((sys.stdout, request.stdout), (sys.stderr, request.stderr)):
            stream.buffer.write(data)
            stream.flush()
        return probe_pb2.PrintResponse()

    def Log(
        self, request: probe_pb2.LogRequest, context: grpc.ServicerContext
    ) -> probe_pb2.LogResponse:
        level = LEVELS.get(request.level)
        if level is None:
            fault = f"level {request.level!r} is not known"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, fault)
        # Python refuses fields under the names of its own attributes.
        known = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
        fields = {f"{key}_" if key in known else key: text for key, text in request.fields.items()}
        logging.getLogger("interop").log(level, "%s", request.message, extra=fields)
        return probe_pb2.LogResponse()

    def CallHost(
        self, request: probe_pb2.CallHostRequest, context: grpc.ServicerContext
    ) -> probe_pb2.Payload:
        try:
            channel = self._broker.dial(request.broker_id)
        except BrokerError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        with channel:
            try:
                return probe_pb2_grpc.AnswerStub(channel).Ask(
                    probe_pb2.Payload(data=request.data), timeout=ANSWER_SECONDS
                )
            except grpc.RpcError as error:
                context.abort(error.code(), f"ask the host: {error.details()}")

    def Offer(
        self, request: probe_pb2.OfferRequest, context: grpc.ServicerContext
    ) -> probe_pb2.OfferResponse:
        service_id = self._broker.next_id()
        if not request.silent:
            try:
                self._broker.serve(
                    service_id,
                    lambda server: probe_pb2_grpc.add_AnswerServicer_to_server(Answer(), server),
                )
            except (BrokerError, OSError) as error:
                context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return probe_pb2.OfferResponse(broker_id=service_id)

    def Describe(
        self, request: probe_pb2.DescribeRequest, context: grpc.ServicerContext
    ) -> probe_pb2.DescribeResponse:
        return probe_pb2.DescribeResponse(
            protocol_version=self._session.version,
            mutual_tls="x509_pem_cert" in context.auth_context(),
            multiplexed=False,
            pid=os.getpid(),
        )


def register(server: grpc.Server, session: outrigger_plugin.Session) -> None:
    """Puts everything on the server, whatever the version."""
    logging.getLogger("interop").setLevel(1)
    broker = Broker(session)
    grpc_broker_pb2_grpc.add_GRPCBrokerServicer_to_server(broker, server)
    probe_pb2_grpc.add_ProbeServicer_to_server(Probe(session, broker), server)
    hello.register(server, session)


def main() -> None:
    versions = "1"
    if len(sys.argv) == 3 and sys.argv[1] in ("-versions", "--versions"):
        versions = sys.argv[2]
    elif len(sys.argv) != 1:
        sys.exit("usage: interop-python [-versions 1,2]")
    outrigger_plugin.serve(
        {int(version): register for version in versions.split(",")},
        options=[("grpc.max_receive_message_length", LARGEST)],
    )


if __name__ == "__main__":
    main()
