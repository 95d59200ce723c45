"""Reads the page's files once; nothing else can be reached, whatever a path says."""

import gzip
import posixpath
import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from monitor.display.cue_packs import with_own_packs

AUTHORITY = "/rep-monitor.crt"
WAITING_PAGE, SHELL = "/waiting.html", "/shell.js"
OF_EVERYBODY = "/pairing.json"  # answered by the server; the waiting page needs it, too
NEEDED = re.compile(rb'(?:from |href=|src=)"([^":#]+)"')  # by a page or a script
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".crt": "application/x-x509-ca-cert",
    ".md": "text/plain",
    ".LICENSE": "text/plain",
    "": "text/plain",
}


class File:
    """One file for the browser, in memory; `tag` changes with its content."""

    def __init__(self, data: bytes, type: str) -> None:
        self.type = type
        self.tag = f'"{sha256(data).hexdigest()[:16]}"'
        self._kept = data
        self._is_packed: bool | None = None  # not tried yet

    @property
    def data(self) -> bytes:
        return gzip.decompress(self._kept) if self._is_packed else self._kept

    @property
    def packed(self) -> bytes | None:
        """`data` as gzip, None if that is not smaller. Made at the first request, because a start must not wait.

        From then on only this is kept: the files of an open page take half a megabyte less.
        """
        if self._is_packed is None:
            packed = gzip.compress(self._kept, mtime=0)
            self._is_packed = len(packed) < len(self._kept)
            if self._is_packed:
                self._kept = packed
        return self._kept if self._is_packed else None

    @property
    def is_page(self) -> bool:
        return self.type.startswith("text/html")


def page_files(cues: str | None = None, authority: bytes | None = None) -> dict[str, File]:
    """The files by path, the front page also as `/`; with the cue packs of the folder `cues`, and a certificate."""
    found = dict(files_in(files("monitor.display") / "page", "/"))
    if cues is not None:
        shipped = {path: file.data for path, file in found.items() if path.startswith("/cues/")}
        for path, data in with_own_packs(shipped, Path(cues)).items():
            found[path] = _file(path, data)
    if authority is not None:
        found[AUTHORITY] = _file(AUTHORITY, authority)
    found[SHELL] = _file(SHELL, _shell(found))
    return {"/": found["/index.html"], **found}


def _shell(files: dict[str, File]) -> bytes:
    """Tells the worker which files the waiting page needs, and their version."""
    needed = [WAITING_PAGE, *(path for path in files if path.startswith("/cues/") and path.endswith(".json"))]
    for path in needed:  # grows
        found = [posixpath.join(posixpath.dirname(path), name.decode()) for name in NEEDED.findall(files[path].data)]
        needed += [name for name in dict.fromkeys(map(posixpath.normpath, found)) if name not in needed]
    version = sha256("".join(files[path].tag for path in needed).encode()).hexdigest()[:16]
    shell = {"version": version, "files": [path.removeprefix("/") for path in (*needed, OF_EVERYBODY)]}
    return b"self.SHELL = " + msgspec.json.encode(shell) + b";\n"


def files_in(folder: Traversable, path: str) -> Iterator[tuple[str, File]]:
    """Every file below the folder; its address begins with `path`."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from files_in(entry, f"{path}{entry.name}/")
            continue
        yield path + entry.name, _file(entry.name, entry.read_bytes())


def _file(name: str, data: bytes) -> File:
    suffix = name[name.rfind(".") :] if "." in name else ""
    kind = TYPES.get(suffix, "application/octet-stream")
    text = "; charset=utf-8" if kind.startswith("text/") else ""
    return File(data, kind + text)
