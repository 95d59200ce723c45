"""A new kind of event costs few places: the test adds one to a copy of the product, and every view shows it.

The places are the list in CONTRIBUTING.md ("Add a kind of event"); the page's copy of the vocabulary is generated.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "tests" / "recordings" / "clean.mcap"
PLACES_AT_MOST = 6

STRUCT = '''
class Midway(Event, frozen=True, kw_only=True, tag="midway"):
    """A repetition is over."""

    range_m: float


AnyEvent = (
    Midway |'''
DETECTOR = '''"""The test's own kind of event."""

from monitor.detect.detector import Detection, Findings
from monitor.detect.moment import NEVER, Moment
from monitor.events import Midway


class MidwayDetector:
    """`midway`."""

    watches = 0
    due = NEVER

    def update(self, moment: Moment) -> Findings:
        if moment.rep_finished is None:
            return ()
        now = moment.now
        return (Detection(Midway(**moment.stamp(now, now), range_m=moment.limits.range_m), now, now),)
'''
ROW = """ROWS = (
    Row(
        "midway",
        tone="rough",
        lane="heaves",
        icon="heave",
        name=Words("Midway kind", "Zwischenart"),
        why="A test added it.",
        remedy=Words("Nothing.", "Nichts."),
    ),"""
EDITS = {  # place: (old text, new text)
    "monitor/events.py": ("\nAnyEvent = (\n   ", STRUCT),
    "monitor/detect/panel.py": (
        "        LessonDetector(teacher),\n",
        "        LessonDetector(teacher),\n        MidwayDetector(),\n",
    ),
    "monitor/vocabulary/table.py": ("ROWS = (", ROW),
    "monitor/report/words.py": (
        "        case Stage(stage=stage",
        '        case Midway(range_m=range_m):\n            return f"{range_m:.2f} m"\n        case Stage(stage=stage',
    ),
}
IMPORTS = {
    "monitor/detect/panel.py": ("from monitor.detect.phase", "from monitor.detect.midway import MidwayDetector\n"),
    "monitor/report/words.py": ("from monitor.events import (\n", "from monitor.events import Midway\n"),
}


def insert(path: Path, there: str, then: str) -> None:
    text = path.read_text()
    assert text.count(there) == 1, f"{path}: {there!r} is there {text.count(there)} times"
    path.write_text(text.replace(there, then))


def run(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=100).stdout


def test_a_new_kind_costs_few_places(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("build", "*.pyc.*")  # the latter: bytecode that another process is writing
    for name in ("firmware_bridge", "monitor"):  # with the bytecode, which stays valid for files that are not changed
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name, (there, then) in EDITS.items():
        insert(tmp_path / name, there, then)
    for name, (there, line) in IMPORTS.items():
        insert(tmp_path / name, there, line + there)
    (tmp_path / "monitor/detect/midway.py").write_text(DETECTOR)
    assert len(EDITS) + 1 <= PLACES_AT_MOST

    run(tmp_path, "monitor.vocabulary")
    assert "midway" in (tmp_path / "monitor/display/page/js/vocabulary.js").read_text()
    said = run(tmp_path, "monitor", "replay", str(RECORDING), "--events", "out.jsonl")
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [event["range_m"] for event in found if event["kind"] == "midway"] == pytest.approx([0.45] * 5)
    (end,) = (event for event in found if event["kind"] == "set_end")
    assert end["counts"]["midway"] == 5
    assert re.search(r"Midway kind\s+0\.45 m", said)
    report = run(tmp_path, "monitor", "report", str(RECORDING), "-o", "out.html")
    assert "out.html" in report
    assert "Midway kind" in (tmp_path / "out.html").read_text()


def test_the_list_of_places_is_complete() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    section = text.partition("## Add a kind of event")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(monitor/[\w./]+)`", section))
    assert set(EDITS) <= named
    assert len(re.findall(r"^\d\. ", section, re.MULTILINE)) <= PLACES_AT_MOST
