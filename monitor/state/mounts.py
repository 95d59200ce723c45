"""Warns of a file system that can lose data after it has confirmed a sync.

Images for small boards often use mount options that trade safety for speed. With them two databases in the field were
corrupt after a power cut, although the program had synced them.
"""

import re
from pathlib import Path

LONGEST_COMMIT_S = 30
_RISKS = {"data=writeback", "barrier=0", "nobarrier"}
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mount_warning(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """One sentence with the remedy, or None if the mount is safe or the table of mounts cannot be read."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    mount = _mount_of(directory.resolve(), lines)
    if mount is None:
        return None
    point, kind, options = mount
    if kind in ("tmpfs", "ramfs"):
        return f"{directory} is in memory ({kind} on {point}): a power cut erases it; choose a folder on a disk"
    if risks := [option for option in options if option in _RISKS or _commits_late(option)]:
        what = f"{directory} is on {point}, mounted with {', '.join(risks)}"
        return f"{what}: a power cut can destroy stored data; remove these options from /etc/fstab"
    return None


def _mount_of(where: Path, lines: list[str]) -> tuple[Path, str, list[str]] | None:
    """The innermost mount that contains the folder; of several at the same point the last, which hides the others."""
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
