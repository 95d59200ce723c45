"""What the board says in ten seconds: opened for a moment, or asked of the daemon that has it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import BridgeError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Hello, Status
from firmware_bridge.samples import Flag
from monitor.calibrate.findings import Rest
from monitor.calibrate.port_chunks import Line
from monitor.calibrate.procedure import RAW
from monitor.calibrate.rates import rate_hz
from monitor.calibrate.refused import Refused
from monitor.calibrate.rest import LOOKED_S, at_rest
from monitor.calibrate.tape import Tape
from monitor.profile.profile import Profile

LISTENED_S = LOOKED_S + 1.0
TALLIES = ("frames", "lost_frames", "bad_crc", "bad_shape")


@dataclass(kw_only=True)
class Heard:
    """None where it was not told; `trouble` says why nothing was heard at all."""

    version: str | None = None
    protocol: int | None = None
    trouble: str | None = None
    position_hz: float | None = None
    force_hz: float | None = None
    promised_hz: float | None = None
    coarse: float = 0.0  # how much less exact the rates are, as a share
    counts: dict[str, int] | None = None
    device: dict[str, int] | None = None
    rest: Rest | None = None
    no_rest: str = "nothing was heard"
    drift: tuple[float | None, str | None] | None = None  # a daemon's word on zero and calibration
    slips: tuple[int, int] | None = None  # illegal transitions meanwhile, and before
    drops: tuple[int, bool] | None = None  # of the port within the last minute; whether that is too often


async def listen(profile: Profile, port: str) -> Heard:
    """Open the port, listen, close it."""
    heard = Heard()
    line = Line(profile, port)

    async def work(source: AsyncGenerator[Chunk, None]) -> None:
        decoder, tape = Decoder(RAW, profile.serial.format), Tape()
        statuses: list[Status] = []
        begin: LinkCounts | None = None
        async for chunk in source:
            tape.add(decoder.feed(chunk))
            for message in decoder.take_control():
                if isinstance(message, Status):
                    statuses.append(message)
                if isinstance(message, Hello):
                    _introduce(heard, message)
            if begin is None and tape.seconds > 0.5:
                begin = decoder.counts
            if tape.seconds >= LISTENED_S:
                break
        _sum_up(heard, tape, statuses, begin or decoder.counts, decoder.counts, profile.machine.kind != "static")

    try:
        await line.while_it_speaks(work)
    except BridgeError as error:
        heard.trouble = str(error)
    if heard.version is None and line.state is not None and line.state.hello is not None:
        _introduce(heard, line.state.hello)
    if line.state is not None and heard.trouble is None:
        heard.drops = line.state.drops, line.state.unstable is not None
    return heard


def _introduce(heard: Heard, hello: Hello) -> None:
    heard.version, heard.protocol, heard.promised_hz = hello.firmware, hello.protocol, float(hello.adc_sps)


def _sum_up(
    heard: Heard, tape: Tape, statuses: list[Status], begin: LinkCounts, end: LinkCounts, has_position: bool
) -> None:
    window = tape.last(LOOKED_S)
    heard.position_hz = rate_hz(window.position) if has_position else None
    heard.force_hz = rate_hz(window.force)
    heard.counts = {name: getattr(end, name) - getattr(begin, name) for name in TALLIES}
    if statuses:
        first, last = statuses[0], statuses[-1]
        heard.device = {name: getattr(last, name) - getattr(first, name) for name in ("tx_dropped", "samp_overrun")}
        heard.slips = (last.enc_illegal - first.enc_illegal, first.enc_illegal)
        if window.any(Flag.SLIPPED) and not heard.slips[0]:
            heard.slips = (1, first.enc_illegal)
    try:
        found = at_rest(window, has_position=has_position)
    except Refused as refused:
        heard.no_rest = str(refused)
        return
    if isinstance(found, str):
        heard.no_rest = f"the machine is in use ({found})"
    else:
        heard.rest = found
