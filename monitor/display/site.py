"""The page's files, read once: what is not among them cannot be reached, whatever a path says."""

import mimetypes
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

TYPES = {".js": "text/javascript", ".json": "application/json", ".md": "text/plain", "": "text/plain"}


class File(NamedTuple):
    """What a browser is given; `tag` changes with the content."""

    data: bytes
    type: str
    tag: str


def page_files() -> dict[str, File]:
    """By path; the front page also as `/`."""
    found = dict(_within(files("monitor.display") / "page", "/"))
    return {"/": found["/index.html"], **found}


def _within(folder: Traversable, path: str) -> Iterator[tuple[str, File]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _within(entry, f"{path}{entry.name}/")
            continue
        data = entry.read_bytes()
        suffix = entry.name[entry.name.rfind(".") :] if "." in entry.name else ""
        kind = TYPES.get(suffix) or mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
        text = "; charset=utf-8" if kind.startswith("text/") else ""
        yield path + entry.name, File(data, kind + text, f'"{sha256(data).hexdigest()[:16]}"')
