"""The marks of a report, expected or shown."""

import json
from typing import Any

from tests.browser import Page
from tests.report.conftest import RECORDINGS


def events_of(name: str) -> dict[int, dict[str, Any]]:
    """The last record of each event of a committed recording."""
    lines = (RECORDINGS / f"{name}.events.jsonl").read_text().splitlines()
    return {record["id"]: record for record in map(json.loads, lines)}


def shown(page: Page) -> list[int]:
    marks = page.evaluate("[...document.querySelectorAll('.mark[data-id]:not(.out)')].map((mark) => mark.dataset.id)")
    return sorted(map(int, marks))
