"""Hostile text in a recording or a profile stays text on the page."""

from pathlib import Path

import msgspec
import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.playback.playback import open_playback
from monitor.playback.reporting import gather
from monitor.record.session_reader import read_session
from monitor.report.markup import Markup, element, json_in_script
from monitor.report.report_page import report_page
from monitor.report.session_story import story_of
from tests import needs
from tests.report.conftest import RECORDINGS, SharedPage
from tests.report.copies import CLEAN_RECORDING, copy

EVIL = "</script><script>globalThis.taken = 1</script><img src=x onerror='globalThis.taken = 2'>\"'&<!--\u2028$title"


def test_text_is_escaped() -> None:
    markup = element("td", EVIL, element("b", "&"), title=EVIL, data_x=1, hidden=True, class_=None)
    assert isinstance(markup, Markup)
    assert markup.count("<") == 4
    assert markup.startswith('<td title="&lt;/script&gt;')
    assert ' data-x="1" hidden>' in markup


def test_json_inside_a_script_stays_json() -> None:
    packed = json_in_script(msgspec.json.encode({"a": EVIL}))
    assert not set("<>&\u2028") & set(packed)
    assert msgspec.json.decode(packed.encode()) == {"a": EVIL}


def test_a_hostile_machine_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = read_session(CLEAN_RECORDING).header
    assert header
    profile = {**header.profile, "machine": {**header.profile["machine"], "id": EVIL}}
    recording = copy(tmp_path / "r.mcap", {"profile": profile})
    assert main(["report", str(recording), "-o", str(tmp_path / "r.html")]) == ExitCode.BAD_INPUT
    assert not (tmp_path / "r.html").exists()
    assert "[machine] id" in capsys.readouterr().err


@needs.chromium
def test_no_hostile_text_runs(tmp_path: Path, the_page: SharedPage) -> None:
    """Every free text of the header is hostile, and so is an event."""
    header = read_session(CLEAN_RECORDING).header
    assert header
    profile = {**header.profile, "serial": {"port": EVIL}, "mqtt": {"host": EVIL}}
    free = {"session": EVIL, "created_utc": EVIL, "profile": profile, "provenance": {EVIL: EVIL}, "machine": EVIL}
    assert main(["report", str(copy(tmp_path / "r.mcap", free)), "-o", str(tmp_path / "header.html")]) == 0
    playback = open_playback(RECORDINGS / "unplugged.mcap", None)
    playback.session = EVIL
    gathered = gather(playback, lambda _done: None)
    records = [
        msgspec.structs.replace(event, detail=EVIL) if event.kind == "sensor_fault" else event
        for event in gathered.records
    ]
    page = report_page(gathered, story_of(records), began_utc=EVIL, losses=[EVIL])
    (tmp_path / "event.html").write_text(page)
    for name in ("header", "event"):
        shown = the_page.open(tmp_path / f"{name}.html")
        assert shown.evaluate("typeof globalThis.taken") == "undefined"
        assert shown.evaluate("document.images.length") == 0
        assert shown.evaluate("document.scripts.length") == 2
        assert shown.console == []
    fault = "report.data.marks.find((mark) => mark.kind === 'sensor_fault').id"
    shown.evaluate(f"document.querySelector(`.mark[data-id='${{{fault}}}']`).focus()")
    assert EVIL.replace("\u2028", "") in shown.evaluate("document.querySelector('#tip').textContent").replace(
        "\u2028", ""
    )
    assert shown.evaluate("typeof globalThis.taken") == "undefined"


@needs.chromium
def test_the_policy_alone_stops_a_script(tmp_path: Path, the_page: SharedPage) -> None:
    """Without the escaping, which the test removes."""
    assert main(["report", str(CLEAN_RECORDING), "-o", str(tmp_path / "r.html")]) == 0
    text = (tmp_path / "r.html").read_text()
    inside = "<script>globalThis.taken = 1</script><img src=x onerror='globalThis.taken = 2'>"
    (tmp_path / "r.html").write_text(text.replace("<footer", inside + "<footer"))
    shown = the_page.open(tmp_path / "r.html")
    assert shown.evaluate("typeof globalThis.taken") == "undefined"
    assert len(shown.console) >= 2  # it was tried, and refused
