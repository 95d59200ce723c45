"""Removes events and recordings beyond the limits of age and size in the profile.

    tidy()      once an hour, in a thread that may wait for the disk

A refusal of the disk is counted and logged, and the next call tries again. A wall clock that is behind removes nothing;
today's recordings and the newest events stay in any case.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path

from monitor.profile.profile import Profile
from monitor.record.retention import remove_old
from monitor.store.store import Store

GB = 1_000_000_000
_log = logging.getLogger(__name__)


class Housekeeper:
    """Counts `removed_days`, `removed_events` and `failures` since the daemon's start."""

    def __init__(self, profile: Profile, store: Store, recordings: Path) -> None:
        self.removed_days = 0
        self.removed_events = 0
        self.failures = 0
        self._profile = profile
        self._store = store
        self._recordings = recordings

    def tidy(self) -> None:
        """Raises StoreError; the caller tries again later."""
        self._remove_recordings()
        events = self._profile.events
        self.removed_events += self._store.prune(events.keep_days, events.keep_records)

    def _remove_recordings(self) -> None:
        record = self._profile.record
        try:
            gone = remove_old(
                self._recordings,
                datetime.now(UTC).date(),
                keep_days=record.keep_days,
                keep_bytes=_bytes(record.keep_gb),
                keep_free_bytes=_bytes(record.keep_free_gb),
            )
        except OSError as error:
            self.failures += 1
            _log.warning("old recordings in %s cannot be removed: %s", self._recordings, error.strerror)
            return
        self.removed_days += len(gone)
        for day in gone:
            _log.warning("removed the recordings of %s, by [record] keep_days, keep_gb and keep_free_gb", day.name)


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else round(gigabytes * GB)
