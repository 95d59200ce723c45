"""The code that reads bytes from outside, each part as a function that must return for any bytes.

A target raises what it must not: an error that has no sentence for a person. Its seeds are sound inputs.
"""

import json
import logging
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from websockets.frames import OP_BINARY, Frame

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import ProtocolVersionError
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.framing import Deframer
from firmware_bridge.samples import Samples
from monitor.analysis.analysis import Analysis
from monitor.custody.archive import BackupError
from monitor.custody.backup import restore
from monitor.detect.spine import Spine
from monitor.mqtt.client.ledger import Ledger
from monitor.mqtt.contract.commands import COMMANDS, CommandRefused, read_command
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.record.scan import MAGIC, scan
from monitor.record.session_reader import SessionFileError, read_session
from monitor.record.table.errors import TableError
from monitor.record.table.reading import reading_of
from monitor.record.table.table import read_table
from monitor.state.folders import StateError
from monitor.store.copying import copy_store, rebuild
from monitor.store.database import StoreError, StoreVersionError
from monitor.store.store import Store
from tests.daemon.stage import PROFILE
from tests.faults.page_in_a_thread import page_in_a_thread
from tests.firmware_bridge.wire import RAW, Wire
from tests.record.sessions import jerk, parts_of, set_end, some_records

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
Try = Callable[[bytes], None]  # what reads an input
Seeds = Callable[[Path], list[bytes]]  # sound inputs; may write files in the folder


def deframer(data: bytes, _: Path) -> None:
    """The same payloads for every split, and every byte is accounted for."""
    whole, parts = Deframer(), Deframer()
    found = whole.feed(data)
    assert found == [one for at in range(0, len(data), 7) for one in parts.feed(data[at : at + 7])]
    assert whole.counts == parts.counts
    assert whole.counts.garbage_bytes <= len(data)


def decoder(data: bytes, _: Path) -> None:
    """All the way to the events: what the decoder lets through must not hurt the detectors."""
    reader, spine = Decoder(RAW), Spine(PROFILE, "s")
    try:
        for start in range(0, len(data), 97):
            spine.update(reader.feed(Chunk(start * 10_000_000, data[start : start + 97])))
    except ProtocolVersionError:
        return
    spine.finish()


def lines(data: bytes, _: Path) -> None:
    for format in ("lines-millis", "lines-micros"):
        Decoder(RAW, format).feed(Chunk(0, data))


def mcap_scan(data: bytes, folder: Path) -> None:
    """The pieces follow each other without a gap, up to the file's end or the records at its end."""
    path = folder / "scan.mcap"
    path.write_bytes(data)
    with path.open("rb") as file:
        at = len(MAGIC)
        for piece in scan(file.fileno()):
            assert piece.offset_bytes <= at
            at = max(piece.end_bytes, len(MAGIC))
        assert at <= max(len(data), len(MAGIC))


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


def store(data: bytes, folder: Path) -> None:
    """As the daemon's own store, and as the copy in a backup. The daemon's can be used afterwards, in any case."""
    for path in folder.glob("events.db*"):
        path.unlink()
    path = folder / "events.db"
    path.write_bytes(data)
    with suppress(StoreError, StoreVersionError):
        rebuild(path, folder / "events.db.fresh")
    with suppress(StoreVersionError), Store(path) as opened:
        for use in (lambda: opened.after(0, 10), lambda: opened.append([jerk(1)]), opened.sessions):
            with suppress(StoreError):
                use()
        opened.append([jerk(2)])
        opened.after(opened.last_seq - 1, 10)


@contextmanager
def backup(folder: Path) -> Iterator[Try]:
    """Restored over what is there."""
    path = folder / "b.zip"
    (folder / "profiles").mkdir()

    def attempt(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(BackupError, StateError, StoreError, StoreVersionError):
            restore(path, folder / "profiles", replace=True)

    with patch.dict("os.environ", STATE_DIRECTORY=str(folder / "state")):
        yield attempt


class Errors(logging.Handler):
    """Keeps the errors that are logged with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.records.append(record)


@contextmanager
def upgrade(_: Path) -> Iterator[Try]:
    """The page's server, with a broker behind it: it answers or closes, and logs no traceback."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    try:
        with page_in_a_thread() as port:

            def attempt(data: bytes) -> None:
                with socket.create_connection(("127.0.0.1", port), timeout=10.0) as peer, suppress(OSError):
                    peer.sendall(data)
                    peer.shutdown(socket.SHUT_WR)
                    while part := peer.recv(1 << 16):
                        assert not part.startswith(b"HTTP/1.1 5"), part[:200]
                assert not errors.records, errors.records.pop().getMessage()

            yield attempt
    finally:
        logging.getLogger().removeHandler(errors)


def wire_seeds(_: Path) -> list[bytes]:
    device = Wire()
    stream = [data for _, data in device.stream(0, 2_000_000)]
    return [device.hello(0) + b"".join(stream), device.others(0) * 5 + b"".join(stream[:50]), b"".join(stream[::3])]


def table_seeds(_: Path) -> list[bytes]:
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


def command_seeds(_: Path) -> list[bytes]:
    head = b'"v":1,"id":"c-1","stamp_s":1e9'
    return [
        b'{%s,"client":"tv","after":7,"store_id":"abc"}' % head, b'{%s,"lifter":"l-7"}' % head, b"{%s}" % head,
        b'{%s,"name":"5/5","positive_s":5.0,"negative_s":5.0,"starts_with":"positive","band":0.1}' % head,
    ]  # fmt: skip


def message_seeds(_: Path) -> list[bytes]:
    event = b'{"v":1,"seq":1,"store_id":"abc","historical":false,"kind":"jerk"}'
    mark = b'{"v":1,"mark":"begin","id":"c-1","store_id":"abc","after":0,"first_seq":1,"last_seq":9}'
    return [event, mark]


def store_seeds(folder: Path) -> list[bytes]:
    """A store as one file, as a backup contains it, and one that was not closed."""
    path = folder / "seed.db"
    with Store(path) as opened:
        opened.begin_session("s1", lifter="l-7")
        opened.append([jerk(1), set_end(2)])
        opened.checkpoint()
        in_use = path.read_bytes()
    copy_store(path, folder / "copy.db")
    return [(folder / "copy.db").read_bytes(), in_use]


def backup_seeds(folder: Path) -> list[bytes]:
    """Two backups; the second is not compressed, so that changes reach what is in it."""
    files = {
        "profiles/m1.toml": TABLES,
        "machines/m1/events.db": store_seeds(folder)[0],
        "machines/m1/calibrations.jsonl": b"{}\n",
    }
    manifest = {"format": 1, "made_utc": "2026", "rep_monitor": "0.1.0", "sha256": {}}
    manifest["sha256"] = {name: sha256(data).hexdigest() for name, data in files.items()}
    backups = []
    for packed in (ZIP_DEFLATED, ZIP_STORED):
        file = BytesIO()
        with ZipFile(file, "w", packed) as archive:
            for name, data in (files | {"manifest.json": json.dumps(manifest).encode()}).items():
                archive.writestr(name, data)
        backups.append(file.getvalue())
    return backups


def upgrade_seeds(_: Path) -> list[bytes]:
    """Requests for a file and for a WebSocket, with MQTT behind it: CONNECT, SUBSCRIBE, PUBLISH."""
    head = b"HTTP/1.1\r\nHost: localhost\r\n"
    socket_head = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
    connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
    subscribe = b"\x82\x0c\x00\x01\x00\x07rep/m/#\x00"
    publish = b"\x30\x14\x00\x10rep/m/cmd/resume{}"
    mqtt = b"".join(Frame(OP_BINARY, packet).serialize(mask=True) for packet in (connect, subscribe, publish))
    return [
        b"GET /mqtt " + head + socket_head + mqtt,
        b"GET /config.json " + head + b"Accept-Encoding: gzip\r\nOrigin: http://localhost\r\n\r\n",
        b"HEAD /?token=abc " + head + b"Cookie: rep-monitor-token-m=abc\r\nContent-Length: 0\r\n\r\n",
    ]


def plain(attempt: Callable[[bytes, Path], None]) -> Callable[[Path], AbstractContextManager[Try]]:
    """A target that needs nothing around it but a folder."""
    return lambda folder: nullcontext(lambda data: attempt(data, folder))


class Target(NamedTuple):
    """`begin` gives what reads an input."""

    begin: Callable[[Path], AbstractContextManager[Try]]
    seeds: Seeds


TARGETS = {
    "deframer": Target(plain(deframer), wire_seeds),
    "decoder": Target(plain(decoder), wire_seeds),
    "lines": Target(plain(lines), lambda _: [b"12,340,700\r\n24,341,701\r\n" * 20, b"12000;700\n24500;701\n" * 20]),
    "mcap_scan": Target(plain(mcap_scan), lambda _: [b"".join(parts_of(some_records(seconds=4)))]),
    "recording": Target(plain(recording), lambda _: [b"".join(parts_of(some_records(seconds=4)))]),
    "profile": Target(plain(profile), lambda _: [path.read_bytes() for path in CONFIGS.glob("*.toml")] + [TABLES]),
    "table": Target(plain(table), table_seeds),
    "command": Target(plain(command), command_seeds),
    "message": Target(plain(message), message_seeds),
    "store": Target(plain(store), store_seeds),
    "backup": Target(backup, backup_seeds),
    "upgrade": Target(upgrade, upgrade_seeds),
}
