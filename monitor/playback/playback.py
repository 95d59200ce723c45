"""Opens a recording or a table of samples, and runs it through the analysis.

    playback = open_playback(Path("right.csv"), config=None)
    analysis = analysis_of(playback, feedback=True)
    async for update in updates(playback, analysis, "max"): ...   1: real time; 10: ten times as fast
    playback.losses                                               missing data, complete after a whole pass

The same rows come in the same order at every speed. Their grouping changes no event.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from firmware_bridge.chunk import Chunk, ChunkRun
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.samples import Samples
from monitor.allocator import keep_freed
from monitor.analysis.analysis import Analysis
from monitor.detect.spine import OnPositions
from monitor.events import Update
from monitor.learning.machine import LearnedMachine
from monitor.learning.range import LearnedRange, read_range
from monitor.playback.places import place_remarks
from monitor.playback.zeros import zero_remarks
from monitor.profile.profile import Profile
from monitor.profile.reading import load_profile, profile_from_builtins
from monitor.record.records import Gap, Header
from monitor.record.replay import Speed, batches, decoder_of, hello_of, replay
from monitor.record.session_reader import read_session
from monitor.record.table.reading import Reading
from monitor.record.table.table import read_table

PROFILE_BESIDE = "machine.toml"
BATCH_ROWS = 200_000
READ_S = 0.02  # the pieces of a table at a limited speed, as from a port
MCAP_MAGIC = b"\x89MCAP0\r\n"


class PlaybackError(Exception):
    """The file cannot be replayed; the message names what is missing."""


class RecordingPlayback:
    """A session recording, decoded again from its bytes."""

    what: Literal["recording", "table"] = "recording"

    def __init__(self, path: Path, config: Path | None) -> None:
        self.path = path
        self._file = read_session(path)
        self.header = self._file.header
        self.learned = _learned(self.header)
        self.machine_learned = _machine_learned(self.header)
        self.hello = None if self.header is None else hello_of(self.header)
        self.profile = _profile_of(path, self.header, config)
        self.decoder = _decoder_of(path, self.header, self.profile if config else None)
        self.session = self.header.session if self.header else session_name(path)
        self.began_utc = self.header.created_utc if self.header else None
        self._gaps: list[Gap] = []

    @property
    def done(self) -> float:
        """The share that has been read, 0 to 1."""
        return self._file.read_bytes / max(1, self._file.size_bytes)

    @property
    def losses(self) -> list[str]:
        """Records that are missing, by damage of the file or because the recorder could not write them."""
        return [damage.sentence for damage in self._file.damage if damage.lossy] + [
            f"{self._file.path}: {_gap_sentence(gap)}" for gap in self._gaps
        ]

    @property
    def remarks(self) -> list[str]:
        """Damage without the loss of a record."""
        return [damage.sentence for damage in self._file.damage if not damage.lossy]

    async def feed(self, analysis: Analysis, speed: Speed) -> AsyncGenerator[Update]:
        if speed == "max":
            for batch in batches(self._file):
                yield self._take(analysis, batch)
                await asyncio.sleep(0)
            return
        async for item in replay(self._file, speed):
            yield self._take(analysis, item)

    def _take(self, analysis: Analysis, item: Chunk | ChunkRun | Gap) -> Update:
        if isinstance(item, Gap):
            self._gaps.append(item)
            return Update([], [])
        return analysis.feed_run(item) if isinstance(item, ChunkRun) else analysis.feed(item)


class TablePlayback:
    """A table of samples, which enters the analysis after the decoder. Its first row is at 0 s."""

    what: Literal["recording", "table"] = "table"
    began_utc = decoder = hello = learned = machine_learned = None
    losses: Sequence[str] = ()

    def __init__(self, path: Path, config: Path | None, reading: Reading | None) -> None:
        beside = path.with_name(PROFILE_BESIDE)
        if config is None and path.is_file() and not beside.is_file():
            raise PlaybackError(
                f"{path} is a table without {PROFILE_BESIDE} beside it: give the machine's profile with --config"
            )
        self.path = path
        self.table = read_table(path, reading)
        self._rows = self.table.samples
        self.profile = load_profile(config or beside)
        self.remarks: Sequence[str] = [
            *self.table.remarks,
            *place_remarks(self.profile, self.table),
            *zero_remarks(self.profile, self.table),
        ]
        self.session = session_name(path)
        self.first_row_s = float(self._rows.t_s[0])
        self.done = 0.0  # the share that has been read, 0 to 1

    async def feed(self, analysis: Analysis, speed: Speed) -> AsyncGenerator[Update]:
        t_s = self._rows.t_s - self.first_row_s
        if speed == "max":
            edges = list(range(BATCH_ROWS, len(t_s), BATCH_ROWS))
        else:
            edges = (np.flatnonzero(np.diff(np.floor(t_s / READ_S))) + 1).tolist()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for start, end in pairwise([0, *edges, len(t_s)]):
            due_s = began_s if speed == "max" else began_s + float(t_s[end - 1]) / speed
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            rows = slice(start, end)
            self.done = end / len(t_s)
            yield analysis.add(
                Samples(t_s[rows], self._rows.position_m[rows], self._rows.force_n[rows], self._rows.flags[rows])
            )


Playback = RecordingPlayback | TablePlayback


def open_playback(path: Path, config: Path | None, reading: Reading | None = None) -> Playback:
    """Opens a file by its content, or by its name, because a recording may have lost its first bytes.

    `reading` describes the columns of a table in another format. Raises PlaybackError, OSError.
    """
    with path.open("rb") as file:
        head = file.read(len(MCAP_MAGIC))
    if head != MCAP_MAGIC and path.suffix.lower() != ".mcap":
        return TablePlayback(path, config, reading)
    if reading is not None:
        raise PlaybackError(f"{path} is a recording, not a table: leave out --columns and --units")
    return RecordingPlayback(path, config)


def analysis_of(
    playback: Playback,
    *,
    feedback: bool,
    on_samples: Callable[[Samples], None] | None = None,
    on_positions: OnPositions | None = None,
) -> Analysis:
    """The analysis before the first sample."""
    return Analysis(
        playback.profile,
        playback.session,
        playback.decoder,
        hello=playback.hello,
        learned=playback.learned,
        machine=playback.machine_learned,
        encoder_step_m=playback.table.encoder_step_m if isinstance(playback, TablePlayback) else None,
        feedback=feedback,
        on_samples=on_samples,
        on_positions=on_positions,
    )


async def updates(playback: Playback, analysis: Analysis, speed: Speed) -> AsyncGenerator[Update]:
    """Runs the analysis. The events do not depend on the speed."""
    keep_freed()
    async with aclosing(playback.feed(analysis, speed)) as parts:
        async for update in parts:
            yield update
    yield analysis.finish()


def session_name(path: Path) -> str:
    """A session id that depends only on the file's name.

    >>> session_name(Path("legs/right leg.csv"))
    'right-leg'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)[:64].strip("-") or "table"


def _profile_of(path: Path, header: Header | None, config: Path | None) -> Profile:
    if config:
        return load_profile(config)
    if header is None:
        raise PlaybackError(f"{path} has lost its header: give the machine's profile with --config")
    return profile_from_builtins(header.profile, f"{path}, its header")


def _machine_learned(header: Header | None) -> LearnedMachine | None:
    if header is None or header.machine_learned is None:
        return None
    try:
        return msgspec.convert(header.machine_learned, LearnedMachine)
    except msgspec.ValidationError as error:
        where = f"session {header.session}: machine_learned in its header"
        raise PlaybackError(f"{where} cannot be read: {error}") from error


def _learned(header: Header | None) -> LearnedRange | None:
    if header is None or header.learned is None:
        return None
    if (learned := read_range(header.learned)) is None:
        raise PlaybackError(f"session {header.session}: its learned range cannot be read: {header.learned!r:.80}")
    return learned


def _decoder_of(path: Path, header: Header | None, replacing: Profile | None) -> Decoder:
    """The decoder before the first chunk, with the calibration of the replacing profile if that has one."""
    table = replacing.calibration if replacing else None
    if table is None:
        if header is None:
            raise PlaybackError(f"{path} has lost its header: its bytes need a profile with a [calibration] table")
        return decoder_of(header)
    calibration = {
        "metres_per_count": table.metres_per_count or 1.0,  # only a static machine has none, and does not use it
        "position_zero_counts": table.position_zero_counts,
        "newtons_per_count": table.newtons_per_count,
        "force_zero_counts": table.force_zero_counts,
    }
    if header is None:
        assert replacing
        return Decoder(Calibration(**calibration), replacing.serial.format)
    return decoder_of(msgspec.structs.replace(header, calibration=calibration))


def _gap_sentence(gap: Gap) -> str:
    n = "an unknown number of" if gap.records is None else str(gap.records)
    why = "the disk could not keep up" if gap.cause == "queue_full" else "lost when the file was recovered"
    return f"{n} records are missing: {why}"
