"""A device on a real pseudo-terminal: it speaks protocol 1 in real time, or misbehaves on request.

    with FakeDevice(tmp_path / "tty") as device:     # a link, like those in by-id
        ...                                          # open str(tmp_path / "tty") like any serial port
        device.reset()
        device.unplug(); device.plug()               # the same link, another pty

It runs in its own thread, so its reader may be in this process or in another. `device.wire.sent` has every sample, and
`device.heard` every command that it understood.
"""

import itertools
import math
import os
import select
import threading
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from firmware_bridge.formats.codes import Result
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.formats.messages import (
    Ack,
    HelloRequest,
    Message,
    Ping,
    Pong,
    StartStream,
    StatusRequest,
    StopStream,
    parse,
)
from tests.firmware_bridge.wire import Wire

Speech = Literal["frames", "millis", "micros", "nmea", "noise", "nothing"]
STATUS_US = 1_000_000
FORCE_US = 12_500
_boot_ids = itertools.count(1)


class FakeDevice:
    """Sends positions at 500 Hz or at the rate of START, a conversion every 12.5 ms, and STATUS once a second."""

    def __init__(self, link: Path, speech: Speech = "frames", protocol: int = 1, start_result: int = Result.OK) -> None:
        self.link = link
        self.speech = speech
        self.protocol = protocol
        self.start_result = start_result
        self.deaf = False  # ignores commands
        self.acknowledges = True
        self.heard: list[Message] = []
        self.noise_bytes = 0  # from the host, outside of frames
        self.openings = 0
        self.wire = Wire()
        self._lock = threading.RLock()
        self._master: int | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug(self) -> None:
        """Appears, and boots."""
        master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)  # from now on the kernel reports if the port is open
        os.set_blocking(master, False)
        self._master, self._is_open = master, False
        self.reset()
        passing = self.link.with_name(self.link.name + ".new")
        passing.symlink_to(name)
        passing.replace(self.link)
        self._thread = threading.Thread(target=self._live, name="fake device")
        self._thread.start()

    def unplug(self) -> None:
        """Vanishes: a reader of the port sees it hang up."""
        self.link.unlink(missing_ok=True)
        thread, self._thread = self._thread, None
        if thread:
            thread.join()
        with self._lock:
            if self._master is not None:
                os.close(self._master)
            self._master = None

    def reset(self, hello: bool = True) -> None:
        """Restarts, as after a brown-out; without `hello` the HELLO is lost."""
        with self._lock:
            self._start: StartStream | None = None
            self._deframer = Deframer()
            self._born_us = time.monotonic_ns() // 1000
            self.wire.reboot(0, next(_boot_ids), 0)
            self._status_us, self._text_us = STATUS_US, 0
            self._say(b"\x00")
            said = self._hello()
            if hello:
                self._say(said)

    def say(self, data: bytes) -> None:
        """Sends any bytes."""
        with self._lock:
            self._say(data)

    @property
    def streaming(self) -> bool:
        """True if a START has arrived since the last reset."""
        return self._start is not None

    # -- in its thread --

    def _live(self) -> None:
        assert self._master is not None
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while self._thread is not None:
            events = sum(event for _, event in poll.poll(2))
            with self._lock:
                is_open = not events & select.POLLHUP
                self.openings += is_open and not self._is_open
                self._is_open = is_open
                if events & select.POLLIN:
                    self._listen(os.read(self._master, 4096))
                self._speak((time.monotonic_ns() // 1000) - self._born_us)
            if not is_open:
                time.sleep(0.002)  # poll returns at once while the port is closed

    def _listen(self, data: bytes) -> None:
        if self.deaf:
            return
        for payload in self._deframer.feed(data):
            message = parse(payload)
            if message is None:
                continue
            self.heard.append(message)
            if self.speech == "frames":
                self._answer(message, payload[0], payload[1])
        self.noise_bytes = self._deframer.counts.garbage_bytes

    def _answer(self, message: Message, command: int, seq: int) -> None:
        now_us = time.monotonic_ns() // 1000 - self._born_us
        match message:
            case HelloRequest():
                self._say(self._hello())
            case StartStream():
                if self.start_result == Result.OK and (
                    self._start is None or self._start.stream_id != message.stream_id
                ):
                    self._start = message
                    self.wire.stream_id, self.wire.pos_idx, self.wire.force_idx = message.stream_id, 0, 0
                    self._pos_us = self._force_us = now_us
                if self.acknowledges:
                    self._say(self.wire.send(Ack(command, seq, self.start_result)))
            case StopStream():
                self._start = None
                self._say(self.wire.send(Ack(command, seq, Result.OK)))
            case Ping(token):
                self._say(self.wire.send(Pong(token, now_us, now_us)))
            case StatusRequest():
                self._say(self._status(now_us))

    def _speak(self, now_us: int) -> None:
        if self.speech == "nothing":
            return
        if self.speech != "frames":
            if now_us - self._text_us >= 10_000:
                self._text_us = now_us
                self._say(self._text(now_us))
            return
        if now_us >= self._status_us:
            self._status_us += STATUS_US
            self._say(self._status(now_us))
        if self._start is None:
            return
        n, period_us, streams = self._start.batch, self._start.period_us, self._start.streams
        while True:  # in the order of time, also when this thread has stood still
            pos_due_us = self._pos_us + n * period_us if streams & 1 else math.inf
            force_due_us = self._force_us if streams & 2 else math.inf
            if min(pos_due_us, force_due_us) > now_us:
                return
            if pos_due_us < force_due_us:
                self._say(self.wire.pos(self._pos_us, n, period_us))
                self._pos_us += n * period_us
            else:
                self._say(self.wire.force(self._force_us))
                self._force_us += FORCE_US

    def _text(self, now_us: int) -> bytes:
        if self.speech == "millis":
            return b"%d,%d,%d\r\n" % (now_us // 1000, now_us // 9000 % 500, 700)
        if self.speech == "micros":
            return b"%d;%d\n" % (now_us, 700)
        if self.speech == "nmea":
            return b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
        return os.urandom(40)

    def _hello(self) -> bytes:
        return self.wire.hello(time.monotonic_ns() // 1000 - self._born_us, self.protocol)

    def _status(self, now_us: int) -> bytes:
        return self.wire.status(now_us, streaming=self.streaming)

    def _say(self, data: bytes) -> None:
        """Sends bytes if the port is open: a UART does not buffer them."""
        if self._master is None or not self._is_open or not data:
            return
        try:
            os.write(self._master, data)
        except BlockingIOError:  # the reader is slow: the bytes are lost, which is a gap
            return
