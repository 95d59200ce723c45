"""Builds a release: a virtual environment with rep-monitor, from lock files with hashes.

Only the standard library is needed, because this runs before anything is installed.
"""

import base64
import csv
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
LOCKS = SOURCE / "configs/locks"
SOURCES = ("firmware_bridge", "monitor", "pyproject.toml", "README.md", "LICENSE")
COMPILE = """\
import compileall, sys
lib, strip = sys.argv[1:]
compileall.compile_dir(lib, quiet=2, stripdir=strip, prependdir="/")  # other files stay as they are, as with pip
"""


class InstallError(Exception):
    """A failure, as one sentence for the person at the terminal."""


def release_name(python: str) -> str:
    """A name from a hash of the sources, so the same sources are the same release."""
    digest = hashlib.sha256(run((python, "-c", "import sys; print(sys.version, sys.base_prefix)")).encode())
    paths = [path for name in SOURCES for path in [SOURCE / name, *sorted((SOURCE / name).rglob("*"))]]
    for path in [*paths, *sorted(HERE.iterdir()), *sorted(LOCKS.iterdir())]:
        if path.is_file() and "__pycache__" not in path.parts and "build" not in path.parts:
            digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    version = next(line for line in (SOURCE / "pyproject.toml").read_text().splitlines() if line.startswith("version"))
    return f"{version.split('=')[1].strip().strip(chr(34))}-{digest.hexdigest()[:12]}"


def build(release: Path, root: Path, python: str) -> None:
    """Builds the environment of a release, without pip, only from files whose hashes are in the lock files."""
    workshop, sources, wheels = release / "build", release / "build/source", release / "build/wheels"
    run((python, "-m", "venv", str(workshop)))
    pip = (str(workshop / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet")
    locked = ("--no-deps", "--require-hashes", "-r")
    run((*pip, "install", "--no-compile", *locked, str(LOCKS / "build.lock")))
    sources.mkdir()
    for name in SOURCES:
        if (SOURCE / name).is_dir():
            shutil.copytree(SOURCE / name, sources / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
        else:
            shutil.copy(SOURCE / name, sources / name)
    wheel = (*pip, "wheel", "--no-build-isolation", "-w", str(wheels))  # isolation would download other build tools
    run((*wheel, *locked, str(LOCKS / "runtime.lock")))
    run((*wheel, "--no-deps", "--no-index", str(sources)))
    run((python, "-m", "venv", "--without-pip", str(release)))
    into = (*pip, "--python", str(release / "bin/python"), "install", "--no-compile", "--no-deps", "--no-index")
    exact = ["==".join(wheel.name.split("-")[:2]) for wheel in sorted(wheels.glob("*.whl"))]
    run((*into, "--find-links", str(wheels), *exact))  # an install by path would record that path, in direct_url.json
    shutil.rmtree(workshop)
    unstage(release, root, python)
    run((str(release / "bin/python"), "-B", str(release / "bin/rep-monitor"), "--version"))
    share = release / "share/rep-monitor"
    share.mkdir(parents=True)
    for path in [SOURCE / "README.md", SOURCE / "LICENSE", HERE / "network.conf", *(SOURCE / "configs").glob("*.toml")]:
        shutil.copy(path, share)


def unstage(release: Path, root: Path, python: str) -> None:
    """Replaces the staging folder by the final one in all files that `venv` and `pip` wrote, then compiles.

    Raises InstallError if a binary file names the staging folder.
    """
    staged, final = os.fsencode(release), os.fsencode("/" / release.relative_to(root))
    changed = []
    for path in sorted(path for path in release.rglob("*") if path.is_file() and not path.is_symlink()):
        data = path.read_bytes()
        if staged != final and staged in data:
            if b"\0" in data:
                raise InstallError(f"{path} is a binary file that names the staging folder: please report this")
            path.write_bytes(data.replace(staged, final))
            changed.append(path)
    for record in release.glob("lib/*/site-packages/*.dist-info/RECORD"):
        _update_record(record, changed)
    run((python, "-c", COMPILE, str(release / "lib"), str(root)))


def _update_record(record: Path, changed: list[Path]) -> None:
    """Writes the new hashes and sizes of the changed files."""
    rows = list(csv.reader(record.read_text().splitlines()))
    for row in rows:
        path = Path(os.path.normpath(record.parents[1] / row[0]))
        if path in changed:
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            row[1:] = f"sha256={digest}", str(path.stat().st_size)
    with record.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, umask=0o022, check=False)
    except FileNotFoundError:
        raise InstallError(f"{words[0]} is not installed on this machine: install it") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise InstallError(f"`{' '.join(words)}` failed: {' '.join(lines[-3:]) or f'status {done.returncode}'}")
    return done.stdout
