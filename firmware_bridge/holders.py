"""Finds the processes that have a device open, as far as this user may see them."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has the device open."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def holders(port: str, proc: Path = Path("/proc")) -> list[Holder]:
    """Every other process that has the port open. Only root sees those of other users."""
    device = os.path.realpath(port)
    found = []
    for process in sorted(proc.iterdir()):
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if any(_leads_to(link, device) for link in (process / "fd").iterdir()):
                found.append(Holder(int(process.name), _command(process)))
        except OSError:  # another user's, or ended meanwhile
            continue
    return sorted(found, key=lambda holder: holder.pid)


def _leads_to(link: Path, device: str) -> bool:
    try:
        return os.readlink(link) == device
    except OSError:  # closed meanwhile
        return False


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().split(b"\0")
    name = Path(os.fsdecode(words[0])).name
    if name.startswith("python") and len(words) > 2:  # name the script, not its interpreter
        script = words[2] if words[1] == b"-m" else words[1]
        name = Path(os.fsdecode(script)).name or name
    return name or (process / "comm").read_text().strip()
