from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PluginInitialization(_message.Message):
    __slots__ = ()
    class Request(_message.Message):
        __slots__ = ("hostIdentity", "rawConfiguration")
        HOSTIDENTITY_FIELD_NUMBER: _ClassVar[int]
        RAWCONFIGURATION_FIELD_NUMBER: _ClassVar[int]
        hostIdentity: str
        rawConfiguration: bytes
        def __init__(self, hostIdentity: _Optional[str] = ..., rawConfiguration: _Optional[bytes] = ...) -> None: ...
    class Response(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    def __init__(self) -> None: ...
