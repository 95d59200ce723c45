"""Finds the newest recording of a machine, or of all of them, where the daemon puts them."""

from pathlib import Path

from monitor.playback.playback import PlaybackError
from monitor.profile.profile import Profile
from monitor.state.folders import recordings, state_root


def newest_recording(machine: str | None, profile: Profile | None = None) -> Path:
    """`profile` may have its own folder for recordings. Raises PlaybackError where there is none."""
    if profile is not None:
        machine = profile.machine.id
    root = state_root()
    folders = [root / machine] if machine else sorted(folder for folder in root.glob("*") if folder.is_dir())
    if profile is not None and profile.record.directory is not None:
        folders = [Path(profile.record.directory)]
    found = [path for folder in folders for path in recordings(folder)]
    if not found:
        whose = f" of {machine}" if machine else ""
        where = folders[0] if len(folders) == 1 else root
        raise PlaybackError(
            f"there is no recording{whose} in {where}: name a file, or set STATE_DIRECTORY as the daemon has it"
        )
    return max(found, key=lambda path: (path.parent.name, path.name))  # they are named by when they began
