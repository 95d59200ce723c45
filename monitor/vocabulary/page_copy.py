"""Writes the tables of the vocabulary as a JavaScript module for the page.

The layout is that of the formatter for the page's scripts (`.ci/javascript`).
"""

import json
from collections.abc import Mapping
from typing import Any

from monitor.vocabulary.cues import CUES
from monitor.vocabulary.leaks import CLEAN, CLEAN_SO_FAR, LEAKS
from monitor.vocabulary.rows import Row
from monitor.vocabulary.table import ROWS

LINE_WIDTH = 120
HEAD = """\
// The vocabulary: every kind of event, its name, tone, fault or not, cue and remedy.
//
// Written by `python -m monitor.vocabulary` from the tables in monitor/vocabulary: change it there.
"""


def page_copy() -> str:
    """Returns the whole file."""
    constants = {
        "ROWS": [_row(row) for row in ROWS],
        "CUES": [cue._asdict() for cue in CUES],
        "LEAKS": {field: words._asdict() for field, words in LEAKS.items()},
        "CLEAN": CLEAN._asdict(),
        "CLEAN_SO_FAR": CLEAN_SO_FAR._asdict(),
    }
    return HEAD + "".join(
        f"\nexport const {name} = {_literal(value, 0, len(f'export const {name} = '))};\n"
        for name, value in constants.items()
    )


def _row(row: Row) -> dict[str, Any]:
    """The columns that the page needs; empty ones are left out."""
    every = {
        "key": row.key,
        "kind": row.kind,
        "when": dict(row.when),
        "tone": row.tone,
        "fault": row.fault,
        "listed": row.listed,
        "icon": row.icon,
        "cue": row.cue,
        "leak": row.leak,
        "rank": row.rank,
        "counted_as": row.counted_as,
        "cost_s": row.cost_s or None,
        "name": row.name._asdict(),
        "remedy": row.remedy._asdict() if row.remedy else None,
    }
    return {key: value for key, value in every.items() if value is not None and value != {}}


def _literal(value: Any, depth: int, before: int) -> str:
    """On one line if it fits after `before` characters, else with a line for each entry."""
    flat = _flat(value)
    if 2 * depth + before + len(flat) + 1 <= LINE_WIDTH:
        return flat
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, Mapping):
        lines = [f"{inner}{key}: {_literal(item, depth + 1, len(key) + 2)},\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + outer + "}"
    return "[\n" + "".join(f"{inner}{_literal(item, depth + 1, 0)},\n" for item in value) + outer + "]"


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key}: {_flat(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
