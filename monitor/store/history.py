"""The last sets of a machine, oldest first, for the trainer's page and for reports."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.store.store import Store

SESSIONS = 60


def last_sets(store: Store) -> dict[str, Any]:
    """`{"v": 1, "sets": [set_end records with ended_utc]}`, without lifters. Waits for the disk; raises StoreError."""
    rows = [row for session in store.sessions(limit=SESSIONS) for row in store.sets(session.session)]
    rows.sort(key=lambda row: row.stored_unix_s)
    return {
        "v": 1,
        "sets": [
            {**msgspec.json.decode(row.record), "ended_utc": datetime.fromtimestamp(row.stored_unix_s, UTC).isoformat()}
            for row in rows
        ],
    }
