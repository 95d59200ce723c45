"""Makes a clean copy of a damaged recording: all intact records, and a Gap where others are missing."""

from pathlib import Path

import msgspec

from monitor.record.damage import Damage
from monitor.record.output import whole
from monitor.record.records import CHANNELS, Gap, Header, Record, gap_record
from monitor.record.session_file import SessionWriter
from monitor.record.session_reader import SessionFile


def recover(session: SessionFile, path: Path) -> int:
    """Writes the copy. Returns the number of its records; `session.damage` lists the losses. Raises OSError."""
    count = marked = 0
    at_ns = 0
    with whole(path) as part, SessionWriter(part, _header_of(session)) as writer:
        for record in session:
            at_ns = record.at_ns
            marked = _mark(writer, session.damage, marked, at_ns)
            if record.topic in CHANNELS and record.topic != "/header":  # the copy has a header of its own
                writer.add(record)
                count += 1
        _mark(writer, session.damage, marked, at_ns)
    return count


def _mark(writer: SessionWriter, damage: list[Damage], marked: int, at_ns: int) -> int:
    """Writes a Gap for each new hole of the original. Returns the number of holes so far."""
    for hole in damage[marked:]:
        if hole.lossy:
            writer.add(gap_record(Gap(cause="damaged", records=hole.lost_records), at_ns))
    return len(damage)


def _header_of(session: SessionFile) -> Header:
    origin = {"recovered_from": session.path.name}
    if session.header is not None:
        return msgspec.structs.replace(session.header, provenance=session.header.provenance | origin)
    first: Record | None = next(iter(session), None)
    return Header(
        session=session.path.stem,
        machine="unknown",
        created_utc="",
        created_ns=first.at_ns if first else 0,
        daemon_version="unknown",
        profile={},
        calibration={},
        provenance=origin | {"header": "lost"},
    )
