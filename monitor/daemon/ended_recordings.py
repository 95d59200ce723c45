"""The recordings of sessions that have ended, until the disk has them."""

from monitor.record.recorder import Recorder
from monitor.worker_thread import finished


class EndedRecordings:
    """Each recorder writes the rest in its own thread."""

    def __init__(self) -> None:
        self._recorders: list[Recorder] = []

    def add(self, recorder: Recorder | None) -> None:
        """Ends the recording; None if the session was not recorded."""
        if recorder is not None:
            recorder.end()
            self._recorders.append(recorder)

    def release(self) -> None:
        """Releases what is written. Raises RuntimeError after a programming error in a recorder's thread."""
        self._recorders = [recorder for recorder in self._recorders if not recorder.ended]

    async def written(self) -> None:
        """Waits for the disk, however slow it is. Raises RuntimeError as `release`."""
        await finished(self._close)

    def _close(self) -> None:
        for recorder in self._recorders:
            recorder.close()
