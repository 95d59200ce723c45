"""An encoder step from the samples works like one from the profile, and only if the profile has none."""

import msgspec
import pytest

from firmware_bridge.samples import Samples
from monitor.analysis.analysis import Analysis
from monitor.events import encode
from monitor.profile.profile import Profile
from tests.movements import Down, Leg, Movement, Still, profile

STEP_M = 0.002
ACTS = (Leg(1.0, 2.0), Still(0.3), Leg(0.0, 2.0), Still(0.3), Leg(0.4, 0.4), Leg(1.0, 1.5), Leg(0.0, 2.0), Down(6.0))


@pytest.fixture(scope="module")
def samples() -> Samples:
    fine = Movement(ACTS).samples()
    return Samples(fine.t_s, (fine.position_m / STEP_M).round() * STEP_M, fine.force_n, fine.flags)


def events(samples: Samples, machine: Profile, encoder_step_m: float | None = None) -> list[bytes]:
    analysis = Analysis(machine, "s", encoder_step_m=encoder_step_m)
    return [encode(event) for event in (analysis.add(samples) + analysis.finish()).events]


def test_it_simulates_a_calibration(samples: Samples) -> None:
    given = profile(metres_per_count=STEP_M)
    bare = msgspec.structs.replace(given, calibration=None)
    assert events(samples, bare, STEP_M) == events(samples, given)
    assert events(samples, bare) != events(samples, given), "the step makes no difference here: choose a coarser one"


def test_a_calibration_knows_better(samples: Samples) -> None:
    given = profile(metres_per_count=STEP_M)
    assert events(samples, given, 1e-4) == events(samples, given)
