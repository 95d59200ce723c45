"""Whether the file system under a folder keeps what it says is on disk.

Images for small boards are often shipped with mount options that trade this for speed; with them two databases in the
field came back corrupt after a power cut, whatever the program had synced.
"""

import re
from pathlib import Path

LONGEST_COMMIT_S = 30
_RISKS = {"data=writeback", "barrier=0", "nobarrier"}
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mount_warning(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """One sentence with the remedy, or None. Where there is no such table nothing is known, and nothing said."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    mount = _mount_of(directory.resolve(), lines)
    if mount is None:
        return None
    point, kind, options = mount
    if kind in ("tmpfs", "ramfs"):
        return f"{directory} lies in memory ({kind} on {point}): nothing there outlives a power cut; choose a disk"
    if risks := [option for option in options if option in _RISKS or _commits_late(option)]:
        what = f"{directory} lies on {point}, mounted with {', '.join(risks)}"
        return f"{what}: a power cut may cost what was stored; remove that from /etc/fstab"
    return None


def _mount_of(where: Path, lines: list[str]) -> tuple[Path, str, list[str]] | None:
    """Of those that cover the folder the innermost, and of several there the last, which lies on top."""
    found = None
    for line in lines:
        _, escaped, kind, options, *_ = line.split(" ")
        point = Path(_ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), escaped))
        if where.is_relative_to(point) and (found is None or len(point.parts) >= len(found[0].parts)):
            found = point, kind, options.split(",")
    return found


def _commits_late(option: str) -> bool:
    name, _, value = option.partition("=")
    return name == "commit" and value.isdecimal() and int(value) > LONGEST_COMMIT_S
