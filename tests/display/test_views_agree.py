"""Every view counts the same faults on every recording: replay, report (terminal and page), the trainer's view."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.__main__ import main
from monitor.vocabulary.table import ROWS
from tests import needs
from tests.browser import Browser, Page
from tests.display.stage import DisplayStage

RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.mcap"))
FAULT_NAMES = {row.name.en for row in ROWS if row.fault}
FAULT_KINDS = {
    "jerk", "drop", "unload", "slack", "tension_out", "speed_over", "force_ceiling", "lockout_rest", "bottom_rest",
    "stack_touch",
}  # fmt: skip
each_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def blank(browser: Browser, the_stage: DisplayStage) -> Iterator[Page]:
    """An empty page that can import the display's modules."""
    page = browser.open(the_stage.url + "icon.svg", width=100, height=100)
    yield page
    page.close()


def records_of(recording: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recording.with_suffix(".events.jsonl").read_text().splitlines()]


def faults_by_the_contract(recording: Path) -> int:
    """As section 15 of EVENTS.md has it, without the vocabulary."""
    last = {record["id"]: record for record in records_of(recording)}
    return sum(
        record["part_of"] is None
        and (record["kind"] in FAULT_KINDS or record.get("grade") in ("abrupt", "bounce"))
        and not record.get("ended_set", False)
        for record in last.values()
    )


def in_words(text: str) -> Counter[str]:
    """From a terminal's line `Faults  Heave 3, Dropped 2; as part of these: ...`, which may be broken into several."""
    found = re.search(r"^ *Faults +(.*?)^ *Skill", text, re.DOTALL | re.MULTILINE)
    words = " ".join(found[1].split()).partition(";")[0] if found else ""
    return Counter({name: int(n) for name, n in re.findall(r"([A-Z][a-z ]+?) (\d+)", words)})


def in_the_list(page: str) -> Counter[str]:
    """From the page's list of what was found: how often, once or several times."""
    items = re.findall(r"<b>([^<]+)</b> <span class=\"quiet\">(?:(once)|(\d+) times)(?! as part)", page)
    return Counter({html.unescape(name): int(n or 1) for name, _, n in items if name in FAULT_NAMES})


def in_the_marks(page: str) -> Counter[str]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found
    marks = json.loads(found[1])["marks"]
    return Counter(mark["name"] for mark in marks if mark["tone"] in ("leak", "rough") and "part_of" not in mark)


def in_the_model(page: Page, records: list[dict[str, Any]]) -> Counter[str]:
    """What the trainer's view knows when all of it has come over MQTT, record by record."""
    sent = [record | {"v": 1, "seq": seq, "historical": False} for seq, record in enumerate(records, 1)]
    names = page.evaluate(
        f"""(async () => {{
          const {{ Model }} = await import("/js/model.js");
          const {{ isFault, rowOf }} = await import("/js/kinds.js");
          const model = new Model();
          for (const record of {json.dumps(sent)}) model.heard(`event/${{record.kind}}`, record, false, record.found_s);
          return model.recent.map(({{ record }}) => record).filter(isFault).map((record) => rowOf(record).name.en);
        }})()"""
    )
    return Counter(names)


@needs.chromium
@each_recording
def test_every_view_counts_the_same_faults(
    recording: Path, blank: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recording)]) == 0
    replay = in_words(capsys.readouterr().out)
    assert main(["report", str(recording)]) == 0
    report = in_words(capsys.readouterr().out)
    assert main(["report", str(recording), "-o", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text()
    views = [replay, report, in_the_list(page), in_the_marks(page), in_the_model(blank, records_of(recording))]
    assert views == [replay] * len(views)
    assert replay.total() == faults_by_the_contract(recording)


@each_recording
def test_a_sets_own_counts_are_these_faults(recording: Path) -> None:
    counted = {row.counted_as for row in ROWS if row.fault}
    ends = [record for record in records_of(recording) if record["kind"] == "set_end"]
    outside = [record for record in records_of(recording) if record["set"] is None and record["kind"] in FAULT_KINDS]
    assert not outside
    assert sum(end["counts"].get(key, 0) for end in ends for key in counted) == faults_by_the_contract(recording)
