"""Saves profiles, calibrations and stores in one file, and restores them.

    backup.zip
        manifest.json                   format version, time, and the SHA-256 of each file below
        profiles/<name>.toml
        machines/<machine>/events.db    a consistent snapshot, also while the daemon runs
        machines/<machine>/...          other files of the machine's folder: calibrations

A backup does not contain recordings, the page's tokens or the broker's passwords. Restoring checks the whole backup
before it changes anything.
"""

import fnmatch
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.client.bookmark import Bookmark
from monitor.state.folders import Lock, state_directory, store_path
from monitor.state.whole_file import write_whole
from monitor.store.copying import copy_store, renew
from monitor.version import VERSION

FORMAT = 1
STORE = "events.db"
NOT_KEPT = ("lock", "events.db*", "bookmark*", "*_token", "forget-*", "up.json", "*.new", "*.part")
MANIFEST = "manifest.json"
PROFILE_FILE = 0o644


class BackupError(Exception):
    """The file is not a backup, or restoring it would overwrite something; the message says which."""


class Manifest(msgspec.Struct):
    format: int
    made_utc: str
    rep_monitor: str
    sha256: dict[str, str]

    @property
    def machines(self) -> list[str]:
        return sorted({PurePosixPath(name).parts[1] for name in self.sha256 if name.startswith("machines/")})


def back_up(to: Path, folders: Iterable[Path], profiles: Iterable[Path]) -> Manifest:
    """Backs up these machines' folders and profiles to `to`, atomically. Raises StoreError, OSError."""
    manifest = Manifest(FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), VERSION, {})
    fresh = to.with_name(to.name + ".new")
    with ExitStack() as undo:
        undo.callback(fresh.unlink, missing_ok=True)
        work = Path(undo.enter_context(tempfile.TemporaryDirectory(dir=to.absolute().parent, prefix=".backup-")))
        file = undo.enter_context(open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in _contents(folders, profiles, work):
                manifest.sha256[name] = _digest(path.read_bytes())
                archive.write(path, name)
            archive.writestr(MANIFEST, msgspec.json.encode(manifest))
        file.flush()
        os.fsync(file.fileno())
        os.replace(fresh, to)
    return manifest


def _contents(folders: Iterable[Path], profiles: Iterable[Path], work: Path) -> Iterator[tuple[str, Path]]:
    for profile in profiles:
        yield f"profiles/{profile.name}", profile
    for folder in folders:
        copy = work / folder.name
        copy_store(store_path(folder), copy)
        yield f"machines/{folder.name}/{STORE}", copy
        for path in sorted(folder.iterdir()):
            if path.is_file() and not any(fnmatch.fnmatch(path.name, pattern) for pattern in NOT_KEPT):
                yield f"machines/{folder.name}/{path.name}", path


def restore(source: Path, profiles: Path, *, replace: bool) -> list[str]:
    """Restores machines whose daemons do not run. Returns what was done, one line each.

    An existing store is replaced only with `replace`; an existing profile is never replaced. Raises BackupError,
    StateError, StoreError, OSError.
    """
    with zipfile.ZipFile(source) if zipfile.is_zipfile(source) else _no_backup(source) as archive, ExitStack() as locks:
        manifest = _checked(source, archive)
        folders = {machine: state_directory(machine) for machine in manifest.machines}
        for folder in folders.values():
            locks.enter_context(Lock(folder))
        taken = [str(folder) for folder in folders.values() if store_path(folder).exists()]
        if taken and not replace:
            raise BackupError(f"{', '.join(taken)} already has a store: back it up, then restore with --replace")
        done = []
        for name in sorted(manifest.sha256):
            kind, *rest = PurePosixPath(name).parts
            data = archive.read(name)
            if kind == "profiles":
                done.append(_restore_profile(profiles / rest[0], data))
            elif rest[1] == STORE:
                done.append(_restore_store(folders[rest[0]], data))
            else:
                write_whole(folders[rest[0]] / rest[1], data)
        return done


def _checked(source: Path, archive: zipfile.ZipFile) -> Manifest:
    """The manifest, once no name leads out of the backup and every checksum fits. Raises BackupError."""
    try:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except (KeyError, zipfile.BadZipFile, *UNREADABLE) as error:
        raise BackupError(f"{source} is not a backup of rep-monitor, or it is damaged: use another backup") from error
    if manifest.format > FORMAT:
        raise BackupError(f"{source} was made by rep-monitor {manifest.rep_monitor}: use that or a newer one")
    for name, digest in manifest.sha256.items():
        parts = PurePosixPath(name).parts
        shape = {"profiles": 2, "machines": 3}.get(parts[0] if parts else "")
        if len(parts) != shape or ".." in parts or "\\" in name:
            raise BackupError(f"{source} contains {name!r}, which no backup may contain: use another backup")
        try:
            intact = _digest(archive.read(name)) == digest
        except (KeyError, zipfile.BadZipFile, OSError, EOFError):
            intact = False
        if not intact:
            raise BackupError(f"{source} is damaged at {name}: use another backup; nothing was changed")
    return manifest


def _no_backup(source: Path) -> zipfile.ZipFile:
    source.open("rb").close()  # raises OSError if the file cannot be read
    raise BackupError(f"{source} is not a backup of rep-monitor: use another backup")


def _restore_profile(path: Path, data: bytes) -> str:
    if path.exists() and path.read_bytes() != data:
        beside = path.with_name(path.name + ".restored")
        write_whole(beside, data, PROFILE_FILE)
        return f"kept {path} unchanged; the profile from the backup is {beside}"
    write_whole(path, data, PROFILE_FILE)
    return f"profile {path}"


def _restore_store(folder: Path, data: bytes) -> str:
    path = store_path(folder)
    fresh = path.with_name(path.name + ".new")
    write_whole(fresh, data)
    store_id, last_seq = renew(fresh)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(fresh, path)
    bookmark = Bookmark(folder / "bookmark.json")  # the restored events were published before; `resume` repeats them
    bookmark.start(store_id, last_seq)
    bookmark.move(last_seq)
    bookmark.save()
    return f"store {path}, {last_seq} events"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def profiles_of(machines: Sequence[str], folder: Path) -> list[Path]:
    """The profiles in the folder that describe one of these machines. Raises ConfigError if a profile is invalid."""
    from monitor.profile.reading import load_profile

    return [path for path in sorted(folder.glob("*.toml")) if load_profile(path).machine.id in machines]
