"""Who has a device open, as far as this user may see."""

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
    """Every other process with the port open. Those of other users are seen by root alone."""
    device = os.path.realpath(port)
    found = []
    for process in sorted(proc.iterdir()):
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if any(_leads_to(link, device) for link in (process / "fd").iterdir()):
                found.append(Holder(int(process.name), _command(process)))
        except OSError:  # another user's, or it has just ended
            continue
    return sorted(found, key=lambda holder: holder.pid)


def _leads_to(link: Path, device: str) -> bool:
    try:
        return os.readlink(link) == device
    except OSError:  # closed in the meantime
        return False


def _command(process: Path) -> str:
    words = (process / "cmdline").read_bytes().split(b"\0")
    name = Path(os.fsdecode(words[0])).name
    if name.startswith("python") and len(words) > 2:  # say the script, not its interpreter
        script = words[2] if words[1] == b"-m" else words[1]
        name = Path(os.fsdecode(script)).name or name
    return name or (process / "comm").read_text().strip()
