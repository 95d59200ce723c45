"""No bytes from outside break anything: wire, recordings, profiles, commands and messages are refused or understood.

An input that breaks something is written to corpus/, tried first from then on, and committed with the correction.
"""

import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import ProtocolVersionError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.samples import Samples
from monitor.analysis.analysis import Analysis
from monitor.detect.spine import Spine
from monitor.mqtt.client.ledger import Ledger
from monitor.mqtt.contract.commands import COMMANDS, CommandRefused, read_command
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.record.session_file import SessionFileError, read_session
from monitor.record.table.errors import TableError
from monitor.record.table.reading import reading_of
from monitor.record.table.table import read_table
from tests.daemon.stage import PROFILE
from tests.faults.fuzz import inputs, keep, kept
from tests.firmware_bridge.wire import RAW, Wire
from tests.record.sessions import parts_of, some_records
from tests.soak import SOAKING, Figure, beside_the_day, long, soak

pytestmark = soak
FUZZ_S = long(30.0, 4.0)
COUNT = long(10**9, 400)
LONGEST_S = 1.0  # of one input: longer is a hang
CONFIGS = Path(__file__).parents[2] / "configs"
TABLES = b"""[machine]
id = "m1"
kind = "stack"
bottom_m = 0.1
top_m = 0.5
plates_kg = [10, 20]
[protocol]
name = "4/4"
[mqtt]
tls = true
"""
Try = Callable[[bytes, Path], None]


def wire(data: bytes, _: Path) -> None:
    """All the way to the events: what the decoder lets through must not hurt the detectors."""
    decoder, spine = Decoder(RAW), Spine(PROFILE, "s")
    try:
        for start in range(0, len(data), 97):
            spine.update(decoder.feed(Chunk(start * 10_000_000, data[start : start + 97])))
    except ProtocolVersionError:
        return
    spine.finish()


def lines(data: bytes, _: Path) -> None:
    for format in ("lines-millis", "lines-micros"):
        Decoder(RAW, format).feed(Chunk(0, data))


def recording(data: bytes, folder: Path) -> None:
    path = folder / "s.mcap"
    path.write_bytes(data)
    try:
        session = read_session(path)
        list(session)
        list(session.replayable())
        list(session.events())
    except SessionFileError:
        return


def profile(data: bytes, folder: Path) -> None:
    path = folder / "machine.toml"
    path.write_bytes(data)
    try:
        load_profile(path)
    except ConfigError:
        return


def table(data: bytes, folder: Path) -> None:
    """Under our own headers and under others; what is read goes all the way to the events."""
    path = folder / "t.csv"
    path.write_bytes(data)
    for reading in (None, reading_of("t=Zeit,x=Weg,f=Kraft", "ms,mm,kg"), reading_of("x=", "s")):
        try:
            rows = read_table(path, reading)
        except TableError:
            continue
        analysis = Analysis(PROFILE, "s", encoder_step_m=rows.encoder_step_m)
        analysis.add(Samples(rows.samples.t_s - rows.samples.t_s[0], *rows.samples[1:]))
        analysis.finish()


def command(data: bytes, _: Path) -> None:
    for name in (*COMMANDS, "tare"):
        try:
            read_command(name, data, retained=False, now_s=1e9)
        except CommandRefused:
            continue


def message(data: bytes, _: Path) -> None:
    ledger = Ledger()
    for record in ledger.take(data):
        assert record.seq == ledger.seq


def wire_seeds() -> list[bytes]:
    device = Wire()
    stream = [data for _, data in device.stream(0, 2_000_000)]
    return [device.hello(0) + b"".join(stream), device.others(0) * 5 + b"".join(stream[:50]), b"".join(stream[::3])]


def table_seeds() -> list[bytes]:
    """A repetition under our headers, and the same as spreadsheets write it."""
    rows = [(k * 20, round(200 - 200 * math.cos(k / 50), 1), round(60 + math.sin(k), 1)) for k in range(320)]
    ours = "".join(f"{t / 1000},{x / 1000},{f * 9.8}\n" for t, x, f in rows)
    theirs = "".join(f"{t};{x};{f};\r\n" for t, x, f in rows).replace(".", ",")
    quoted = "".join(f'"{t}","{x}","{f}"\n' for t, x, f in rows).replace(".", ",")
    return [
        f"t_s,displacement_m,force_n\n{ours}".encode(),
        f"# by a fuzzer\nt_s\tdisplacement_m\tforce_n\tflags\n{ours}".replace(",", "\t")
        .replace("\n", "\t0\n")
        .encode(),
        f"sep=;\r\nZeit;Weg;Kraft;\r\n{theirs}".encode("utf-16"),
        f'"Zeit","Weg","Kraft"\n{quoted}'.encode("utf-8-sig"),
    ]


def command_seeds() -> list[bytes]:
    head = b'"v":1,"id":"c-1","stamp_s":1e9'
    return [
        b'{%s,"client":"tv","after":7,"store_id":"abc"}' % head, b'{%s,"lifter":"l-7"}' % head, b"{%s}" % head,
        b'{%s,"name":"5/5","positive_s":5.0,"negative_s":5.0,"starts_with":"positive","band":0.1}' % head,
    ]  # fmt: skip


def message_seeds() -> list[bytes]:
    event = b'{"v":1,"seq":1,"store_id":"abc","historical":false,"kind":"jerk"}'
    mark = b'{"v":1,"mark":"begin","id":"c-1","store_id":"abc","after":0,"first_seq":1,"last_seq":9}'
    return [event, mark]


TARGETS: dict[str, tuple[Try, Callable[[], list[bytes]]]] = {
    "wire": (wire, wire_seeds),
    "lines": (lines, lambda: [b"12,340,700\r\n24,341,701\r\n" * 20, b"12000;700\n24500;701\n" * 20]),
    "recording": (recording, lambda: [b"".join(parts_of(some_records(seconds=4)))]),
    "profile": (profile, lambda: [path.read_bytes() for path in CONFIGS.glob("*.toml")] + [TABLES]),
    "table": (table, table_seeds),
    "command": (command, command_seeds),
    "message": (message, message_seeds),
}


@beside_the_day  # it measures its own processor's time
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_and_nothing_hangs(target: str, tmp_path: Path, figure: Figure) -> None:
    attempt, seeds = TARGETS[target]
    began_s, longest_s, count = time.monotonic(), 0.0, 0
    for data in inputs([*kept(target), *seeds()], random.Random(time.time_ns() if SOAKING else 11)):
        if count >= COUNT or time.monotonic() - began_s > FUZZ_S:
            break
        cpu_s = time.process_time()
        try:
            attempt(data, tmp_path)
        except Exception as error:
            raise AssertionError(f"{keep(target, data)} breaks it: {error!r}") from error
        longest_s = max(longest_s, time.process_time() - cpu_s)
        if longest_s > LONGEST_S:
            raise AssertionError(f"{keep(target, data)} takes {longest_s:.1f} s")
        count += 1
    figure(f"fuzz: {target}", f"{count} inputs, 0 crashes, the longest took {longest_s * 1e3:.0f} ms")


def test_a_kept_input_is_tried_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.faults.fuzz.CORPUS", tmp_path)
    (tmp_path / "wire").mkdir()
    path = keep("wire", b"it broke")
    assert path.read_bytes() == next(inputs([*kept("wire"), b"a seed"], random.Random(1))) == b"it broke"
