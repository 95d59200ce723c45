"""Decodes frames, and compares what comes out."""

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.link_counts import LinkCounts
from firmware_bridge.formats.messages import Force, Hello, Pos
from firmware_bridge.samples import Samples, joined
from tests.firmware_bridge.wire import RAW, Row

Timed = list[tuple[int, bytes]]  # when a frame is complete, and the frame


def chunked(frames: Timed) -> list[Chunk]:
    return [Chunk(at_us * 1000, wire) for at_us, wire in frames]


def decode(chunks: list[Chunk], together: bool = False, boot: Hello | None = None) -> tuple[Samples, LinkCounts]:
    decoder = Decoder(RAW, boot=boot)
    parts = [decoder.feed(*chunks)] if together else [decoder.feed(chunk) for chunk in chunks]
    return joined(parts), decoder.counts


def assert_same(a: Samples, b: Samples) -> None:
    for name in Samples._fields:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype


def keys(samples: Samples) -> list[tuple[int, int, int]]:
    """Rows as (kind, microseconds, counts)."""
    rows = []
    for t_s, position, force, _ in zip(*samples, strict=True):
        kind, counts = (Pos.TYPE, position) if not np.isnan(position) else (Force.TYPE, force)
        rows.append((kind, round(t_s * 1e6), int(counts)))
    return rows


def true_keys(rows: list[Row], zero_us: int) -> list[tuple[int, int, int]]:
    return [(row.kind, row.at_us - zero_us, row.counts) for row in rows]
