"""The hello-world plugin in Python: initialised with a language, it greets in it."""

from __future__ import annotations

import json

import grpc

import outrigger_plugin
from gen import helloworld_pb2, helloworld_pb2_grpc, init_pb2, init_pb2_grpc

GREETINGS = {"en": "Hello {msg}!", "es": "Hola {msg}!", "de": "Hallo {msg}!"}


class Hello(init_pb2_grpc.PluginInitializerServicer, helloworld_pb2_grpc.PluginGreetingServicer):
    """Serves both interfaces; there is no greeting until Init has chosen one."""

    greeting: str | None = None

    def Init(
        self, request: init_pb2.PluginInitialization.Request, context: grpc.ServicerContext
    ) -> init_pb2.PluginInitialization.Response:
        """Takes {"language": "en"}; without a config the language is English."""
        try:
            config = json.loads(request.rawConfiguration or b"null") or {}
            language = str(config.get("language", "en"))
        except (ValueError, AttributeError) as error:
            fault = f"the config is not the JSON that was expected: {error}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, fault)
        if language not in GREETINGS:
            fault = f"language {json.dumps(language)} is not known; choose en, es or de"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, fault)
        self.greeting = GREETINGS[language]
        print(f"greeting in {language} for {request.hostIdentity}")
        return init_pb2.PluginInitialization.Response()

    def Greeting(
        self, request: helloworld_pb2.PluginHelloWorld.Request, context: grpc.ServicerContext
    ) -> helloworld_pb2.PluginHelloWorld.Response:
        """Answers in the language that Init chose."""
        if self.greeting is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Init comes before Greeting")
        text = self.greeting.replace("{msg}", request.msg)
        return helloworld_pb2.PluginHelloWorld.Response(msg=text)


def register(server: grpc.Server, _session: outrigger_plugin.Session) -> None:
    """Puts the services of protocol version 1 on the server."""
    hello = Hello()
    init_pb2_grpc.add_PluginInitializerServicer_to_server(hello, server)
    helloworld_pb2_grpc.add_PluginGreetingServicer_to_server(hello, server)


if __name__ == "__main__":
    outrigger_plugin.serve({1: register})
