"""A study on disk: Parquet tables in parts, one part of each table for each batch of recordings.

DATASET/
    recordings/part-<batch>.parquet     written last: a batch without it is replayed again
    sets/   repetitions/   events/      part-<batch>.parquet
    lock
"""

import errno
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pyarrow
import pyarrow.dataset
import pyarrow.parquet

from monitor.state.folders import AlreadyRuns, Lock
from monitor.study.columns import SCHEMAS
from monitor.study.errors import StudyError
from monitor.study.fingerprint import fingerprint
from monitor.study.replaying import Tables
from monitor.version import VERSION

OURS = re.compile(r"part-[0-9a-f]{16}\.(parquet|part)")


class Dataset:
    """Open for writing from `async with` to its end, by one study at a time. Raises StudyError, OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        for name in SCHEMAS:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        try:
            self._lock = Lock(self.folder)
            self._lock.__enter__()
        except AlreadyRuns as error:
            raise StudyError(f"another study writes to {self.folder}: wait for it, or choose another folder") from error
        self._remove_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__(None, None, None)

    def done(self) -> set[str]:
        """The digests of the recordings that are in the tables. Raises StudyError if another detector made them."""
        made = read(self.folder, "recordings")
        others = set(made["detector"].to_pylist()) - {fingerprint()}
        if others:
            versions = ", ".join(sorted(set(made["version"].to_pylist())))
            raise StudyError(
                f"{self.folder} was made by another detector (rep-monitor {versions}, {', '.join(sorted(others))}; this"
                f" is {VERSION}, {fingerprint()}): choose a new folder, then compare both with --compare"
            )
        return set(made["digest"].to_pylist())

    def add(self, batch: Sequence[tuple[str, str]], tables: Tables) -> None:
        """Writes the tables of a batch; `recordings` last, which makes them count."""
        name = hashlib.blake2b("".join(digest for digest, _ in batch).encode(), digest_size=8).hexdigest()
        for table in sorted(tables, key=lambda table: table == "recordings"):
            path = self.folder / table / f"part-{name}.parquet"
            part = path.with_suffix(".part")
            try:
                pyarrow.parquet.write_table(tables[table], part, compression="zstd")
            except OSError as error:  # of pyarrow, which does not name the file
                raise OSError(error.errno, os.strerror(error.errno or errno.EIO), str(part)) from error
            part.replace(path)

    def _remove_leftovers(self) -> None:
        """Of a study that ended in the middle of a batch."""
        counting = {path.name for path in (self.folder / "recordings").glob("part-*.parquet")}
        for name in SCHEMAS:
            for path in (self.folder / name).glob("part-*"):
                if OURS.fullmatch(path.name) and path.name not in counting:
                    path.unlink()


def read(folder: Path, name: str) -> pyarrow.Table:
    """A whole table; other programs read the folder in the same way. Raises StudyError."""
    parts = sorted((folder / name).glob("part-*.parquet"))
    if not parts:
        if not (folder / name).is_dir():
            raise StudyError(f"{folder} is not a study: it has no folder {name}")
        return SCHEMAS[name].empty_table()
    try:
        return pyarrow.dataset.dataset(parts, schema=SCHEMAS[name], format="parquet").to_table()
    except (pyarrow.ArrowException, OSError) as error:
        raise StudyError(f"{folder / name} cannot be read ({error}): delete the folder, and study again") from error
