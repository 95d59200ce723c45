"""Reads the file of a backup: names from a list, sizes within limits, contents as the manifest describes them.

The file may be forged. Nothing is read before its size and name are known to be possible, and nothing is kept in memory
but the manifest.
"""

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE
from monitor.state.whole_file import PART_BYTES

FORMAT = 1
MANIFEST = "manifest.json"
STORE = "events.db"
CALIBRATIONS = ("calibrations.jsonl", "calibration.partial.json")
OTHER_FILES = (*CALIBRATIONS, "learned.json")  # of a machine, besides its store
PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.toml")
MACHINE_NAME = re.compile(r"[a-z0-9-]{1,32}")
MOST_FILES = 1000
MOST_MANIFEST_BYTES = 1 << 20
MOST_SMALL_BYTES = 4 << 20  # a profile, a calibration
MOST_STORE_BYTES = 2 << 30
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for gigabytes of memory
ENCRYPTED = 0x1
BROKEN = (  # raised by zipfile for a damaged or forged file
    zipfile.BadZipFile,  # not a ZIP archive, or its parts contradict each other
    zlib.error,  # packed data that cannot be unpacked
    EOFError,  # a file that ends before its declared size
    UnicodeDecodeError,  # a name that is declared as UTF-8 and is not
    NotImplementedError,  # a version of ZIP, or an encryption, that Python does not read
)


class BackupError(Exception):
    """The file is not a backup, or restoring it would overwrite something; the message says which."""


class Manifest(msgspec.Struct):
    """What a backup contains: the SHA-256 of each file."""

    format: int
    made_utc: Annotated[str, Meta(max_length=40)]
    rep_monitor: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z.+-]{1,40}\Z")]
    sha256: Annotated[dict[str, Annotated[str, Meta(max_length=64)]], Meta(max_length=MOST_FILES)]

    @property
    def machines(self) -> list[str]:
        return sorted({PurePosixPath(name).parts[1] for name in self.sha256 if name.startswith("machines/")})


def may_contain(name: str) -> bool:
    """Whether a backup may contain a file of this name."""
    match name.split("/"):
        case ["profiles", profile]:
            return PROFILE_NAME.fullmatch(profile) is not None
        case ["machines", machine, file]:
            return MACHINE_NAME.fullmatch(machine) is not None and file in (STORE, *OTHER_FILES)
    return False


class Archive:
    """An open backup whose names and sizes have been checked."""

    def __init__(self, path: Path, zipped: zipfile.ZipFile) -> None:
        """Raises BackupError, OSError."""
        self._path = path
        self._zipped = zipped
        self._bytes = path.stat().st_size
        try:
            self.manifest = msgspec.json.decode(b"".join(self._parts(MANIFEST, MOST_MANIFEST_BYTES)), type=Manifest)
        except (KeyError, *BROKEN, *UNREADABLE) as error:
            raise not_a_backup(path) from error
        if self.manifest.format > FORMAT:
            raise BackupError(f"{path} was made by rep-monitor {self.manifest.rep_monitor}: use that or a newer one")
        for name in self.manifest.sha256:
            if not may_contain(name):
                raise BackupError(f"{path} contains {name!r:.120}, which no backup may contain: use another backup")

    @property
    def unpacked_bytes(self) -> int:
        """The declared size of all files together; reading ends there."""
        sizes = {info.filename: info.file_size for info in self._zipped.infolist()}
        return sum(sizes.get(name, 0) for name in self.manifest.sha256)

    def unpack(self, name: str, to: Path) -> None:
        """Writes one file of the manifest. Raises BackupError if it is not as the manifest says, OSError."""
        digest = hashlib.sha256()
        most_bytes = MOST_STORE_BYTES if name.endswith("/" + STORE) else MOST_SMALL_BYTES
        try:
            with to.open("xb") as file:
                for part in self._parts(name, most_bytes):
                    digest.update(part)
                    file.write(part)
            intact = digest.hexdigest() == self.manifest.sha256[name]
        except (KeyError, *BROKEN):
            intact = False
        if not intact:
            raise BackupError(f"{self._path} is damaged at {name}: use another backup; nothing was changed")

    def _parts(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """The content of a file, which ends where its declared size does. Raises BackupError, KeyError, BROKEN."""
        info = self._zipped.getinfo(name)
        if info.file_size > most_bytes:
            raise BackupError(f"{self._path}: {name} has {info.file_size} bytes, more than {most_bytes}: do not use it")
        if info.compress_type not in UNPACKED or info.flag_bits & ENCRYPTED:
            raise zipfile.BadZipFile("packed in another way")
        if not 0 <= info.header_offset < self._bytes:
            raise zipfile.BadZipFile("a place outside the file")
        with self._zipped.open(info) as file:
            while part := file.read(PART_BYTES):
                yield part


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Raises BackupError, OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise not_a_backup(path)
    try:
        zipped = zipfile.ZipFile(path)
    except BROKEN as error:
        raise not_a_backup(path) from error
    with zipped:
        yield Archive(path, zipped)


def not_a_backup(path: Path) -> BackupError:
    return BackupError(f"{path} is not a backup of rep-monitor, or it is damaged: use another backup")
