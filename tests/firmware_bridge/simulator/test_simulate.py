"""`rep-monitor simulate`, and its machine for a profile."""

import os
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.framing import frame
from firmware_bridge.formats.messages import StartStream
from firmware_bridge.simulator import Trace
from monitor.__main__ import main
from monitor.demo.simulated import kit_of, machine_of, traces_of
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins

PROFILE = """
[machine]
id = "press"
kind = "stack"
bottom_m = 0.03
top_m = 0.5
[protocol]
positive_s = 2
negative_s = 4
"""


def profile_of(machine: dict[str, Any], **tables: dict[str, Any]) -> Profile:
    protocol = tables.pop("protocol", {"positive_s": 2, "negative_s": 4})
    return profile_from_builtins({"machine": {"id": "m", "kind": "stack"} | machine, "protocol": protocol, **tables})


def first(profile: Profile, seconds: float, seed: int = 1) -> Trace:
    return Trace.joined(list(islice(traces_of(profile, seed, rows=100), round(seconds * 10))))


def test_the_command_streams_until_it_is_interrupted(tmp_path: Path) -> None:
    config, link = tmp_path / "press.toml", tmp_path / "port"
    config.write_text(PROFILE)
    command = [
        sys.executable,
        "-m",
        "monitor",
        "simulate",
        "--config",
        str(config),
        "--link",
        str(link),
        "--speed",
        "20",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == f"press (simulated) on {link}; Ctrl-C stops it\n"
        with serial.Serial(str(link), 500_000, timeout=120) as port:
            port.write(frame(StartStream(3, 2000, 5, 1).to_bytes(0)))
            data = port.read(20_000)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    decoder = Decoder(kit_of(profile_of({"bottom_m": 0.03, "top_m": 0.5})).calibration(machine_of(profile_of({}))))
    assert len(decoder.feed(Chunk(0, data))) > 1000
    assert decoder.counts.bad_crc == 0
    assert not os.path.lexists(link)


def test_what_cannot_be_simulated_is_reported_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, taken = tmp_path / "press.toml", tmp_path / "taken"
    config.write_text(PROFILE)
    taken.write_text("")
    assert main(["simulate", "--config", str(config), "--link", str(taken)]) == 2
    assert f"{taken} exists and is not a symbolic link" in capsys.readouterr().err
    config.write_text(PROFILE + '[serial]\nformat = "lines-millis"\n')
    assert main(["simulate", "--config", str(config)]) == 2
    assert 'a simulation needs "frames"' in capsys.readouterr().err
    assert main(["simulate", "--config", str(tmp_path / "absent.toml")]) == 2
    assert main(["simulate", "--config", str(config), "--speed", "0"]) == 2
    assert 'neither a number from 0.01 to 1000 nor "max"' in capsys.readouterr().err


def test_the_machine_is_the_profiles_and_what_it_leaves_open_is_made_up() -> None:
    full = {"rest_m": 0.1, "bottom_m": 0.13, "top_m": 0.6, "working_load_n": 500.0, "friction": 0.04}
    machine = machine_of(profile_of(full))
    assert (machine.rest_m, machine.bottom_m, machine.top_m, machine.friction) == (0.1, 0.13, 0.6, 0.04)
    assert machine.working_load_n == pytest.approx(500)
    made_up = machine_of(profile_of({"plates_kg": [20, 45, 70, 95]}))
    assert made_up.mass_kg == 70
    assert made_up.rest_m < made_up.bottom_m < made_up.top_m


def test_the_counts_follow_the_profiles_calibration() -> None:
    table = {"metres_per_count": -0.0002, "newtons_per_count": 0.01, "force_zero_counts": -500}
    calibration = kit_of(profile_of({}, calibration=table)).calibration(machine_of(profile_of({})))
    assert (calibration.metres_per_count, calibration.newtons_per_count) == (-0.0002, 0.01)
    assert calibration.force_zero_counts == -500


def test_the_demo_lifts_set_after_set() -> None:
    profile = profile_of({"bottom_m": 0.03, "top_m": 0.5})
    trace = first(profile, 150)
    up = trace.x_m > 0.2
    reps = np.flatnonzero(np.diff(up.astype(int)) > 0) * 0.001
    pauses = np.diff(reps)[np.diff(reps) > 14]
    assert len(pauses) >= 1, "a rest between two sets"
    assert 5 <= np.argmax(np.diff(reps) > 14) + 1 <= 9
    assert reps[0] < 8
    assert np.abs(np.diff(trace.position_m)).max() < 0.003, "no seam"
    assert np.array_equal(first(profile, 10).tension_n, trace.tension_n[:10_000])
    assert not np.array_equal(first(profile, 10, seed=2).tension_n, trace.tension_n[:10_000])


def test_where_the_negative_comes_first_the_set_begins_at_the_top() -> None:
    protocol = {"positive_s": 2, "negative_s": 4, "starts_with": "negative"}
    trace = first(profile_of({"bottom_m": 0.03, "top_m": 0.5}, protocol=protocol), 14)
    ups = np.flatnonzero(np.diff((trace.x_m > 0.25).astype(int)))
    assert len(ups) >= 3
    lowest = trace.x_m[ups[1] : ups[2]].min()
    assert 0.003 < lowest < 0.06, "lowered and lifted again without touching the rest"


@pytest.mark.parametrize("kind", ["motor", "static"])
def test_machines_without_a_stack_are_simulated_too(kind: str) -> None:
    protocol = {"name": "static"} if kind == "static" else {"positive_s": 2, "negative_s": 2}
    profile = profile_of({"kind": kind, "bottom_m": 0.3, "top_m": 0.6, "rest_m": 0.3}, protocol=protocol)
    trace = first(profile, 25)
    assert trace.machine.kind == kind
    assert trace.tension_n.max() > 0.4 * trace.machine.working_load_n
    assert bool(np.ptp(trace.position_m) > 0.05) == (kind == "motor")
