"""The service manager's end of the notify socket, in a test."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 60.0


class Ear:
    """The manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.heard: list[dict[str, str]] = []

    def listen(self) -> None:
        """Receives everything that has arrived."""
        self._line.setblocking(False)
        while True:
            try:
                said = self._line.recv(4096).decode()
            except BlockingIOError:
                return
            self.heard.append(dict(line.split("=", 1) for line in said.splitlines()))

    def wait_for(self, words: str, count: int = 1) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while self.count(words) < count:
            assert time.monotonic() < deadline_s, f"{words} was not heard: {self.heard}"
            time.sleep(0.02)

    def count(self, words: str) -> int:
        """The number of messages with this name or in whose status these words are."""
        self.listen()
        return sum(words in said or words in said.get("STATUS", "") for said in self.heard)

    def close(self) -> None:
        self._line.close()


@contextmanager
def listening(address: str) -> Iterator[Ear]:
    ear = Ear(address)
    try:
        yield ear
    finally:
        ear.close()
