"""Disks for tests, which only root may mount: an ext4 image, its copy at one moment, and a small one that fills up."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


@contextmanager
def mounted(image: Path, where: Path) -> Iterator[Path]:
    where.mkdir(exist_ok=True)
    run("mount", "-o", "loop", image, where)
    try:
        yield where
    finally:
        run("umount", where)


def an_image(folder: Path, size_mib: int, what_for: str) -> Path:
    """An empty ext4 file system in a file; skips the test if it cannot be made."""
    if os.geteuid() != 0:
        pytest.skip(f"{what_for} with a mounted image: only root may mount")
    path = folder / "disk.img"
    with path.open("wb") as file:
        file.truncate(size_mib << 20)
    try:
        run("mkfs.ext4", "-q", "-m", "0", path)
        with mounted(path, folder / "trial"):
            pass
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{what_for} with a mounted image, which is not allowed here: {error}")
    return path
