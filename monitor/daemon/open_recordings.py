"""The recordings that the disk does not have to their end yet."""

from collections.abc import Iterator

from monitor.record.recorder import Recorder
from monitor.worker_thread import finished


class OpenRecordings:
    """Each recorder writes in its own thread, and goes on after its session has ended."""

    def __init__(self) -> None:
        self._recorders: list[Recorder] = []

    def add(self, recorder: Recorder | None) -> None:
        """A recording begins; None if the session is not recorded."""
        if recorder is not None:
            self._recorders.append(recorder)

    def release(self) -> None:
        """Releases what is written. Raises RuntimeError after a programming error in a recorder's thread."""
        self._recorders = [recorder for recorder in self._recorders if not recorder.ended]

    async def written(self) -> None:
        """Ends them all, and waits for the disk, however slow it is. Raises RuntimeError as `release`."""
        await finished(self._close)

    def missing(self) -> Iterator[str]:
        """A sentence on each."""
        for status in [recorder.status for recorder in self._recorders]:
            if status.state != "closed":
                yield f"{status.path} may lack its end: `rep-monitor recover {status.path}` writes a clean copy"

    def _close(self) -> None:
        for recorder in self._recorders:
            recorder.end()
        for recorder in self._recorders:
            recorder.close()
