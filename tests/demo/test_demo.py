"""`rep-monitor demo` leaves nothing behind, or with --keep a readable recording."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from tests.mqtt.brokers import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0  # until the simulated lifter moves, which takes 3 s, on a loaded machine


@contextmanager
def demo(tmp_path: Path, *words: str, tempo: str | None = "2/4") -> Iterator["subprocess.Popen[str]"]:
    """The demo with its own state folder and temporary folder."""
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "monitor", "demo", *(["--tempo", tempo] if tempo else []), *words]
    places = {"STATE_DIRECTORY": str(tmp_path / "state"), "TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | places, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_a_recording(process: "subprocess.Popen[str]", folder: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not list(folder.rglob("*.mcap")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s, "nothing is recorded"
        time.sleep(0.05)


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Ends it. Returns its output."""
    process.send_signal(number)
    out, err = process.communicate(timeout=2 * PATIENCE_S)
    assert (process.returncode, err) == (ExitCode.DONE, "")
    return out


def test_a_simulated_lifter_is_in_no_report_and_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its terminal is closed; the other tests end it with Ctrl-C."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    with demo(tmp_path) as process:
        wait_for_a_recording(process, tmp_path)
        assert main(["report", "--last"]) == ExitCode.BAD_INPUT, "while it runs"
        out = end(process, signal.SIGHUP)
    assert out.splitlines()[-1] == "Stopped. The recordings are deleted; --keep keeps them."
    assert list(tmp_path.rglob("*")) == [tmp_path / "tmp"]
    assert main(["report", "--last"]) == main(["backup", str(tmp_path / "b.zip")]) == ExitCode.BAD_INPUT
    assert "there is no recording" in capsys.readouterr().err


def test_with_keep_it_prints_the_place_of_its_recording_and_how_to_read_it(tmp_path: Path) -> None:
    with demo(tmp_path, "--keep") as process:
        wait_for_a_recording(process, tmp_path)
        sentence, command = end(process, signal.SIGINT).splitlines()[-2:]
    (folder,) = (tmp_path / "tmp").iterdir()
    assert sentence == f"Stopped. The recordings of the simulated machine are in {folder}. To look at one:"
    words = shlex.split(command)
    assert re.fullmatch(r"(.*/)?rep-monitor report .*\.mcap", " ".join(words))
    assert shutil.which(words[0])
    assert main(words[1:]) == ExitCode.DONE
    assert not (tmp_path / "state").exists()


def test_the_gym_has_a_page_for_each_machine(tmp_path: Path) -> None:
    with demo(tmp_path, "--gym", "--port", str(free_port()), tempo=None) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "Ada, Ben, Cleo" in first
        shown_gym = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/)#([0-9A-Z]{6})  .*\n", process.stdout.readline())
        assert shown_gym is not None
        assert _names_at(*shown_gym.groups()) == ["Ada", "Ben", "Cleo"]
        for machine in ("leg-press", "chest-press", "pulldown", "row"):
            name, url = process.stdout.readline().split()
            with urllib.request.urlopen(f"{url}config.json", timeout=PATIENCE_S) as answer:
                shown = json.load(answer)
            assert (name, shown["machine"], shown["root"], shown["mode"]) == (machine, machine, "rep", "embedded")
        wait_for_a_recording(process, tmp_path)
        collected, stopped = end(process, signal.SIGINT).splitlines()[-2:]
    assert re.fullmatch(r"Sets in the gym's database, by client: Ada \d+, Ben \d+, Cleo \d+", collected)
    assert stopped == "Stopped. The recordings are deleted; --keep keeps them."
    assert list((tmp_path / "tmp").iterdir()) == []


def _names_at(gym_url: str, code: str) -> list[str]:
    """The clients that a trainer sees who opens the gym's page with the code, in two browsers."""
    for _ in range(2):  # the code stays valid
        with httpx.Client(base_url=gym_url, timeout=PATIENCE_S) as screen:
            assert screen.get("/").text.startswith("<!doctype html>")
            assert screen.post("/api/pair", json={"code": code}).status_code == 204
            names = [client["name"] for client in screen.get("/api/clients").json()]
    return names


@pytest.mark.parametrize("more", ["--firmware", "--tempo=2/4"])
def test_the_gym_has_its_own_machines(more: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--gym", more]) == ExitCode.BAD_INPUT
    assert "give neither --firmware nor --tempo" in capsys.readouterr().err
