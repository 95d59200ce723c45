"""Replays a batch of recordings, in this process, into the tables of a study."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from monitor.events import Event, Rep, SetEnd
from monitor.exit_codes import exit_code, sentence
from monitor.playback.playback import analysis_of, open_playback, updates
from monitor.study.columns import EVENTS, REPETITIONS, SETS, row_of, table
from monitor.study.fingerprint import fingerprint
from monitor.version import VERSION

READ_BYTES = 1 << 20
Tables = dict[str, Any]  # by name, one of pyarrow each


def digest_of(path: Path) -> str:
    """Identifies a recording by its bytes, wherever it lies. Raises OSError."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def replay_batch(batch: Sequence[tuple[str, str]]) -> Tables:
    """The tables of some recordings, each given by its digest and path.

    A recording that cannot be replayed becomes a row with its trouble; it does not end the batch.
    """
    rows: dict[str, list[dict[str, Any]]] = {"recordings": [], "sets": [], "repetitions": [], "events": []}
    for digest, path in batch:
        about = {"digest": digest, "path": path, "version": VERSION, "detector": fingerprint()}
        try:
            found, events = asyncio.run(_replayed(Path(path)))
        except Exception as error:
            found, events = {"trouble": _trouble(error)}, []
        rows["recordings"].append(about | found)
        rows["events"] += [row_of(event, digest, EVENTS) for event in events]
        rows["sets"] += [row_of(event, digest, SETS) for event in events if isinstance(event, SetEnd)]
        rows["repetitions"] += [row_of(event, digest, REPETITIONS) for event in events if isinstance(event, Rep)]
    return {name: table(some, name) for name, some in rows.items()}


def failed_batch(batch: Iterable[tuple[str, str]], trouble: str) -> Tables:
    """The tables of recordings that ended the process which replayed them."""
    about = {"version": VERSION, "detector": fingerprint(), "trouble": trouble}
    rows = [{"digest": digest, "path": path} | about for digest, path in batch]
    return {"recordings": table(rows, "recordings")} | {
        name: table([], name) for name in ("sets", "repetitions", "events")
    }


async def _replayed(path: Path) -> tuple[dict[str, Any], list[Event]]:
    playback = open_playback(path, config=None)
    analysis = analysis_of(playback, feedback=False)
    newest: dict[int, Event] = {}  # a record that is sent again replaces the one before
    async for update in updates(playback, analysis, "max"):
        newest |= {event.id: event for event in update.events}
    found = {
        "session": playback.session,
        "machine": playback.profile.machine.id,
        "began_utc": playback.began_utc,
        "length_s": analysis.newest_s,
        "losses": len(playback.losses),
    }
    return found, list(newest.values())


def _trouble(error: Exception) -> str:
    """The sentence of an error that a person can act on; the kind and place of a bug."""
    if exit_code(error, "study") is not None:
        return sentence(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}: {sentence(error)}"
