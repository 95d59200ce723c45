"""The files of the page: all are in the wheel, and each script is small and says its purpose."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from monitor.report.report_page import SCRIPTS

ROOT = Path(__file__).parents[2]


def test_it_is_in_the_wheel(tmp_path: Path) -> None:
    page = ROOT / "monitor" / "report" / "page"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        shipped = set(wheel.namelist())
    names = {path.name for path in page.iterdir()}
    assert names == {*SCRIPTS, "report.html", "report.css", "paper.css", "timeline.html"}
    assert {f"monitor/report/page/{name}" for name in names} <= shipped


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_begins_with_its_purpose_and_stays_small(name: str) -> None:
    lines = (ROOT / "monitor" / "report" / "page" / name).read_text().splitlines()
    assert next(line for line in lines if line != '"use strict";').startswith("// ")
    assert len(lines) <= 240
    assert max(map(len, lines)) <= 120
    assert "9.8" not in "".join(lines)  # the data contains the weight of a kilogram in newtons
