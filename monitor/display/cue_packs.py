"""A gym's own cue packs: JSON files in a folder that the profile names.

A pack may be as small as three words. The rest comes from the page's pack of the same name, or else the English one.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from monitor.events import UNREADABLE
from monitor.profile.toml_document import ConfigError
from monitor.state.small_file import read_small

LONGEST_CUE = 8
SHIPPED = "/cues/{}.json"
INDEX = "/cues/index.json"
_NAME = re.compile(r"[a-z0-9-]{1,32}")
_LINE = Annotated[str, Meta(min_length=1, max_length=200)]


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of one file."""

    language: Annotated[str, Meta(pattern=r"\A[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]  # for the voice, as in a web page
    name: _LINE  # shown in the settings
    cues: dict[str, Annotated[str, Meta(min_length=1, max_length=LONGEST_CUE)]] = {}
    spoken: dict[str, _LINE] = {}
    texts: dict[str, _LINE] = {}


def with_own_packs(shipped: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """The page's cue files by path, with those of the folder. Raises ConfigError, which names the wrong file."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; correct [display] cues or remove it")
    files = dict(shipped)
    index: dict[str, str] = msgspec.json.decode(shipped[INDEX])["packs"]
    for path in sorted(folder.glob("*.json")):
        if not _NAME.fullmatch(path.stem) or path.stem == "index":
            raise ConfigError(
                f"{path}: a cue pack's name may contain a-z, 0-9 and - and must not be index; rename the file"
            )
        pack = _read(path)
        base: dict[str, Any] = msgspec.json.decode(
            shipped.get(SHIPPED.format(path.stem), shipped[SHIPPED.format("en")])
        )
        said: dict[str, Any] = msgspec.to_builtins(pack)
        for part in ("cues", "spoken", "texts"):
            said[part] = base[part] | said[part]
        files[SHIPPED.format(path.stem)] = msgspec.json.encode(said)
        index[path.stem] = pack.name
    return files | {INDEX: msgspec.json.encode({"packs": index})}


def check_language(paths: Collection[str], language: str | None) -> None:
    """Raises ConfigError if the profile names a language for which the page has no pack."""
    if language is None or SHIPPED.format(language) in paths:
        return
    known = sorted(path.removeprefix("/cues/").removesuffix(".json") for path in paths if path.startswith("/cues/"))
    names = ", ".join(name for name in known if name != "index" and _NAME.fullmatch(name))
    raise ConfigError(f"[display] language: there is no cue pack {language!r}; use one of {names}, or add it to cues")


def _read(path: Path) -> Pack:
    try:
        return msgspec.json.decode(read_small(path), type=Pack)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except UNREADABLE as error:
        raise ConfigError(f"{path}: {error}; correct this cue pack or remove it from the folder") from error
