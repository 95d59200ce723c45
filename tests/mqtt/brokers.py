"""A real mosquitto on a free port, and packets as bytes for clients that misbehave."""

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests import needs

START_WITHIN_S = 60.0


def free_port() -> int:
    """A port for a server that cannot choose one itself, or a port without a server.

    A connection that the port's side closes first is left in TIME_WAIT. For a minute the kernel then gives the port to
    no program that asks for any free one; a server that asks for this one gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    return port


def wait_for_server(process: subprocess.Popen[bytes], *ports: int) -> None:
    """Returns when the program accepts connections on these ports; ends it if it does not come to that."""
    deadline_s = time.monotonic() + START_WITHIN_S
    left = list(ports)
    while left:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", left[0]), 1):
            left.pop(0)
            continue
        if process.poll() is not None or time.monotonic() > deadline_s:
            process.kill()
            raise AssertionError(f"no server at port {left[0]} (exit status {process.wait()})")
        time.sleep(0.02)


def replaced(text: str, words: dict[str, str]) -> str:
    """The text with other words, all of them at once: a new port such as 48883 may look like another old one."""
    assert all(old in text for old in words)
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


class Mosquitto:
    """A mosquitto that can be killed and started again on the same port."""

    def __init__(self, folder: Path, acl: str | None = None, more: str = "") -> None:
        self.port = free_port()
        self._settings = folder / "mosquitto.conf"
        user = f"user {os.environ.get('USER', 'root')}\n" if os.geteuid() == 0 else ""
        text = f"{user}listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n{more}"
        if acl is not None:
            (folder / "acl").write_text(acl)
            text += f"acl_file {folder / 'acl'}\n"
        self._settings.write_text(text)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def allow(self, acl: str) -> None:
        """Changes the access rights at once."""
        assert self._process is not None
        (self._folder / "acl").write_text(acl)
        self._process.send_signal(signal.SIGHUP)

    def start(self) -> None:
        command = [needs.path("mosquitto"), "-c", str(self._settings)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_server(self._process, self.port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def mosquitto(folder: Path, acl: str | None = None, more: str = "") -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, acl, more)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def connect_packet(
    client_id: str, keep_alive_s: int, will: tuple[str, bytes] | None = None, clean: bool = True
) -> bytes:
    flags = (2 if clean else 0) | (0x2C if will else 0)  # will: QoS 1, retained
    body = b"\0\4MQTT\4" + bytes([flags]) + struct.pack(">H", keep_alive_s) + _text(client_id.encode())
    if will:
        body += _text(will[0].encode()) + _text(will[1])
    return b"\x10" + _length(len(body)) + body


def subscribe_packet(pattern: str, qos: int, *more: str) -> bytes:
    body = b"\0\1" + b"".join(_text(filter.encode()) + bytes([qos]) for filter in (pattern, *more))
    return b"\x82" + _length(len(body)) + body


def publish_packet(topic: str, number: int, payload: bytes, qos: int = 1, retain: bool = False) -> bytes:
    """QoS 1 or 2."""
    body = _text(topic.encode()) + struct.pack(">H", number) + payload
    return bytes([0x30 | qos << 1 | retain]) + _length(len(body)) + body


DISCONNECT = b"\xe0\0"


def _text(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)
