"""Lists the serial devices of this computer: their names, who holds them, and which device answers HELLO."""

import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports as pyserial

from firmware_bridge.errors import LinkError, WrongDeviceError
from firmware_bridge.formats.framing import Deframer, frame
from firmware_bridge.formats.messages import Hello, HelloRequest, MessageError, check_protocol, parse
from firmware_bridge.holders import Holder, holders
from firmware_bridge.opening import HEARD_BYTES, readable_text
from firmware_bridge.serial_port import open_port

BY_ID = Path("/dev/serial/by-id")
PROBE_S = 2.5  # a board that was reset by the opening stays in its boot loader for up to two seconds
ASK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PortInfo:
    """One serial device."""

    device: str
    by_id: str | None  # the name that does not depend on the order of plugging in: use it in a profile
    description: str
    holders: list[Holder]


def list_ports(by_id: Path = BY_ID) -> list[PortInfo]:
    """Every serial device, sorted by name."""
    return [port_info(port.device, port.description, by_id) for port in sorted(pyserial.comports())]


def port_info(device: str, description: str = "", by_id: Path = BY_ID) -> PortInfo:
    """One serial device, even if it is not listed (a pseudo-terminal)."""
    real = os.path.realpath(device)
    links = sorted(by_id.iterdir()) if by_id.is_dir() else []
    stable = next((str(link) for link in links if os.path.realpath(link) == real), None)
    said = "" if description == "n/a" else description
    return PortInfo(device=device, by_id=stable, description=said, holders=holders(device))


def probe(port: str, baud: int, patience_s: float = PROBE_S) -> Hello | None:
    """Ask who is there; None if nothing comes. Opening the port resets boards that are wired to DTR.

    Raises LinkError if the port cannot be opened, ProtocolVersionError if firmware of another protocol answers,
    WrongDeviceError if something else than HELLO comes.
    """
    deframer = Deframer()
    heard = b""
    deadline_s = time.monotonic() + patience_s
    ask_s = 0.0
    device = open_port(port, baud)
    try:
        poll = select.poll()
        poll.register(device.fileno(), select.POLLIN)
        while (now_s := time.monotonic()) < deadline_s:
            if now_s >= ask_s:
                ask_s = now_s + ASK_EVERY_S
                device.write(frame(HelloRequest().to_bytes(0)))
            if not poll.poll(ASK_EVERY_S * 1000):
                continue
            data = os.read(device.fileno(), 4096)
            if not data:
                raise LinkError(f"{port} is gone: the device hung up")
            heard += data[: HEARD_BYTES - len(heard)]
            for payload in deframer.feed(data):
                check_protocol(payload)
                try:
                    message = parse(payload)
                except MessageError:
                    continue
                if isinstance(message, Hello):
                    return message
    except OSError as error:
        raise LinkError(f"{port} is gone: {error}") from error
    finally:
        device.close()
    if heard:
        what = f'text, "{text}"' if (text := readable_text(heard)) else f"bytes at {baud} baud, but no HELLO"
        raise WrongDeviceError(f"{port} sends {what}")
    return None
