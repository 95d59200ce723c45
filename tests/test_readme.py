"""The README: its commands print what it shows, its links exist, its exit statuses are those of the commands."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from monitor.__main__ import COMMANDS
from monitor.exit_codes import TABLE
from monitor.store.store import Store
from tests.ctrl_c import hears_ctrl_c

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = sorted(
    ROOT / name
    for name in subprocess.check_output(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, text=True
    ).split()
    if "vendor" not in name and name != "CHANGELOG.md"
)
STEP = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
LASTING = "rep-monitor watch"
MACHINE = "leg-press"
OWN_NAME = f"leg-press-{os.getpid()}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the README names, and the command at the place where `make` installs it."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copytree(ROOT / "tests" / "recordings", tmp_path / "tests" / "recordings")
    command = tmp_path / ".venv" / "bin" / "rep-monitor"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m monitor "$@"\n')
    command.chmod(0o755)
    return tmp_path


def printed_by(words: str, wanted: str, where: dict[str, Any]) -> str:
    """The output of the command until it matches; a command that does not end is then interrupted."""
    said = ""
    process: subprocess.Popen[str]
    with subprocess.Popen(f"exec {words}", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **where) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if LASTING in words and re.search(wanted, said):
                process.send_signal(signal.SIGINT)
                break
        said += process.stdout.read()
    assert re.search(wanted, said), f"{words} printed\n{said}"
    assert process.returncode == 0, f"{words} ended with {process.returncode}"
    return said


def test_its_commands_print_what_it_shows(folder: Path) -> None:
    """In their order; the machine has its own name here, so that it differs from those of other tests."""
    steps = [step for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for step in STEP.findall(block)]
    assert len(steps) >= 7
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
    environment.pop("STATE_DIRECTORY", None)
    where: dict[str, Any] = {"shell": True, "cwd": folder, "env": environment, "text": True}
    where["preexec_fn"] = hears_ctrl_c
    profile = folder / "configs" / "leg_press.toml"
    profile.write_text(profile.read_text().replace(f'id = "{MACHINE}"', f'id = "{OWN_NAME}"'))
    with contextlib.ExitStack() as stack:
        for command, shown in steps:
            if "recordings" not in command:
                command, shown = command.replace(MACHINE, OWN_NAME), shown.replace(MACHINE, OWN_NAME)
            words = command.replace("/tmp", str(folder))
            wanted = r"(?s:.*?)".join(map(re.escape, shown.strip("\n").split("...")))
            wanted = wanted.replace(r"rep\ 1:", r"rep\ \d+:")  # on a loaded machine `watch` may begin later in the set
            if words.endswith("&"):
                process = subprocess.Popen(f"exec {words[:-1]}", stdout=subprocess.DEVNULL, **where)
                stack.callback(ended, process)
                while "--link" in words and not (folder / OWN_NAME).exists():
                    assert process.poll() is None
                    time.sleep(0.05)
            else:
                printed_by(words, wanted, where)
    report = (folder / "session.html").read_text()
    assert "<title>Training report, faults</title>" in report
    assert "Set 1" in report
    head, *rows = (folder / "clean.samples.csv").read_text().splitlines()
    assert head.startswith("t_s,")
    assert len(rows) > 50 * 250  # 53 s at 250 Hz and more
    assert {event["kind"] for event in stored(folder, OWN_NAME)} >= {"turnaround", "rep"}  # machine and daemon have met


def stored(folder: Path, machine: str) -> list[dict[str, Any]]:
    """The events in the store of the daemon that was run."""
    (path,) = (folder / "state").rglob(f"{machine}/**/events.db")
    with Store(path, read_only=True) as store:
        return [json.loads(row.record) for row in store.after(0, 1000)]


def ended(process: "subprocess.Popen[str]") -> None:
    """Sends Ctrl-C, and expects a clean end."""
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 130)


def test_its_make_commands_are_run_by_others() -> None:
    """`make demo` is tested by tests/display/test_page_live.py; `make test` runs this test."""
    blocks = re.findall(r"```\n(make .*?)\n```", README)
    assert blocks == ["make demo", "make test"]


def test_the_commands_of_all_pages_exist() -> None:
    makefiles = (ROOT / "Makefile", ROOT / "firmware_bridge" / "firmware" / "Makefile")
    lines = "\n".join(re.sub(r"\$\(\w+\)", "", path.read_text()) for path in makefiles)
    targets = {name for line in re.findall(r"^([a-z ]+):", lines, re.MULTILINE) for name in line.split()}
    for page in PAGES:
        code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(), re.DOTALL))
        assert set(re.findall(r"(?m)(?:^|`|sudo |; )make (?:-C \S+ )?([a-z]+)", code)) <= targets, page
        for name in re.findall(r"\brep-monitor ([a-z]+)\b(?!@)", code):
            assert name in COMMANDS, f"{page}: rep-monitor {name}"


def test_the_links_of_all_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page}: {link}"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_its_table_of_exit_statuses_is_the_commands() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE))
    assert rows == {str(int(code)): meaning for code, meaning in TABLE.items()}
