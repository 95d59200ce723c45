"""Exports samples and events of a recording to files for other tools.

NAME.samples.csv     t_s,displacement_m,force_n,flags      one row for each time, in order; `replay` reads it, too
NAME.events.csv      one row for each event, by its last record; other keys of the kind as JSON in `details`
NAME.samples.jsonl   {"t_s":0.002,"displacement_m":0.0001,"force_n":null,"flags":0}
NAME.events.jsonl    every event record, as in EVENTS.md 3
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.chunk import ChunkRun
from firmware_bridge.samples import NOTHING, Samples, joined
from monitor.events import AnyEvent, encode
from monitor.record.records import Header
from monitor.record.replay import batches, decoder_of
from monitor.record.session_reader import SessionFile
from monitor.record.table.reading import WITH_FLAGS

Format = Literal["csv", "jsonl"]
_REORDER_S = 2.0  # position and force samples are out of order by less
_COMMON = (
    "id", "session", "set", "kind", "t_s", "found_s", "duration_s", "rep", "phase", "position_m", "part_of", "closed_s",
    "cut",
)  # fmt: skip


def paths_of(name: Path, format: Format) -> tuple[Path, Path]:
    """The files of the samples and of the events."""
    return Path(f"{name}.samples.{format}"), Path(f"{name}.events.{format}")


def export_samples(session: SessionFile, header: Header, format: Format, path: Path) -> int:
    """Writes a new file. Returns the number of rows. Raises OSError, SessionFileError."""
    row_count = 0
    with path.open("x") as file:
        if format == "csv":
            file.write(",".join(WITH_FLAGS) + "\n")
        lines = _csv_lines if format == "csv" else _json_lines
        for samples in instants(session, header):
            file.writelines(lines(samples))
            row_count += len(samples)
    return row_count


def export_events(session: SessionFile, format: Format, path: Path) -> int:
    """Writes a new file. Returns the number of records. Raises OSError, SessionFileError."""
    if format == "jsonl":
        lines = [encode(event) + b"\n" for event in session.events()]
        with path.open("xb") as file:
            file.writelines(lines)
        return len(lines)
    last = {event.id: event for event in session.events()}
    with path.open("x", newline="") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow((*_COMMON, "details"))
        rows.writerows(_row(event) for event in last.values())
    return len(last)


def instants(session: SessionFile, header: Header) -> Iterator[Samples]:
    """All samples in order of time; values of the same time are in one row."""
    decoder = decoder_of(header)
    held = NOTHING
    for batch in batches(session):
        if isinstance(batch, ChunkRun):
            rows = joined([held, decoder.feed_run(batch)])
            ripe = rows.t_s < rows.t_s.max(initial=0.0) - _REORDER_S
            held = rows.rows(~ripe)
            yield _merge(rows.rows(ripe))
    yield _merge(held)


def _merge(rows: Samples) -> Samples:
    t_s, where = np.unique(rows.t_s, return_inverse=True)
    merged = Samples(t_s, np.full(len(t_s), np.nan), np.full(len(t_s), np.nan), np.zeros(len(t_s), np.uint8))
    for source, target in ((rows.position_m, merged.position_m), (rows.force_n, merged.force_n)):
        there = ~np.isnan(source)
        target[where[there]] = source[there]
    np.bitwise_or.at(merged.flags, where, rows.flags)
    return merged


def _csv_lines(samples: Samples) -> Iterator[str]:
    for t_s, position_m, force_n, flags in _rows(samples):
        position = "" if position_m is None else f"{position_m:.6f}"
        force = "" if force_n is None else f"{force_n:.3f}"
        yield f"{t_s:.6f},{position},{force},{flags}\n"


def _json_lines(samples: Samples) -> Iterator[str]:
    for row in _rows(samples):
        yield msgspec.json.encode(dict(zip(WITH_FLAGS, row, strict=True))).decode() + "\n"


def _rows(samples: Samples) -> Iterable[tuple[float, float | None, float | None, int]]:
    return zip(
        np.round(samples.t_s, 6).tolist(),
        _or_none(np.round(samples.position_m, 6)),
        _or_none(np.round(samples.force_n, 3)),
        samples.flags.tolist(),
        strict=True,
    )


def _or_none(column: NDArray[np.float64]) -> list[float | None]:
    values: list[float | None] = column.tolist()
    for at in np.flatnonzero(np.isnan(column)).tolist():
        values[at] = None
    return values


def _row(event: AnyEvent) -> list[Any]:
    keys: dict[str, Any] = msgspec.to_builtins(event)
    common = [keys.pop(name, None) for name in _COMMON]
    return [*common, msgspec.json.encode(keys).decode()]
