"""Lists what a valid profile still lacks before `run` can use the machine."""

from pathlib import Path

from monitor.profile.profile import Profile


def lacks(profile: Profile, path: Path, port: str | None) -> list[str]:
    """One sentence for each, with the remedy; `port` is the profile's or one given beside it."""
    found = []
    if port is None:
        found.append(f"{path}: [serial] port is missing: add a by-id path from `rep-monitor ports`")
    if profile.calibration is None:
        found.append(f"{path}: Not calibrated yet: run `rep-monitor calibrate {path}`.")
    return found
