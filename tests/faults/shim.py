"""Controls the disk and the wall clock of a process from a test: see shim.c.

with Shim(tmp_path) as shim:
    Run(..., environment=shim.environment)
    shim.sync_ms = 5000
"""

import mmap
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import needs

SOURCE = Path(__file__).with_name("shim.c")
SIZE_BYTES = 24


class Shim:
    """Loads the shim into processes; needs a compiler."""

    def __init__(self, folder: Path) -> None:
        library, steering = folder / "shim.so", folder / "faults"
        flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([needs.path("cc"), *flags, "-o", str(library), str(SOURCE)], check=True)
        steering.write_bytes(bytes(SIZE_BYTES))
        self._file = steering.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), SIZE_BYTES)
        self.environment = {"LD_PRELOAD": str(library), "FAULTS": str(steering)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._map.close()
        self._file.close()

    def stall_syncs(self, each_s: float) -> None:
        self._map[0:4] = struct.pack("=I", round(each_s * 1000))

    def fail_syncs(self, error: int) -> None:
        """Makes syncs fail with this error; 0: they succeed again."""
        self._map[4:8] = struct.pack("=i", error)

    def step_wall_clock(self, ahead_s: int) -> None:
        self._map[8:16] = struct.pack("=q", ahead_s)

    @property
    def recorded_bytes(self) -> int:
        """How much of the recording is known to be on the disk."""
        return int.from_bytes(self._map[16:24], sys.byteorder)
