"""The report draws a machine's resistance where it varies along the way, and only there."""

import tomllib

from monitor.profile.limits import limits_of
from monitor.profile.reading import profile_from_builtins
from monitor.profile.resistance import Resistance
from monitor.report.resistance_section import resistance_section
from tests.profiles import PROFILE

LIMITS = limits_of(profile_from_builtins(tomllib.loads(PROFILE)))
KNOWN = LIMITS.with_load(800.0, 0.08, load_from="learned", friction_from="learned")
CAM, PULLEY = Resistance(0.0, 0.5, (0.9, 1.1, 1.0)), Resistance(0.0, 0.5, (1.0, 1.0), inertia=0.5)


def test_a_pulley_that_moves_less_mass_has_no_curve() -> None:
    assert "varies along the way" in str(resistance_section(KNOWN.with_resistance(CAM), None))
    assert not str(resistance_section(KNOWN.with_resistance(PULLEY), None))
