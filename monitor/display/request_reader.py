"""Lets other methods than GET through `websockets`, which reads requests for WebSockets only.

A request that has a body is still refused there.
"""

import re
from collections.abc import Generator

from websockets.server import ServerProtocol
from websockets.streams import StreamReader

_REQUEST = re.compile(rb"([A-Z]{1,16}) (.*)", re.DOTALL)
_NO_BODY = re.compile(rb"content-length:[ \t]*0[ \t]*\r\n", re.IGNORECASE)


class RequestReader(StreamReader):
    """Shows every request as a GET; `method` has the real one once the first line is there."""

    def __init__(self) -> None:
        super().__init__()
        self.method = ""

    def read_line(self, m: int) -> Generator[None, None, bytes]:
        line = yield from super().read_line(m)
        if not self.method:
            request = _REQUEST.fullmatch(line)
            self.method = request[1].decode() if request else "GET"
            return b"GET " + request[2] if request else line
        while _NO_BODY.fullmatch(line):
            line = yield from super().read_line(m)
        return line


def read_any_method(protocol: ServerProtocol) -> RequestReader:
    """Replaces the reader of a new protocol, which has read nothing yet."""
    protocol.reader = reader = RequestReader()
    protocol.parser = protocol.parse()
    next(protocol.parser)
    return reader
