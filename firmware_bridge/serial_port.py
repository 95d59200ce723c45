"""The live source: reads a serial port for ever, however often the device goes away. The door to pyserial.

No other process can open the port: an advisory lock (flock) stops those that ask for it, TIOCEXCL stops the others.
Closing it does not drop DTR (-HUPCL), so opening it again does not reset the board. A read that returns nothing means
that the device is gone. Waking up costs more than reading, so bytes stay in the kernel while nobody needs them:

    bytes       |  | ||  |  |  ||  |  | |||  |
    rest        ................            ................     until shortly before something is needed
    read                        |  |                        |    what has come; then what comes, in whole frames

Where nothing is urgent, a rest ends late instead of early: one read then takes all that was waited for. So it does
after a rest that was to end early and ended late.
"""

import asyncio
import contextlib
import errno
import fcntl
import math
import os
import termios
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import serial

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError, PortBusyError
from firmware_bridge.formats import Format
from firmware_bridge.formats.codes import Streams
from firmware_bridge.formats.messages import StartStream
from firmware_bridge.holders import holders
from firmware_bridge.link import Link
from firmware_bridge.link_state import LinkState
from firmware_bridge.needed import Needed

COALESCE_S = 0.002  # for the rest of a frame: a block of 5 samples takes 0.8 ms at 500000 baud
EARLY_S = 0.003  # a rest ends this long before the needed bytes can come
SURE_S = 0.002  # this long after they should have come, they are taken to be among those that came during the rest
LATE_S = 0.005  # a patient rest ends this long after they should have come
TICK_S = 0.1  # how often the link is asked what to send, and how often an absent port is looked for
READ_BYTES = 1 << 16
DTR_PULSE_S = 0.1
NOTHING = Chunk(0, b"")


async def read_chunks(
    port: str,
    baud: int,
    *,
    format: Format = "frames",
    rate_hz: float = 500,
    block: int = 5,
    on_state: Callable[[LinkState], None] = lambda state: None,
    on_turn: Callable[[], None] = lambda: None,
    needed: Callable[[], Needed] = lambda: Needed(0),
) -> AsyncGenerator[Chunk, None]:
    """Yield what the device sends, from its HELLO on, until cancelled. `on_state` gets every change of the link.

    `on_turn` is called at least every `TICK_S`, with or without a device, as a sign of life. `needed` says when
    somebody needs what comes next.
    """
    start = StartStream(Streams.POSITION | Streams.FORCE, round(1e6 / rate_hz), block, os.urandom(1)[0])
    link = Link(port, baud, format, start, on_state, time.monotonic_ns())
    while True:
        try:
            device = await asyncio.to_thread(open_port, port, baud, wake=link.state.state == "silent")
            try:
                link.opened(time.monotonic_ns())
                while not link.given_up:
                    on_turn()
                    asked = link.due(time.monotonic_ns())
                    _send(port, device.fileno(), asked)
                    read = await _read(port, device.fileno(), Needed(0) if asked else needed(), link.is_whole)
                    if read.data and (chunk := link.receive(read)):
                        yield chunk
            finally:
                _close(device)
        except LinkError as error:
            link.failed(error, time.monotonic_ns())
        await _rest(port, link.retry_s, on_turn)


def open_port(port: str, baud: int, wake: bool = False) -> serial.Serial:
    """Open a port for this process alone. `wake` pulses DTR, which resets many boards. Raises LinkError."""
    try:
        device = serial.Serial(port, baud, timeout=0, exclusive=True, dsrdtr=False, rtscts=False, xonxoff=False)
    except (OSError, ValueError) as error:
        raise _refusal(port, baud, error) from error
    try:
        fcntl.ioctl(device.fileno(), termios.TIOCEXCL)
        settings = termios.tcgetattr(device.fileno())
        settings[2] &= ~termios.HUPCL
        settings[6][termios.VMIN] = 1  # otherwise a read that finds nothing looks like a device that is gone
        termios.tcsetattr(device.fileno(), termios.TCSANOW, settings)
        with contextlib.suppress(ValueError):  # a driver without such a timer needs none
            device.set_low_latency_mode(True)
        if wake:
            with contextlib.suppress(OSError):  # a pseudo-terminal has no DTR
                device.dtr = False
                time.sleep(DTR_PULSE_S)
                device.dtr = True
    except (OSError, termios.error) as error:
        device.close()
        raise _refusal(port, baud, error) from error
    return device


def _refusal(port: str, baud: int, error: Exception) -> LinkError:
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):
        who = ", ".join(map(str, holders(port))) or "another process"
        return PortBusyError(f"{port} is held by {who}: stop it, or choose another port")
    if number == errno.ENOENT:
        return LinkError(f"{port} does not exist: plug the device in, or choose another port")
    if number in (errno.EACCES, errno.EPERM):
        return LinkError(f"this user may not open {port}: add the user to the group of the port (dialout)")
    if Path(port).exists() and not Path(port).is_char_device():
        return LinkError(f"{port} is not a serial port: choose another port")
    if isinstance(error, ValueError):
        return LinkError(f"{port} cannot be set to {baud} baud: {error}")
    return LinkError(f"{port} cannot be opened as a serial port: {error}")


def _send(port: str, fd: int, data: bytes) -> None:
    """Write if there is room. Every command is repeated until it is answered."""
    if data:
        try:
            with contextlib.suppress(BlockingIOError):
                os.write(fd, data)
        except OSError as error:
            raise LinkError(f"{port} is gone: {error.strerror}") from error


def _receive(port: str, fd: int, before: Chunk = NOTHING) -> Chunk:
    """What has come until now, after what came before; the same if nothing has come since."""
    try:
        data = os.read(fd, READ_BYTES)
    except BlockingIOError:
        return before
    except OSError as error:
        raise LinkError(f"{port} is gone: {error.strerror}") from error
    if not data:
        raise LinkError(f"{port} is gone: the device hung up")
    return Chunk(time.monotonic_ns(), before.data + data)


async def _read(port: str, fd: int, needed: Needed, is_whole: Callable[[bytes], bool]) -> Chunk:
    """What comes within TICK_S: all that came during the rest, and what follows up to the end of a frame.

    What came during the rest is enough if it is whole and the needed bytes are late: they came earlier than foreseen.
    """
    read = NOTHING
    until_s = (needed.at_ns - time.monotonic_ns()) / 1e9
    rest_s = min(max(0.0, until_s + (LATE_S if needed.patient else -EARLY_S)), TICK_S)
    more_s = TICK_S - rest_s
    try:
        if rest_s:
            await asyncio.sleep(rest_s)
            read = _receive(port, fd, read)
        if read.data and is_whole(read.data):
            if read.received_ns >= needed.at_ns:
                return read
            more_s = min(more_s, until_s - rest_s + SURE_S)
        if await _readable(fd, more_s):
            read = _receive(port, fd, read)
        if read.data and not is_whole(read.data):
            await asyncio.sleep(COALESCE_S)
            read = _receive(port, fd, read)
    except LinkError:
        if not read.data:
            raise
    return read  # what came before the device went away is handed on; the next read reports that it is gone


async def _readable(fd: int, timeout_s: float) -> bool:
    """Whether something can be read before the timeout."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[bool] = loop.create_future()

    def wake(readable: bool) -> None:
        if not ready.done():
            ready.set_result(readable)

    timer = loop.call_later(timeout_s, wake, False)
    loop.add_reader(fd, wake, True)
    try:
        return await ready
    finally:
        timer.cancel()
        loop.remove_reader(fd)


def _close(device: serial.Serial) -> None:
    with contextlib.suppress(OSError, termios.error):  # it may be gone
        device.reset_output_buffer()  # otherwise closing waits for a dead device to take it
    device.close()


async def _rest(port: str, rest_s: float, on_turn: Callable[[], None] = lambda: None) -> None:
    """Wait, but only until the port changes: it appears, or it is another device."""
    before = _identity(port)
    for _ in range(math.ceil(rest_s / TICK_S)):
        await asyncio.sleep(TICK_S)
        on_turn()
        if _identity(port) != before:
            break


def _identity(port: str) -> tuple[int, int] | None:
    try:
        status = os.stat(port)
    except OSError:
        return None
    return status.st_rdev, status.st_ino
