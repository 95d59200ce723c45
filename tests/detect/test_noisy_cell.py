"""A set begins and ends where it does, though the cell is noisy there."""

from typing import Any

import numpy as np
import pytest

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.profile.profile import Profile
from tests.detect.stories import END, REP
from tests.movements import LOAD_N, PROFILES, REST_M, Act, Down, Helped, Leg, Movement, Still, Tug, profile

STARTED_S = 1.9
LANDS_S = STARTED_S + 2 * 4.8 + 0.4
TWO: list[Act] = [Leg(0.0, 0.5), Still(0.4), *REP, *REP, Down(8.0)]
ACTS: list[Act] = [*TWO, *REP, *REP, *END]
LIFTS_S = LANDS_S + 8.0


def times_s(kind: str, noisy_s: tuple[float, float], machine: Profile, acts: list[Act] = ACTS) -> list[float]:
    """When events of this kind happened, where the cell is noisy from one time to another."""
    rows = Movement(tuple(acts)).samples()
    noisy = (rows.t_s > noisy_s[0]) & (rows.t_s < noisy_s[1])
    noise_n = np.random.default_rng(1).normal(0.0, 0.5 * LOAD_N, len(rows)) * noisy
    spine = Spine(machine, "s", feedback=False)
    events: list[Any] = [*spine.update(Samples(rows.t_s, rows.position_m, rows.force_n + noise_n, rows.flags)).events]
    events += spine.finish().events
    return [event.t_s for event in {event.id: event for event in events}.values() if event.kind == kind]


@pytest.mark.parametrize("limited", [False, True], ids=["on the rest", "on a limiter"])
@pytest.mark.parametrize("for_s", [0.1, 1.0, 2.5])
def test_noise_in_a_pause_does_not_join_two_sets(for_s: float, limited: bool) -> None:
    machine = profile(rest_m=REST_M - 0.028) if limited else PROFILES["stack"]
    noisy_s = LANDS_S + 3.5, LANDS_S + 3.5 + for_s
    assert times_s("set_end", noisy_s, machine) == pytest.approx(times_s("set_end", (0.0, 0.0), machine), abs=0.05)


@pytest.mark.parametrize(("from_s", "for_s"), [(-0.8, 1.2), (-0.1, 0.3), (-0.3, 1.0)])
def test_a_set_that_begins_in_noise_begins_with_its_lift(from_s: float, for_s: float) -> None:
    noisy_s = LIFTS_S + from_s, LIFTS_S + from_s + for_s
    found, sound = (times_s("set_start", noise_s, PROFILES["stack"]) for noise_s in (noisy_s, (0.0, 0.0)))
    assert found == pytest.approx(sound, abs=0.1)


@pytest.mark.parametrize("at_s", [LANDS_S + 6.0, LIFTS_S + 1.0])
def test_a_lifter_who_takes_over_from_a_hand_begins_the_set_then(at_s: float) -> None:
    """Noise that is over does not date the set back to the moment when the hand lifted the stack."""
    acts: list[Act] = [*TWO, Helped(0.1, 0.6, 0.0), Tug(0.0, 3.0), *REP, *END]
    found, sound = (
        times_s("set_start", noisy_s, PROFILES["stack"], acts) for noisy_s in ((at_s, at_s + 0.5), (0.0, 0.0))
    )
    assert found == pytest.approx(sound, abs=0.05)


def test_noise_alone_begins_no_set() -> None:
    assert len(times_s("set_start", (LANDS_S + 5.5, LANDS_S + 7.0), PROFILES["stack"])) == 2
