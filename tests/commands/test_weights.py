"""Weights are shown in kg or lb by choice, wherever a person reads; what a program reads stays in newtons."""

import json
import re
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.events import Feedback, SetEnd
from monitor.profile.derived import derived
from monitor.profile.profile import DisplaySettings, MachineSettings, Profile
from monitor.profile.weights import shown_in
from monitor.report.live_lines import event_words, load_words
from tests.display.stage import CALM, LEAK

CLEAN = str(Path(__file__).parents[1] / "recordings" / "clean.mcap")  # 80 kg, 784 N
KG = re.compile(r"\bkg\b")


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["replay", "report"])
def test_a_terminal_shows_pounds_where_they_are_chosen(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "80.0 kg" in printed(capsys, command, CLEAN)
    pounds = printed(capsys, command, CLEAN, "--weights", "lb")
    assert "176.4 lb" in pounds
    assert not KG.search(pounds)
    assert "80.0 kg" in printed(capsys, command, CLEAN, "--weights", "kg")  # a choice holds for one command


def test_the_profile_chooses_and_the_command_overrides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "m.toml"
    machine = '[machine]\nid = "m"\nkind = "stack"\nworking_load_n = 784.5\n'
    profile.write_text(machine + '[protocol]\nname = "4/4"\n[display]\nunits = "lb"\n')
    assert "784 N (176 lb)" in printed(capsys, "config", "check", str(profile)).replace("785", "784")
    assert "176" in printed(capsys, "report", CLEAN, "--config", str(profile))
    assert " lb" not in printed(capsys, "report", CLEAN, "--config", str(profile), "--weights", "kg")


def test_the_report_page_is_in_pounds_throughout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    printed(capsys, "report", CLEAN, "-o", str(out), "--weights", "lb")
    text = out.read_text()
    body, data = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL), text.split('id="data">')[1]
    assert "784 N (176.4 lb)" in body
    assert not KG.search(body)
    drawn = json.loads(data.split("</script>")[0])
    assert drawn["weight_unit"] == "lb"
    assert drawn["stretches"][0]["load"] == pytest.approx(176.4, abs=0.1)


def test_tables_and_events_stay_in_newtons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With another unit, a replay writes the same events byte for byte."""
    for unit in ("kg", "lb"):
        printed(capsys, "replay", CLEAN, "--weights", unit, "--events", str(tmp_path / f"{unit}.jsonl"))
    assert (tmp_path / "kg.jsonl").read_bytes() == (tmp_path / "lb.jsonl").read_bytes()


def test_live_lines_of_watch_and_demo() -> None:
    """`watch` and `demo` print these lines."""
    now: Feedback = CALM
    end = SetEnd(
        id=1, session="s", set=1, t_s=60.0, found_s=60.0, duration_s=0.0, rep=None, phase="rest", position_m=0.2,
        reps=6, partial_reps=0, clean_reps=3, set_s=62.4, under_load_s=62.4, under_tension_s=47.1, leak=LEAK, counts={},
        working_load_n=804.0, working_load_from="learned", friction=0.08, friction_from="learned", skill=0.7,
        strength_n=804.0, outcome="ended",
    )  # fmt: skip
    assert load_words(now) == "82.0 kg, learned"
    with shown_in("lb"):
        assert load_words(now) == "180.7 lb, learned"
        assert "at 180.7 lb" in str(event_words(end))


def test_derived_numbers_follow_the_profile() -> None:
    machine = MachineSettings(id="m", kind="stack", working_load_n=784.5)
    assert derived(Profile(machine=machine))["load"].endswith("(80 kg)")
    assert derived(Profile(machine=machine, display=DisplaySettings(units="lb")))["load"].endswith("(176 lb)")
