"""Makes a study: finds the recordings, replays those that are not in the dataset yet, and writes their tables."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from monitor.study.dataset import Dataset
from monitor.study.errors import StudyError
from monitor.study.replaying import digest_of
from monitor.study.workers import batches, in_processes, on_scheduler

Progress = Callable[[int, int], None]  # finished recordings, of all


def recordings_in(folders: Iterable[Path]) -> list[Path]:
    """All recordings in the folders, and files named themselves, sorted. Raises StudyError."""
    found: set[Path] = set()
    for folder in folders:
        if folder.is_dir():
            found |= set(folder.rglob("*.mcap"))
        elif folder.is_file():
            found.add(folder)
        else:
            raise StudyError(f"{folder} does not exist: name folders with recordings (.mcap)")
    return sorted(path.resolve() for path in found)


def make_study(
    folders: Sequence[Path], out: Path, *, workers: int, scheduler: str | None, progress: Progress
) -> tuple[int, int]:
    """Completes the dataset. Returns how many recordings were found, and how many of these were new.

    Copies of a recording count once. Raises StudyError, OSError.
    """
    paths = recordings_in(folders)
    if not paths:
        raise StudyError(f"there is no recording (.mcap) in {', '.join(map(str, folders))}")
    with Dataset(out) as dataset:
        done = dataset.done()
        known = {digest_of(path): str(path) for path in reversed(paths)}
        missing = sorted((item for item in known.items() if item[0] not in done), key=lambda item: item[1])
        work = batches(missing, workers)
        progress(0, len(missing))
        finished = 0
        for batch, tables in on_scheduler(work, scheduler) if scheduler else in_processes(work, workers):
            dataset.add(batch, tables)
            finished += len(batch)
            progress(finished, len(missing))
    return len(known), len(missing)
