"""Opens the serial port for ten seconds and reports what the board sends."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import BridgeError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Hello, Status
from firmware_bridge.samples import Flag
from monitor.calibrate.listening_port import ListeningPort
from monitor.calibrate.procedure import RAW
from monitor.calibrate.rates import rate_hz
from monitor.calibrate.readings import Readings
from monitor.calibrate.refused import Refused
from monitor.calibrate.rest import LOOKED_S, at_rest
from monitor.calibrate.step_results import RestResult
from monitor.profile.profile import Profile

LISTENED_S = LOOKED_S + 1.0
FRAME_COUNTS = ("frames", "lost_frames", "bad_crc", "bad_shape")


@dataclass(kw_only=True)
class BoardReport:
    """What is known of a board. None: not known; `trouble` says why the board did not answer at all."""

    version: str | None = None
    protocol: int | None = None
    trouble: str | None = None
    position_hz: float | None = None
    force_hz: float | None = None
    promised_hz: float | None = None
    counts: dict[str, int] | None = None
    device: dict[str, int] | None = None
    rest: RestResult | None = None
    no_rest: str = "the board did not answer"  # why `rest` is None
    drift: tuple[float | None, str | None] | None = None  # zero in newtons and calibration warning of a running daemon
    slips: tuple[int, int] | None = None  # illegal transitions of the encoder: now, and before
    drops: tuple[int, bool] | None = None  # disconnections within a minute, and True if these are too many
    informed: bool = False  # by a running daemon
    storage: str | None = None  # what keeps that daemon from writing

    @property
    def silence(self) -> str:
        """Why the board did not answer."""
        return self.trouble or "the board did not answer"

    @property
    def unrest(self) -> str:
        """Why `rest` is None."""
        return self.no_rest if self.trouble is None else self.trouble


async def listen(profile: Profile, port: str) -> BoardReport:
    """Opens the port, reads for `LISTENED_S` seconds and closes it."""
    report = BoardReport()
    line = ListeningPort(profile, port)

    async def work(source: AsyncGenerator[Chunk, None]) -> None:
        decoder, readings = Decoder(RAW, profile.serial.format), Readings()
        statuses: list[Status] = []
        begin: LinkCounts | None = None
        async for chunk in source:
            readings.add(decoder.feed(chunk))
            for message in decoder.take_control():
                if isinstance(message, Status):
                    statuses.append(message)
                if isinstance(message, Hello):
                    _introduce(report, message)
            if begin is None and readings.seconds > 0.5:
                begin = decoder.counts
            if readings.seconds >= LISTENED_S:
                break
        _sum_up(report, readings, statuses, begin or decoder.counts, decoder.counts, profile.machine.kind != "static")

    try:
        await line.run(work)
    except BridgeError as error:
        report.trouble = str(error)
    if report.version is None and line.state is not None and line.state.hello is not None:
        _introduce(report, line.state.hello)
    if line.state is not None and report.trouble is None:
        report.drops = line.state.drops, line.state.unstable is not None
    return report


def _introduce(report: BoardReport, hello: Hello) -> None:
    report.version, report.protocol, report.promised_hz = hello.firmware, hello.protocol, float(hello.adc_sps)


def _sum_up(
    report: BoardReport,
    readings: Readings,
    statuses: list[Status],
    begin: LinkCounts,
    end: LinkCounts,
    has_position: bool,
) -> None:
    window = readings.last(LOOKED_S)
    report.position_hz = rate_hz(window.position) if has_position else None
    report.force_hz = rate_hz(window.force)
    report.counts = {name: getattr(end, name) - getattr(begin, name) for name in FRAME_COUNTS}
    if statuses:
        first, last = statuses[0], statuses[-1]
        report.device = {name: getattr(last, name) - getattr(first, name) for name in ("tx_dropped", "samp_overrun")}
        report.slips = (last.enc_illegal - first.enc_illegal, first.enc_illegal)
        if window.any(Flag.SLIPPED) and not report.slips[0]:
            report.slips = (1, first.enc_illegal)
    try:
        rest = at_rest(window, has_position=has_position)
    except Refused as refused:
        report.no_rest = str(refused)
        return
    if isinstance(rest, str):
        report.no_rest = f"the machine is in use ({rest})"
    else:
        report.rest = rest
