"""Saves profiles, calibrations and stores in one file, and restores them.

    backup.zip
        manifest.json                   format version, time, and the SHA-256 of each file below
        profiles/<name>.toml
        machines/<machine>/events.db    a consistent snapshot, also while the daemon runs
        machines/<machine>/...          other files of the machine's folder: calibrations

A backup does not contain recordings, the page's tokens or the broker's passwords. Restoring checks the whole backup
before it changes anything.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from monitor.custody.archive import FORMAT, MANIFEST, OTHER_FILES, STORE, Archive, BackupError, Manifest, opened
from monitor.mqtt.client.bookmark import Bookmark
from monitor.profile.reading import load_profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import Lock, state_directory, store_path
from monitor.state.whole_file import copy_whole, parts_of
from monitor.store.copying import Rebuilt, copy_store, rebuild
from monitor.version import VERSION

GYM_CONFIG = "gym.toml"  # may lie beside the profiles
PROFILE_FILE = 0o644


def back_up(to: Path, folders: Iterable[Path], profiles: Iterable[Path]) -> Manifest:
    """Backs up these machines' folders and profiles to `to`, atomically. Raises StoreError, OSError."""
    try:
        return _back_up(to, folders, profiles)
    except OSError as error:
        if error.filename is None:  # the error of a full disk has no path
            raise OSError(error.errno, error.strerror, str(to)) from error
        raise


def _back_up(to: Path, folders: Iterable[Path], profiles: Iterable[Path]) -> Manifest:
    manifest = Manifest(FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), VERSION, {})
    fresh = to.with_name(to.name + ".new")
    with ExitStack() as undo:
        undo.callback(fresh.unlink, missing_ok=True)
        work = Path(undo.enter_context(tempfile.TemporaryDirectory(dir=to.absolute().parent, prefix=".backup-")))
        file = undo.enter_context(open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in _contents(folders, profiles, work):
                manifest.sha256[name] = _digest(path)
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
        for path in (folder / name for name in OTHER_FILES):
            if path.is_file():
                yield f"machines/{folder.name}/{path.name}", path


def restore(source: Path, profiles: Path, *, replace: bool) -> list[str]:
    """Restores machines whose daemons do not run. Returns what was done, one line each.

    An existing store is replaced only with `replace`; an existing profile is never replaced. Raises BackupError,
    StateError, StoreError, OSError.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(opened(source))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rep-monitor-restore-")))
        unpacked = _unpack(source, archive, work)
        folders = {machine: state_directory(machine) for machine in archive.manifest.machines}
        for folder in folders.values():
            stack.enter_context(Lock(folder))
        taken = [str(folder) for folder in folders.values() if store_path(folder).exists()]
        if taken and not replace:
            raise BackupError(f"{', '.join(taken)} already has a store: back it up, then restore with --replace")
        done = []
        for name, (path, store) in unpacked.items():
            kind, *rest = PurePosixPath(name).parts
            if kind == "profiles":
                done.append(_restore_profile(profiles / rest[0], path))
            elif store is not None:
                done.append(_restore_store(folders[rest[0]], path, store))
            else:
                copy_whole(path, folders[rest[0]] / rest[1])
        return done


class _Unpacked(NamedTuple):
    path: Path
    store: Rebuilt | None  # for a store: `path` is the rebuilt one


def _unpack(source: Path, archive: Archive, work: Path) -> dict[str, _Unpacked]:
    """Unpacks everything into `work` and checks it, by name. Raises BackupError, OSError."""
    free_bytes = shutil.disk_usage(work).free
    if 2 * archive.unpacked_bytes > free_bytes:  # each store is rebuilt beside its copy
        raise BackupError(
            f"{source} unpacks to {archive.unpacked_bytes} bytes, and {work.parent} has {free_bytes} free: free some"
        )
    unpacked = {}
    for number, name in enumerate(sorted(archive.manifest.sha256)):
        path = work / f"{number}-{PurePosixPath(name).name}"
        archive.unpack(name, path)
        store = None
        if name.endswith(f"/{STORE}"):
            fresh = path.with_suffix(".fresh")
            store = rebuild(path, fresh)
            path.unlink()
            path = fresh
        if name.startswith("profiles/"):
            try:
                load_profile(path)
            except ConfigError as error:
                raise BackupError(f"{source}: {name} is not a profile ({error}): use another backup") from error
        unpacked[name] = _Unpacked(path, store)
    return unpacked


def _restore_profile(path: Path, unpacked: Path) -> str:
    if path.exists() and path.read_bytes() != unpacked.read_bytes():
        beside = path.with_name(path.name + ".restored")
        copy_whole(unpacked, beside, PROFILE_FILE)
        return f"kept {path} unchanged; the profile from the backup is {beside}"
    copy_whole(unpacked, path, PROFILE_FILE)
    return f"profile {path}"


def _restore_store(folder: Path, fresh: Path, store: Rebuilt) -> str:
    path = store_path(folder)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copy_whole(fresh, path)
    bookmark = Bookmark(folder / "bookmark.json")  # the restored events were published before; `resume` repeats them
    bookmark.start(store.store_id, store.last_seq)
    bookmark.move(store.last_seq)
    bookmark.save()
    return f"store {path}, {store.last_seq} events" + (
        f"; {store.left_out} rows could not be read" if store.left_out else ""
    )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for part in parts_of(path):
        digest.update(part)
    return digest.hexdigest()


def profiles_of(machines: Sequence[str], folder: Path) -> list[Path]:
    """The profiles in the folder that describe one of these machines. Raises ConfigError if a profile is invalid."""
    profiles = (path for path in sorted(folder.glob("*.toml")) if path.name != GYM_CONFIG)
    return [path for path in profiles if load_profile(path).machine.id in machines]


def without_a_profile(machines: Sequence[str], profiles: Iterable[Path]) -> list[str]:
    """The machines that none of these profiles describes. Raises ConfigError if a profile is invalid."""
    described = {load_profile(path).machine.id for path in profiles}
    return [machine for machine in machines if machine not in described]
