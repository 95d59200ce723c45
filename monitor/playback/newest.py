"""Finds the newest recording of a machine, or of all machines, in the folders of the daemon."""

from pathlib import Path

from monitor.playback.playback import PlaybackError
from monitor.profile.profile import Profile
from monitor.state.folders import recordings, state_root


def newest_recording(machine: str | None, profile: Profile | None = None) -> Path:
    """`profile` may name a folder for recordings. Raises PlaybackError if there is no recording."""
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
            f"there is no recording{whose} in {where}: name a file, or set STATE_DIRECTORY to the daemon's folder"
        )
    return max(found, key=lambda path: (path.parent.name, path.name))  # the names contain the time of the beginning
