"""Copies of a recording with another header."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from monitor.record.records import Gap, gap_record, wire_record
from monitor.record.session_file import SessionWriter
from monitor.record.session_reader import read_session
from tests.report.conftest import RECORDINGS

CLEAN_RECORDING = RECORDINGS / "clean.mcap"


def copy(path: Path, header: Mapping[str, object], gaps: int = 0) -> Path:
    """`clean` with another header."""
    session = read_session(CLEAN_RECORDING)
    assert session.header
    path.parent.mkdir(parents=True, exist_ok=True)
    with SessionWriter(path, msgspec.structs.replace(session.header, **header)) as writer:
        for number, chunk in enumerate(session.chunks()):
            writer.add(wire_record(chunk))
            if number < gaps:
                writer.add(gap_record(Gap(cause="queue_full", records=5), chunk.received_ns))
    return path
