"""Calibrations of simulated machines find their hidden scale, sign, zero, friction and resonance."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.simulator import board_chunks, drawn_lifter, faulty_set, simulate
from monitor.calibrate.changes import changes_of
from monitor.detect.spine import Spine
from monitor.events import AnyEvent
from monitor.profile.profile import Profile
from monitor.profile.reading import load_profile, profile_from_builtins
from monitor.profile.toml_edit import edited, replace_file
from tests.calibrate.bench import PROFILE, Rig, Silent, calibrated, rig, write_profile

UNKNOWN = profile_from_builtins({"machine": {"id": "rig", "kind": "stack"}, "protocol": {"name": "4/4"}})
SEEDS = range(40) if os.environ.get("REP_MONITOR_SOAK") else (0, 3)  # both signs of each scale
NEAR_S = 0.03


def true_turns_m(one: Rig) -> tuple[float, float]:
    """The true bottom and top of the two repetitions, in metres above the rest."""
    x_m = one.helper.repetitions().x_m
    half = len(x_m) // 2
    first, second = int(np.argmax(x_m[:half])), half + int(np.argmax(x_m[half:]))
    return float(x_m[first:second].min()), float((x_m[first] + x_m[second]) / 2)


def events(profile: Profile, one: Rig, seed: int) -> list[AnyEvent]:
    """The events of a set with faults on this machine."""
    rng = np.random.default_rng([7, seed])
    machine = dataclasses.replace(one.machine, mass_kg=one.helper.weights_kg[-1])
    script = faulty_set(rng, machine, 4.0, 4.0, 6, share=0.6, lifter=drawn_lifter(rng))
    table = profile.calibration
    assert table is not None
    decoder = Decoder(Calibration(**{name: getattr(table, name) for name in table.__struct_fields__}))
    spine = Spine(profile, "truth", feedback=False)
    samples = decoder.feed(*board_chunks(simulate(machine, script, seed), one.kit, seed + 100))
    return spine.update(samples).events + spine.finish().events


def unmatched(found: list[AnyEvent], others: list[AnyEvent]) -> list[str]:
    """The events without a counterpart of the same kind and nearly the same time among the others."""
    left = []
    for event in {event.id: event for event in reversed(found)}.values():
        if not any(other.kind == event.kind and abs(other.t_s - event.t_s) < NEAR_S for other in others):
            left.append(f"{event.kind} at {event.t_s:.2f} s")
    return left


@pytest.mark.parametrize("seed", SEEDS)
def test_results_are_true_and_detection_gives_the_same_events_with_them(seed: int, tmp_path: Path) -> None:
    one = rig(seed)
    guide = Silent()
    state = calibrated(one.chunks(), one.answers, UNKNOWN, guide)
    path = write_profile(tmp_path)
    replace_file(path, edited(PROFILE, changes_of(state, "stack"), str(path)))
    found = load_profile(path)
    wiring, table = one.kit.calibration(one.machine), found.calibration
    assert table is not None
    assert found.machine.bottom_m is not None
    assert found.machine.top_m is not None
    assert found.machine.friction is not None
    assert table.newtons_per_count == pytest.approx(wiring.newtons_per_count, rel=0.005)
    assert abs(table.force_zero_counts - wiring.force_zero_counts) * abs(wiring.newtons_per_count) < 0.5
    rest_counts = one.machine.rest_m / wiring.metres_per_count + wiring.position_zero_counts
    assert abs(table.position_zero_counts - rest_counts) * abs(wiring.metres_per_count) < 0.0005
    bottom_m, top_m = true_turns_m(one)
    assert found.machine.bottom_m == pytest.approx(bottom_m, abs=0.0005)
    assert found.machine.top_m == pytest.approx(top_m, abs=0.0005)
    assert found.machine.friction == pytest.approx(one.machine.friction, abs=0.02)
    assert state.ring is not None
    assert state.ring.resonance_hz == pytest.approx(one.machine.resonance_hz, rel=0.1)

    rest_m = one.machine.rest_m
    truth = one.true_profile(
        rest_m=rest_m, bottom_m=bottom_m + rest_m, top_m=top_m + rest_m, friction=one.machine.friction
    )
    with_truth, with_found = events(truth, one, seed), events(found, one, seed)
    assert len({event.id for event in with_truth}) > 20
    strange = unmatched(with_found, with_truth) + unmatched(with_truth, with_found)
    assert len(strange) <= 0.05 * len(with_truth), strange
