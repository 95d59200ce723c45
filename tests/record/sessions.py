"""Small recordings for tests: a header, records of every kind, the bytes of a file."""

import math
from collections.abc import Sequence

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.messages import Force, Pos
from monitor.events import Feedback, Jerk, SetEnd
from monitor.record.records import (
    Gap,
    Header,
    Record,
    event_record,
    feedback_record,
    gap_record,
    wire_record,
)
from monitor.record.session_file import SessionEncoder

SECOND_NS = 1_000_000_000

HEADER = Header(
    session="s1",
    machine="leg-press",
    created_utc="2026-11-23T08:15:02Z",
    created_ns=5 * SECOND_NS,
    daemon_version="0.1.0",
    profile={"machine": {"id": "leg-press", "kind": "stack"}},
    calibration={"metres_per_count": 1e-4, "newtons_per_count": 0.01},
    boot_id=7,
    learned={"load_n": 600.0},
    provenance={"source": "test"},
)


def jerk(number: int, session: str = "s1") -> Jerk:
    return Jerk(
        id=number, session=session, set=1, t_s=number / 10, found_s=number / 10 + 0.06, duration_s=None, rep=1,
        phase="positive", position_m=0.1, cause="start", peak_g=0.2,
    )  # fmt: skip


def set_end(number: int, set_number: int = 1, session: str = "s1") -> SetEnd:
    return SetEnd(
        id=number, session=session, set=set_number, t_s=60.0, found_s=65.0, duration_s=0.0, rep=None, phase="rest",
        position_m=0.0, reps=8, partial_reps=1, under_load_s=50.0, under_tension_s=40.0, leak=None, counts={"jerk": 2},
        working_load_n=600.0, working_load_from="learned", friction=0.05, friction_from="learned", skill=0.8,
        strength_n=600.0, outcome="ended",
    )  # fmt: skip


def feedback(t_s: float) -> Feedback:
    return Feedback(
        t_s=t_s, tension_n=600.0, tension=1.0, band="in", phase="positive", position=0.5, pace=0.5, velocity_m_s=0.1,
        set=1, rep=1, under_load_s=t_s, under_tension_s=t_s, resting=None, cue=None, load_n=600.0, load_from="learned",
        fault=None,
    )  # fmt: skip


def some_records(seconds: int = 12, chunks_a_second: int = 4) -> list[Record]:
    """Records of every kind, all different."""
    records = []
    for second in range(seconds):
        start_ns = HEADER.created_ns + second * SECOND_NS
        for k in range(chunks_a_second):
            at_ns = start_ns + k * SECOND_NS // chunks_a_second
            records.append(wire_record(Chunk(at_ns, bytes([second, k, 0]) * (5 + k))))
        records.append(feedback_record(feedback(second + 0.5), at_ns))
        if second % 3 == 0:
            records.append(event_record(jerk(second), at_ns))
        if second == 7:
            records.append(gap_record(Gap(cause="queue_full", records=3, chunks=2, wire_bytes=40), at_ns))
    return records


def parts_of(records: Sequence[Record], flush_every: int = 6) -> list[bytes]:
    """A recording in the parts in which it reaches the disk: the header's chunk, the others, the end."""
    encoder = SessionEncoder(HEADER)
    parts = [encoder.flush()]
    for start in range(0, len(records), flush_every):
        for record in records[start : start + flush_every]:
            encoder.add(record)
        parts.append(encoder.flush())
    return [*parts, encoder.finish()]


def without_header(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.topic != "/header"]


def wire_chunks(seconds: float, rate_hz: int = 500, block: int = 5, force_hz: int = 80) -> list[Chunk]:
    """The chunks of a board while a stack moves 0.3 m up and down every 4 s: one POS or FORCE frame in each."""
    period_us = 1_000_000 // rate_hz
    blocks = [(k * block * period_us, "pos") for k in range(int(seconds * rate_hz / block))]
    blocks += [(k * 1_000_000 // force_hz, "force") for k in range(int(seconds * force_hz))]
    chunks, idx = [], {"pos": 0, "force": 0}
    for seq, (t_us, kind) in enumerate(sorted(blocks)):
        message: Pos | Force
        if kind == "pos":
            times_us = [t_us + k * period_us for k in range(block)]
            counts = tuple(round(1500 - 1500 * math.cos(t * math.pi / 2e6)) for t in times_us)
            message = Pos(1, idx[kind] & 0xFFFF, t_us & 0xFFFFFFFF, period_us, counts)
        else:
            counts = (60_000 + seq % 7,)
            message = Force(1, idx[kind] & 0xFFFF, t_us & 0xFFFFFFFF, 0, 0, counts)
        idx[kind] += len(counts)
        end_us = t_us + (block - 1) * period_us if kind == "pos" else t_us
        chunks.append(Chunk(HEADER.created_ns + (end_us + 500) * 1000, frame(message.to_bytes(seq))))
    return chunks
