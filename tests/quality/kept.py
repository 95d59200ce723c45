"""Keeps simulated columns between runs in a temporary folder, keyed by the simulator's source text."""

import hashlib
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np

import firmware_bridge.simulator as simulator
from tests.quality.signals import Floats

STALE_S = 3600.0


def path_of(what: str) -> Path:
    """The path at which the columns of `what` are kept or will be kept."""
    return _folder() / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.npy"


@cache
def _folder() -> Path:
    """The folder of the present simulator; folders of older ones are removed after an hour without use."""
    home = Path(simulator.__file__).parent
    text = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(home.glob("*.py"))))
    everything = Path(tempfile.gettempdir()) / "rep-monitor-quality"
    folder = everything / text.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    folder.touch()
    for other in everything.iterdir():
        if other != folder and time.time() - other.stat().st_mtime > STALE_S:
            shutil.rmtree(other, ignore_errors=True)  # another process may remove it, too
    return folder


def keep(path: Path, columns: list[Floats]) -> None:
    """Write columns whole or not at all: two processes may write the same file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.save(file, np.stack(columns).astype(np.float32))
    Path(file.name).replace(path)


def read(path: Path) -> Floats:
    """The kept columns as rows of one array."""
    columns: Floats = np.load(path).astype(np.float64)
    return columns
